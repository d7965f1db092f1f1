"""NiceGUI around pages: builds them in threads, tells the server what is done on them, and the browser what follows."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from fastapi import Request
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from nicegui import Client, ui
from nicegui.events import GenericEventArguments

from hub.access.records import Principal
from hub.corrections.candidates import open_candidates
from hub.dashboard import frame
from hub.dashboard.correcting import undo
from hub.dashboard.gallery import Gallery
from hub.dashboard.markup import empty
from hub.dashboard.pulse import News, Pulse
from hub.dashboard.visit import Page, Place, Reaction, Visit
from hub.services import Services
from passerby.errors import PasserbyError, StoreError

_log = logging.getLogger("passerby.web")

_RESPONSE_TIMEOUT_S = 30.0
_COUNTED_FOR_S = 5.0
"""How long the number of open questions is taken as known."""

WhoAsks = Callable[[Request], Principal | None]


class Shell:
    """Opens places as NiceGUI pages. `who_asks` says who a request is from, None where they must say so first."""

    def __init__(self, services: Services, places: Sequence[Place], *, who_asks: WhoAsks) -> None:
        self.services = services
        self.gallery = Gallery(services.data_dir)
        self.pulse = Pulse(services.reader, self.gallery)
        self.who_asks = who_asks
        self._places = [place for place in places if place.there(services)]
        self._counted: tuple[float, int] = (float("-inf"), 0)

    def open_all(self) -> None:
        """Make all places known to NiceGUI."""
        for place in self._places:
            self._open(place)

    async def close(self) -> None:
        """End what goes on."""
        await self.pulse.close()
        self.gallery.close()

    def visit(self, request: Request, principal: Principal) -> Visit:
        """What a request asks for."""
        asked = {name: str(value) for name, value in {**request.query_params, **request.path_params}.items()}
        address = request.client.host if request.client else ""
        return Visit(services=self.services, gallery=self.gallery, principal=principal, asked=asked, address=address)

    def _open(self, place: Place) -> None:
        async def show(request: Request) -> RedirectResponse | None:
            principal = self.who_asks(request)
            if principal is None:
                return RedirectResponse(frame.login_address(request.url.path), status_code=303)
            visit = self.visit(request, principal)
            page, to_review = await asyncio.to_thread(self._built, place, visit)
            client = ui.context.client
            client.title = f"{page.title} · {self.services.facts.site}"
            at = place.path if place.icon else place.under
            rail = frame.rail(
                self._places, at=at, site=self.services.facts.site, principal=principal, to_review=to_review
            )
            ui.html(rail, sanitize=False)
            ui.html(Markup('<div class="page" id="page">{}</div>').format(frame.page(page)), sanitize=False)
            self._attend(place, visit, client)
            return None

        ui.page(place.path, title=place.title, response_timeout=_RESPONSE_TIMEOUT_S)(show)

    def _attend(self, place: Place, visit: Visit, client: Client) -> None:
        in_order = asyncio.Lock()

        async def do(event: GenericEventArguments) -> None:
            said: dict[str, Any] = event.args if isinstance(event.args, dict) else {}
            what = str(said.get("do"))
            does = undo if what == "undo" else place.does.get(what)
            if does is None:
                return
            now = await asyncio.to_thread(self._still, client, visit)
            if now is None:
                return
            refused = None if what == "undo" else place.refusal(now.principal)
            if refused is not None:
                _toast(client, refused, bad=True)
                return
            try:
                reaction = await asyncio.to_thread(does, now, {name: str(value) for name, value in said.items()})
            except PasserbyError as error:
                _toast(client, str(error), bad=True)
                return
            finally:
                if "busy" in said:
                    _run(client, "done")
            await self._follow(reaction, place, now, client)

        async def tell(news: News) -> None:
            async with in_order:
                if place.hears is None or client.is_deleted:
                    return
                now = await asyncio.to_thread(self._still, client, visit)
                if now is None or place.refusal(now.principal) is not None:
                    return
                try:
                    reaction = await asyncio.to_thread(place.hears, now, news)
                except PasserbyError as error:
                    _log.warning("%s: %s", place.path, error)
                    return
                if reaction is not None:
                    await self._follow(reaction, place, now, client)

        under_way: set[asyncio.Task[None]] = set()

        def listener(news: News) -> None:
            task = asyncio.get_running_loop().create_task(tell(news))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

        ui.on("do", do)
        if place.hears is not None:
            self.pulse.add(listener)
            client.on_delete(lambda: self.pulse.remove(listener))

    def _still(self, client: Client, visit: Visit) -> Visit | None:
        """The visit as of now: a page stays open longer than a session, or a role, may last."""
        principal = self.who_asks(client.request)
        if principal is None:
            client.run_javascript("location.reload()")  # which leads to where they sign in
            return None
        return replace(visit, principal=principal)

    async def _follow(self, reaction: Reaction, place: Place, visit: Visit, client: Client) -> None:
        if reaction.again:
            page, to_review = await asyncio.to_thread(self._built, place, visit, fresh=True)
            _run(client, "put", "page", frame.page(page))
            _run(client, "put", "to-review", str(to_review or ""))
        for name, html in reaction.puts.items():
            if name.startswith("+"):
                _run(client, "feed", html, html.count("data-event="))
            elif name.startswith("="):
                _run(client, "become", name[1:], html)
            else:
                _run(client, "put", name, html)
        if reaction.said:
            if reaction.goes is None:
                _toast(client, reaction.said, undo_event=reaction.undo)
            else:
                _run(client, "later", {"text": reaction.said, "undo": reaction.undo})
        if reaction.goes is not None:
            client.run_javascript(f"location.href = {json.dumps(reaction.goes)}")

    def _built(self, place: Place, visit: Visit, *, fresh: bool = False) -> tuple[Page, int]:
        try:
            refused = place.refusal(visit.principal)
            if refused is not None:
                return Page(title=place.title, body=empty("Not for your role", refused)), 0
            page = place.build(visit)
        except StoreError as error:
            said = Markup("{}. The page fills by itself once a hub has run.").format(str(error))
            page = Page(title=place.title, body=empty("Nothing to be read yet", said, trouble=True))
        except PasserbyError as error:
            page = Page(title=place.title, body=empty("That does not work", str(error), trouble=True))
        return page, self._to_review(fresh=fresh)

    def _to_review(self, *, fresh: bool) -> int:
        now = time.monotonic()
        if fresh or now - self._counted[0] > _COUNTED_FOR_S:
            try:
                self._counted = (now, len(open_candidates(self.services.reader())))
            except PasserbyError:
                return 0  # whoever looks is told by the page itself
        return self._counted[1]


def _toast(client: Client, text: str, *, undo_event: int | None = None, bad: bool = False) -> None:
    _run(client, "toast", {"text": text, "undo": undo_event, "bad": bad})


def _run(client: Client, name: str, *arguments: object) -> None:
    told = ", ".join(json.dumps(one) for one in arguments)
    client.run_javascript(f"passerby.{name}({told})")
