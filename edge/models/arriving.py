"""What becomes of the hub's offers: fetch, verify, load in a thread, try, and say that it is ready."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from edge.embedders import Embedders
from edge.models.choice import Choice
from edge.models.fetching import ModelFetch
from edge.models.offered import OfferedModel, read_offer
from edge.models.shelf import ModelShelf
from edge.models.trying import LoadEmbedder, load_and_try
from passerby.errors import ChecksumError, DataError, ModelError, PasserbyError
from passerby.ids import CameraId, ModelId
from passerby.inference import EmbeddingEngine
from passerby.messages import ModelChunk, ModelOffer, ModelRequest
from passerby.models import ModelManifest, read_model

_log = logging.getLogger("passerby.edge")

ANSWER_S = 5.0
"""A piece that has not come after so long is asked for again."""

_AWAY_S = 1.0
"""While there is no connection."""

_MAX_UNANSWERED = 12
"""After so many the offer is forgotten: the hub repeats one that still stands."""

MAX_ATTEMPTS = 3
"""How often a model is fetched whose bytes come damaged."""

_GIVEN_UP_S = 600.0


@dataclass(frozen=True, slots=True, eq=False)
class Switch:
    """A network that is ready, and whose people it is to describe; without cameras, everybody's."""

    engine: EmbeddingEngine
    cameras: tuple[CameraId, ...]


@dataclass(slots=True, eq=False)
class _Arrival:
    """The one model that is on its way: being fetched, being prepared, or ready."""

    model: OfferedModel
    cameras: tuple[CameraId, ...]
    seen_by: list[CameraId]
    fetch: ModelFetch | None = None
    preparing: Future[EmbeddingEngine] | None = None
    ready: EmbeddingEngine | None = None
    attempts: int = 1
    asked: ModelRequest | None = None
    ask_at: float = field(default=float("-inf"))
    unanswered: int = 0


