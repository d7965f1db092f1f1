"""What everybody does for themselves: another password, and tokens for programs."""

import time
from collections.abc import Mapping

from markupsafe import Markup

from hub.access.records import ApiToken, Role
from hub.access.secrets import LONGEST_PASSWORD, SHORTEST_PASSWORD
from hub.access.store import LONGEST_TOKEN_DAYS
from hub.dashboard.markup import EMPTY, button, dialog, joined, moment, table, tag
from hub.dashboard.users import role_field, role_of
from hub.dashboard.visit import Reaction, Visit
from passerby.errors import DataError

_DAYS = 90


def own(visit: Visit) -> Markup:
    """Who is signed in, and their tokens; nothing where nobody is asked who they are."""
    who = visit.principal
    if who.by != "session":
        return EMPTY
    sees = "all cameras" if who.cameras is None else ", ".join(sorted(who.cameras)) or "no camera"
    until = EMPTY if who.expires_at_ns is None else Markup(", signed in until {}").format(moment(who.expires_at_ns))
    return Markup(
        '<section class="card pad stack"><div class="row"><div class="grow"><h2>{}</h2><p class="small soft">{}, sees '
        '{}{}</p></div>{}{}</div><div id="token-made"></div><div id="tokens">{}</div></section>'
    ).format(who.name, who.role.value, sees, until, _password(visit), _making(visit), _tokens(visit))


def add_token(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Make a token, which is told this once."""
    if visit.principal.by != "session":
        raise DataError("a token is made by who has signed in, or by `passerby users token`")
    role = role_of(said)
    try:
        days = float(said.get("days", ""))
    except ValueError:
        raise DataError(f"{said.get('days', '')!r} days, expected a number") from None
    made, word = visit.services.access.add_token(
        visit.principal.name, said.get("name", "").strip(), role=role, days=days
    )
    _note(visit, "tokens.add", made.token_id, role.value)
    copy = Markup('<button type="button" class="btn" data-copy="{}">Copy</button>').format(word)
    told = Markup(
        '<div class="made stack"><p><strong>{}</strong>: copy it now, it is not shown again. A program sends it as '
        '<code class="code">Authorization: Bearer …</code></p>'
        '<div class="row"><code class="code grow">{}</code>{}</div></div>'
    ).format(made.name, word, copy)
    return Reaction(puts={"token-made": told, "tokens": _tokens(visit)})


def remove_token(visit: Visit, said: Mapping[str, str]) -> Reaction:
    """Let a token be worth nothing: one's own, or of administrators any."""
    number = int(said.get("token", "0"))
    mine = None if visit.principal.may(Role.ADMIN) else visit.principal.name
    visit.services.access.remove_token(number, user=mine)
    _note(visit, "tokens.remove", number)
    return Reaction(said="The token is worth nothing any more.", puts={"token-made": EMPTY, "tokens": _tokens(visit)})


def _password(visit: Visit) -> Markup:
    fields = joined(
        Markup(
            '<label class="labelled">{}<input class="field" type="password" name="{}" required maxlength="{}" '
            'autocomplete="{}"></label>'
        ).format(label, name, LONGEST_PASSWORD, completes)
        for label, name, completes in (
            ("The password until now", "old", "current-password"),
            (f"A new one, {SHORTEST_PASSWORD} characters or more", "new", "new-password"),
            ("The new one again", "again", "new-password"),
        )
    )
    trouble = Markup('<p class="bad" role="alert" hidden></p>')
    change = Markup('<button type="button" class="btn primary" data-password="{}">Change it</button>').format(
        visit.principal.csrf
    )
    return button("Change password…", opens="own-password") + dialog(
        "own-password", "Your password", fields + trouble, change
    )


def _making(visit: Visit) -> Markup:
    fields = Markup(
        '<label class="labelled">What it is for<input class="field" name="name" required maxlength="64" '
        'pattern="[A-Za-z0-9][A-Za-z0-9_.@\\-]*" placeholder="as prometheus" autocomplete="off"></label>{}'
        '<label class="labelled">Days until it ends<input class="field" name="days" type="number" min="1" max="{}" '
        'value="{}" required></label>'
    ).format(role_field(Role.VIEWER, most=visit.principal.role), LONGEST_TOKEN_DAYS, _DAYS)
    return button("Make a token…", opens="make-token") + dialog(
        "make-token", "A token for a program", fields, button("Make it", "add-token", kind="primary")
    )


def _tokens(visit: Visit) -> Markup:
    """One's own; of administrators: all."""
    everybody = visit.principal.may(Role.ADMIN)
    found = visit.services.access.tokens(None if everybody else visit.principal.name)
    if not found:
        return Markup('<p class="small soft">No tokens: programs cannot come in {}.</p>').format(
            "as anybody" if everybody else "as you"
        )
    now_ns = time.time_ns()
    return table(("token", "of", "role", "until", "last used", ""), (_row(one, now_ns) for one in found))


def _row(one: ApiToken, now_ns: int) -> tuple[object, ...]:
    until = moment(one.expires_at_ns, "day")
    return (
        one.name,
        one.user,
        tag(one.role.value),
        joined((until, Markup(" "), tag("ended", "bad"))) if one.expires_at_ns <= now_ns else until,
        "never" if one.used_at_ns is None else moment(one.used_at_ns, "ago"),
        button("Revoke", "remove-token", kind="quiet", token=one.token_id),
    )


def _note(visit: Visit, action: str, token: int, detail: str = "") -> None:
    visit.services.access.audit.put(
        action, actor=visit.principal.name, objects=(f"token:{token}",), detail=detail, address=visit.address
    )
