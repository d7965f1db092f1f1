"""Work that goes on in a thread of its own, from `with` to its end."""

import threading
from types import TracebackType
from typing import Self


class Worker:
    """`_run` is the work, which ends soon once `_stop` is set; at the end it is waited for `stop_s` at most."""

    def __init__(self, name: str, *, stop_s: float) -> None:
        self._stop = threading.Event()
        self._stop_s = stop_s
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether it still does its work."""
        return self._thread.is_alive()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ask_to_stop()
        self._thread.join(self._stop_s)

    def _ask_to_stop(self) -> None:
        """Whoever waits for more than `_stop` is woken here."""
        self._stop.set()

    def _run(self) -> None:
        raise NotImplementedError
