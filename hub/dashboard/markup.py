"""Small pieces of HTML. Whatever is put into them is escaped, unless it is markup already."""

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from markupsafe import Markup

As = Literal["auto", "clock", "moment", "day", "ago"]
"""How a time is told: `auto` is a clock today and a moment else; `ago` goes on while it is looked at."""

EMPTY = Markup()


def joined(parts: Iterable[Markup]) -> Markup:
    """One after the other."""
    return EMPTY.join(parts)


def moment(at_ns: int, style: As = "auto") -> Markup:
    """A time, which the browser tells in its own zone.

    >>> moment(1_700_000_000_000_000_000)
    Markup('<time datetime="2023-11-14T22:13:20.000Z" data-as="auto">2023-11-14 22:13:20 UTC</time>')
    """
    at = datetime.fromtimestamp(at_ns / 1e9, UTC)
    iso = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" data-as="{}">{}</time>').format(iso, style, at.strftime("%Y-%m-%d %H:%M:%S UTC"))


def tag(text: str, kind: str = "") -> Markup:
    """A word in a pill: `good`, `warn`, `bad`, `accent` or plain."""
    return Markup('<span class="tag {}">{}</span>').format(kind, text)


def button(text: str, do: str = "", *, kind: str = "", key: str = "", opens: str = "", **data: object) -> Markup:
    """A button: what the server is told when it is pressed, or which dialog `opens`; `key` presses it too."""
    said = joined(Markup(' data-{}="{}"').format(name.replace("_", "-"), value) for name, value in data.items())
    heard = Markup(' data-do="{}"').format(do) if do else Markup(' data-open="{}"').format(opens)
    hint = Markup(" <kbd>{}</kbd>").format(key.upper() if len(key) == 1 else _KEYS[key]) if key else EMPTY
    pressed = Markup(' data-key="{}"').format(key) if key else EMPTY
    return Markup('<button type="button" class="btn {}"{}{}{}>{}{}</button>').format(
        kind, heard, pressed, said, text, hint
    )


_KEYS = {"arrowleft": "←", "arrowright": "→"}


def empty(title: str, what_to_do: Markup | str, *, trouble: bool = False) -> Markup:
    """In place of what is not there: that it is not, and what to do."""
    return Markup('<div class="empty {}"{}><h2>{}</h2><p>{}</p></div>').format(
        "trouble" if trouble else "", Markup(' role="alert"') if trouble else EMPTY, title, what_to_do
    )


def over(first: object, second: object) -> Markup:
    """A cell of two lines, the second one small."""
    return Markup("{}<div class='small soft'>{}</div>").format(first, second)


def table(
    titles: Iterable[str], rows: Iterable[Iterable[object]], *, numbers: Iterable[int] = (), whole: bool = False
) -> Markup:
    """A plain table; the columns of these `numbers` stand at the right. `whole`: no cell is broken into lines."""
    right = set(numbers)
    kinds = {column: Markup(' class="num"') for column in right}
    head = joined(
        Markup("<th{} scope=col>{}</th>").format(kinds.get(column, EMPTY), title) if title else Markup("<td></td>")
        for column, title in enumerate(titles)
    )
    body = joined(
        Markup("<tr>{}</tr>").format(
            joined(Markup("<td{}>{}</td>").format(kinds.get(c, EMPTY), cell) for c, cell in enumerate(row))
        )
        for row in rows
    )
    return Markup(
        '<div class="scroll"><table class="plain{}"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(" whole" if whole else "", head, body)


def dialog(name: str, title: str, body: Markup, *buttons: Markup) -> Markup:
    """A question before something is done; the buttons stand in its form, and Enter presses the primary one."""
    cancel = Markup('<button hidden></button><button type="button" class="btn" data-close>Cancel</button>')
    return Markup(
        '<dialog class="ask" id="{0}" aria-labelledby="{0}-title"><form method="dialog"><h2 id="{0}-title">{1}</h2>'
        '{2}<div class="row">{3}{4}</div></form></dialog>'
    ).format(name, title, body, cancel, joined(buttons))


def following(what: str, keys: Iterable[str]) -> Markup:
    """What the children of element `what` should be, by their `data-key`; where they are not the page does `follow`."""
    return Markup('<i hidden data-follows="{}" data-keys="{}"></i>').format(what, json.dumps(list(keys)))


def duration(seconds: float) -> str:
    """`8 s`, `3 min`, `2.5 h`.

    >>> duration(8.2), duration(200), duration(9000)
    ('8 s', '3 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(count: int) -> str:
    """Bytes, in the unit that suits.

    >>> size(900), size(1536), size(3 << 30)
    ('900 B', '1.5 KiB', '3.0 GiB')
    """
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if value >= 10 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def data_picture(jpeg: bytes, *, alt: str) -> Markup:
    """A crop that has no address, within the page."""
    return Markup('<img class="crop" alt="{}" src="data:image/jpeg;base64,{}">').format(
        alt, base64.b64encode(jpeg).decode("ascii")
    )
