"""What every long-running command does with signals and its log."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from passerby.redaction import redact


def stop_on_signals(*, before_force: Callable[[], None] = lambda: None) -> threading.Event:
    """An event that the first SIGINT or SIGTERM sets; the second calls `before_force` and ends the process at once."""
    stop = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            before_force()
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    return stop


def log_to_stderr() -> None:
    """Passerby's log as readable lines on stderr, passwords removed whatever wrote them."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_RedactingFormatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    logger = logging.getLogger("passerby")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class _RedactingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
