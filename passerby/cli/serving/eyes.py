"""The site's networks for whoever brings a picture by way of the web."""

import threading
from collections.abc import Sequence
from dataclasses import replace

from hub.enrolment.likeness import Likeness, load_likeness
from hub.services import SeenPerson
from passerby.arrays import Image
from passerby.cli.adapting.deployed import models_in_use
from passerby.cli.looking.options import Place
from passerby.cli.looking.pictures import people_in
from passerby.config.settings import ModelSettings
from passerby.ids import ModelId
from passerby.inference import load_detector, load_embedder
from passerby.models import find_model


class SiteEyes:
    """Loads them at once; looks at one picture at a time. Raises ModelError, EngineError."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._reid = find_model(place.models.reid, task="embed")
        self._detector = load_detector(
            find_model(place.models.detector, task="detect"), engine=place.engine, threads=place.threads
        )
        self._embedder = load_embedder(self._reid, engine=place.engine, threads=place.threads)
        self._looking = threading.Lock()

    @property
    def model_id(self) -> ModelId:
        return self._embedder.manifest.model_id

    def people(self, picture: Image, *, name: str, whole: bool = False) -> Sequence[SeenPerson]:
        with self._looking:
            found = people_in(picture, name=name, detector=self._detector, embedder=self._embedder, whole=whole)
        return [SeenPerson(person.typical_box, person.looks[0]) for person in found]

    def likeness(self) -> Likeness:
        normalized = self._place.association.normalize == "camera"
        return load_likeness(self._place.data, self._reid, normalized=normalized)

    def close(self) -> None:
        """Let go of the networks."""
        with self._looking:
            self._detector.close()
            self._embedder.close()


class LazyEyes:
    """The same, loaded when they are first asked for, and anew when another re-ID network was promoted."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._loading = threading.Lock()
        self._loaded: tuple[ModelSettings, SiteEyes] | None = None

    def __call__(self) -> SiteEyes:
        """The networks. Raises ModelError, EngineError, StoreError."""
        with self._loading:
            models = models_in_use(self._place.data, self._place.models)
            if self._loaded is None or self._loaded[0] != models:
                former, self._loaded = self._loaded, (models, SiteEyes(replace(self._place, models=models)))
                if former is not None:
                    former[1].close()
            return self._loaded[1]

    def close(self) -> None:
        """Let go of them, if they were loaded."""
        with self._loading:
            if self._loaded is not None:
                self._loaded[1].close()
                self._loaded = None
