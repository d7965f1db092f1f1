"""One look at one page: who looks, at what, with which question; and what a page says and does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from hub.access.records import Principal, Role
from hub.dashboard.gallery import Gallery
from hub.dashboard.markup import EMPTY
from hub.dashboard.pulse import News
from hub.reader import SiteReader
from hub.records import EventId
from hub.services import Services
from passerby.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a page is built from, in a thread. `asked` are the path's parts and the query, as text."""

    services: Services
    gallery: Gallery
    principal: Principal
    asked: Mapping[str, str] = field(default_factory=dict)
    address: str = ""

    @property
    def reader(self) -> SiteReader:
        """The site's data. Raises StoreError where there are none yet."""
        return self.services.reader()

    @property
    def may_correct(self) -> bool:
        """Whether they may say who is who."""
        return self.principal.may(Role.OPERATOR)

    def number(self, name: str) -> int | None:
        """A whole number that was asked for; None where none was. Raises DataError."""
        text = self.asked.get(name, "").strip()
        if not text:
            return None
        try:
            return int(text)
        except ValueError:
            raise DataError(f"{name} is {text!r}, expected a whole number") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is shown: `lede` beside the title, `actions` at the right of it."""

    title: str
    body: Markup
    lede: Markup | str = ""
    actions: Markup = EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What follows in the browser from what somebody did."""

    said: str = ""
    """A toast."""
    undo: EventId | None = None
    """The event that the toast offers to take back."""
    puts: Mapping[str, Markup] = field(default_factory=dict)
    """What takes the place of elements' contents, by their ids; `+feed` comes before what is there, and of `=ID` the
    children whose `data-key` is there already stay as they are."""
    goes: str | None = None
    """The page that follows."""
    again: bool = False
    """Build the page anew."""


Build = Callable[[Visit], Page]
Does = Callable[[Visit, Mapping[str, str]], Reaction]
"""Called in a thread with what the browser told: the pressed button's data and its form's fields. Raises DataError."""

Hears = Callable[[Visit, News], Reaction | None]
"""Called in a thread with what has happened meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page and what can be done on it. `role`: who may see it."""

    path: str
    title: str
    build: Build
    icon: str = ""
    """Its sign in the rail; empty: it is not there."""
    under: str = ""
    """The path of the place in the rail to which it belongs, where it is not there itself."""
    role: Role = Role.VIEWER
    whole_site: bool = False
    """Whether it is about all of the site, and nothing for who sees some cameras alone."""
    does: Mapping[str, Does] = field(default_factory=dict)
    hears: Hears | None = None
    there: Callable[[Services], bool] = lambda _: True
    """Whether what it is about is there at all."""

    def refusal(self, principal: Principal) -> str | None:
        """Why somebody may not see it nor do anything on it; None where they may."""
        if not principal.may(self.role):
            return f"This page is for {self.role.value}s. Ask an administrator for that role."
        if self.whole_site and principal.cameras is not None:
            return "This is about the whole site, of which you see some cameras alone."
        return None


def numbers(text: str) -> Sequence[int]:
    """`3,5` as numbers, in order. Raises DataError.

    >>> numbers("3,5"), numbers("")
    ([3, 5], [])
    """
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise DataError(f"{text!r} are no numbers, expected as 3,5") from None
