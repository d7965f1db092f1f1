"""What every long-running command does with signals and its log."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from passerby.redaction import redact

STOP_WITH_STDIN = "PASSERBY_STOP_WITH_STDIN"
"""Set for the processes of `passerby up`: the end of standard input, which is a pipe from it, is a signal too."""


def stop_on_signals(*, before_force: Callable[[], None] = lambda: None) -> threading.Event:
    """An event that the first SIGINT or SIGTERM sets; the second calls `before_force` and ends the process at once.

    So does the end of a `passerby up` that started this process, however it ended.
    """
    stop = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            before_force()
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    if os.environ.get(STOP_WITH_STDIN):
        threading.Thread(target=_stop_at_end_of_stdin, args=(stop,), name="stdin", daemon=True).start()
    return stop


def _stop_at_end_of_stdin(stop: threading.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    stop.set()


def log_to_stderr() -> None:
    """Passerby's log as readable lines on stderr, passwords removed whatever wrote them."""
    handler = logging.StreamHandler(sys.stderr)
    when = "%H:%M:%S" if sys.stderr.isatty() else "%Y-%m-%d %H:%M:%S"  # a file is read on another day
    handler.setFormatter(_RedactingFormatter("%(asctime)s %(levelname)-7s %(message)s", when))
    logger = logging.getLogger("passerby")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


class _RedactingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))
