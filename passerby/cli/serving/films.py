"""Films for who asks by way of the web: the same that `passerby enroll`, `verify` and `identify` do."""

from collections.abc import Sequence
from dataclasses import replace

from hub.access.store import AccessStore
from hub.films.records import Asked, Enrolled, Film, Viewing
from hub.services import IncomingFilm
from passerby.cli.adapting.deployed import models_in_use
from passerby.cli.looking.options import Place
from passerby.cli.serving.film_shelf import Shelf
from passerby.cli.serving.viewings import NICE, Viewings
from passerby.errors import DataError


class SiteFilms:
    """Implements `hub.services.Films`. One film is looked at at a time."""

    def __init__(self, place: Place, access: AccessStore, *, nice: int = NICE) -> None:
        """`nice`: how far the process that looks gives way to all others, 0-19."""
        self._place, self._access = place, access
        self._shelf = Shelf(place.data)
        self._viewings = Viewings(place=self._now, rest=self._rest, on_enrolled=self._put_down, nice=nice)

    def begin(self, name: str, *, actor: str) -> IncomingFilm:
        self._rest()
        return self._shelf.begin(name, actor=actor)

    def films(self, *, actor: str) -> Sequence[Film]:
        self._rest()
        return self._shelf.films(actor=actor)

    def film(self, film_id: str, *, actor: str) -> Film:
        return self._shelf.use(film_id, actor=actor)[0]

    def frame(self, film_id: str, number: int, *, actor: str, width: int) -> bytes:
        return self._shelf.frame(film_id, number, actor=actor, width=width)

    def remove(self, film_id: str, *, actor: str) -> None:
        if film_id in self._viewings.films_in_use:
            raise DataError("it is being looked at; cancel that first")
        self._shelf.remove(film_id, actor=actor)

    def ask(self, film_id: str, asked: Asked, *, actor: str, address: str = "") -> Viewing:
        film, footage = self._shelf.use(film_id, actor=actor)
        return self._viewings.ask(film, footage.file, asked, address=address)

    def viewings(self, *, actor: str) -> Sequence[Viewing]:
        return self._viewings.viewings(actor=actor)

    def viewing(self, number: int, *, actor: str) -> Viewing:
        return self._viewings.viewing(number, actor=actor)

    def cancel(self, number: int, *, actor: str) -> Viewing:
        return self._viewings.cancel(number, actor=actor)

    def close(self) -> None:
        """End what is under way, and delete all films."""
        self._viewings.close()
        self._shelf.close()

    def _now(self) -> Place:
        return replace(self._place, models=models_in_use(self._place.data, self._place.models))

    def _rest(self) -> None:
        self._shelf.sweep(in_use=self._viewings.films_in_use)

    def _put_down(self, viewing: Viewing, kept: Enrolled, address: str) -> None:
        self._access.audit.put(
            "enrolments.add", actor=viewing.film.actor, objects=[f"enrolment:{kept.enrolment_id}"], address=address
        )