class ArrivingModels:
    """Takes offers and pieces, and is asked at each turn of the edge's loop; only loading has a thread of its own.

    One model is on its way at a time: an offer of another takes its place. Whatever fails is one line in the log, and
    the edge goes on as it was. Leaving the `with` block closes it; it waits for a model that is being loaded.
    """

    def __init__(self, shelf: ModelShelf, *, site: ModelManifest, load: LoadEmbedder) -> None:
        """`site` is the model that the site file names: it is on this machine, and never fetched."""
        self._shelf = shelf
        self._site = site
        self._load = load
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._arrival: _Arrival | None = None
        self._given_up: tuple[OfferedModel | ModelId, float] | None = None
        self._now = float("-inf")

    def offered(self, offer: ModelOffer, *, embedders: Embedders, cameras: Sequence[CameraId], now: float) -> None:
        """The hub wants this model; the edge has `embedders` for its `cameras`, at `now` as in `turn`."""
        self._now = now
        wanted = tuple(camera for camera in offer.cameras if camera in cameras)
        if offer.cameras and not wanted:
            return
        try:
            model = read_offer(offer)
        except ModelError as error:
            if not self._was_given_up(offer.model_id):
                self._give_up(offer.model_id, error)
            return
        arrival = self._arrival
        if arrival is not None and _same(arrival.model, model):
            arrival.cameras = wanted
            return
        if self._was_given_up(model):
            return
        self._forget()
        self._arrival = _Arrival(model, wanted, list(wanted or cameras), ready=embedders.loaded(model.model_id))
        if self._arrival.ready is None and model.model_id == self._site.model_id:
            self._arrival.preparing = self._thread.submit(self._prepare_site, self._arrival.seen_by)
        elif self._arrival.ready is None:
            self._fetch(self._arrival)

    def received(self, chunk: ModelChunk) -> None:
        """A piece has come."""
        arrival = self._arrival
        if arrival is None or arrival.fetch is None:
            return
        try:
            if arrival.fetch.take(chunk):
                arrival.unanswered = 0
        except ModelError as error:
            self._give_up(arrival.model, error)

    def turn(self, *, now: float, ask: Callable[[ModelRequest], bool]) -> Switch | None:
        """What is due at `now`, seconds of a monotonic clock: a request, through `ask`; or the network that is ready.

        `ask` says whether the request could be sent. Whoever gets a Switch uses it before the next turn.
        """
        self._now = now
        arrival = self._arrival
        if arrival is None:
            return None
        if arrival.fetch is not None:
            self._ask(arrival, arrival.fetch, ask)
        elif arrival.preparing is not None and arrival.preparing.done():
            self._take_prepared(arrival, arrival.preparing)
        if arrival.ready is None:
            return None
        self._arrival = None
        return Switch(arrival.ready, arrival.cameras)

    def remember(self, embedders: Embedders) -> None:
        """These are in use from now on: begin with them the next time, and make room."""
        for model_id, whose in _in_words(embedders).items():
            _log.info("model %s describes the people of %s", model_id, whose)
        try:
            self._shelf.choose(Choice(model_id=embedders.model_id, cameras=embedders.camera_models))
        except DataError as error:
            _log.error("%s; the next start begins with what was chosen before", error)
        self._shelf.clear(used={engine.manifest.model_id for engine in embedders.engines()})

    def close(self) -> None:
        """End; what was fetched of a model stays on disk."""
        self._forget()
        self._thread.shutdown(cancel_futures=True)

    def __enter__(self) -> "ArrivingModels":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # Fetching

    def _fetch(self, arrival: _Arrival) -> None:
        arrival.preparing = None
        try:
            arrival.fetch = ModelFetch(arrival.model, self._shelf)
        except ModelError as error:
            self._give_up(arrival.model, error)
            return
        if arrival.fetch.bytes_left:
            _log.info("fetches model %s from the hub: %d bytes", arrival.model.model_id, arrival.fetch.bytes_left)

    def _ask(self, arrival: _Arrival, fetch: ModelFetch, ask: Callable[[ModelRequest], bool]) -> None:
        request = fetch.next_request()
        if request is None:
            arrival.fetch = None
            arrival.preparing = self._thread.submit(self._prepare, arrival.model, arrival.seen_by)
            return
        if request == arrival.asked and self._now < arrival.ask_at:
            return
        if request == arrival.asked and arrival.unanswered >= _MAX_UNANSWERED:
            _log.info("the hub does not send model %s any more; waits for its next offer", arrival.model.model_id)
            self._forget()
            return
        sent = ask(request)
        arrival.asked, arrival.ask_at = request, self._now + (ANSWER_S if sent else _AWAY_S)
        arrival.unanswered += sent

    # In the thread

    def _prepare(self, model: OfferedModel, cameras: Sequence[CameraId]) -> EmbeddingEngine:
        return load_and_try(self._shelf.put(model), load=self._load, cameras=cameras)

    def _prepare_site(self, cameras: Sequence[CameraId]) -> EmbeddingEngine:
        site = self._site
        present = read_model(Path(site.files[0]), description=site.description)
        if present.model_id != site.model_id:
            raise ChecksumError(f"{present.files[0]} is another file than at the start")
        return load_and_try(present, load=self._load, cameras=cameras)

    # Afterwards

    def _take_prepared(self, arrival: _Arrival, preparing: Future[EmbeddingEngine]) -> None:
        error = preparing.exception()
        if error is None:
            arrival.ready = preparing.result()
        elif isinstance(error, ChecksumError) and arrival.attempts < MAX_ATTEMPTS:
            _log.warning("%s; fetches it again", error)
            arrival.attempts += 1
            self._fetch(arrival)
        else:
            self._give_up(arrival.model, error)

    def _give_up(self, model: OfferedModel | ModelId, error: BaseException) -> None:
        unforeseen = None if isinstance(error, PasserbyError | OSError) else error
        model_id = model.model_id if isinstance(model, OfferedModel) else model
        _log.error("model %s is not used, all goes on as before: %s", model_id, error, exc_info=unforeseen)
        self._given_up = (model, self._now)
        self._forget()

    def _was_given_up(self, model: OfferedModel | ModelId) -> bool:
        if self._given_up is None or self._now - self._given_up[1] > _GIVEN_UP_S:
            return False
        former = self._given_up[0]
        if isinstance(former, OfferedModel) and isinstance(model, OfferedModel):
            return _same(former, model)
        return former == model

    def _forget(self) -> None:
        """Leave the model that is on its way; a network that is still being loaded is closed once it is there."""
        arrival, self._arrival = self._arrival, None
        if arrival is not None and arrival.preparing is not None:
            arrival.preparing.add_done_callback(_close_result)


def _same(one: OfferedModel, other: OfferedModel) -> bool:
    """Whether the bytes are the same, whosever people they are to describe."""
    return (one.model_id, one.files) == (other.model_id, other.files)


def _close_result(preparing: Future[EmbeddingEngine]) -> None:
    if not preparing.cancelled() and preparing.exception() is None:
        preparing.result().close()


def _in_words(embedders: Embedders) -> dict[ModelId, str]:
    """Whose people each model describes."""
    others = embedders.camera_models
    return {embedders.model_id: "all other cameras" if others else "all cameras"} | {
        model_id: ", ".join(camera for camera, its in others.items() if its == model_id) for model_id in others.values()
    }
