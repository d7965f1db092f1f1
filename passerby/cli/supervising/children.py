"""A process of ours that is started again when it dies, and stopped gently before it is killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from types import TracebackType

from passerby.cli.process import STOP_WITH_STDIN
from passerby.errors import ConfigError, PasserbyError
from passerby.redaction import redact

_FIRST_BACKOFF_S = 1.0
_LONGEST_BACKOFF_S = 30.0
_STEADY_AFTER_S = 60.0
"""A child that ran for so long has recovered: its next back-off is short again."""

LONGEST_LOG_BYTES = 16 << 20
"""Then a log becomes LOG.1, in place of the former one, and begins again."""


class Child:
    """`python -m passerby ARGUMENTS` with its output in `log`, in a session of its own so that only we signal it.

    Its standard input is a pipe from us: should we be killed, it sees the end of it and stops in order. Not
    thread-safe. Leaving the `with` block stops or kills what still runs.
    """

    def __init__(self, name: str, arguments: list[str], *, log: Path) -> None:
        self.name = name
        self.restarts = 0
        self._command = [sys.executable, "-m", "passerby", *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._backoff_s = _FIRST_BACKOFF_S
        self._retry_at: float | None = None
        self._died_of = ""

    @property
    def state(self) -> str:
        """For a person: `running`, `died (its last words); starts again in 4 s`, `ended`."""
        if self._retry_at is not None:
            return f"died ({self._died_of}); starts again in {max(0, round(self._retry_at - time.monotonic()))} s"
        return "running" if self.is_running() else "ended"

    def start(self) -> None:
        """Start it, its output appended to the log."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        self._bound_log()
        self._let_go()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env={**os.environ, STOP_WITH_STDIN: "1"},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._started_at = time.monotonic()
        self._retry_at = None

    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def has_ended(self) -> bool:
        """Whether it came to its own good end (exit code 0)."""
        return self._process is not None and self._process.poll() == 0

    def keep_alive(self) -> None:
        """Start it again if it died, with growing pauses; keep its log within its bound.

        Raises ConfigError with the child's own words when it says that its configuration is wrong: trying again
        would not help.
        """
        self._bound_log()
        if self._process is None or self.is_running() or self.has_ended():
            return
        if self._process.returncode == ConfigError.exit_code:
            raise _told(self.name, self._last_words())
        now = time.monotonic()
        if self._retry_at is None:
            if now - self._started_at > _STEADY_AFTER_S:
                self._backoff_s = _FIRST_BACKOFF_S
            self._died_of = self._last_words()
            self._retry_at = now + self._backoff_s
            self._backoff_s = min(2 * self._backoff_s, _LONGEST_BACKOFF_S)
        elif now >= self._retry_at:
            self.restarts += 1
            self.start()

    def peak_rss_mib(self) -> int:
        """The most memory that the running process has had, MiB; 0 where the system does not say."""
        if self._process is None or not self.is_running():
            return 0
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0
        sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(sizes[0]) // 1024 if sizes else 0

    def ask_to_stop(self) -> None:
        """The first signal: it finishes what it has and ends."""
        if self._process is not None and self.is_running():
            self._process.send_signal(signal.SIGINT)

    def stop(self, *, patience_s: float) -> bool:
        """Ask, wait for so long, then kill. Gives whether it ended by itself."""
        self._retry_at = None
        if self._process is None or not self.is_running():
            return True
        self.ask_to_stop()
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(patience_s)
            return False
        return True

    def kill(self) -> None:
        """At once, without a word."""
        if self._process is not None:
            self._process.kill()

    def __enter__(self) -> "Child":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(patience_s=_FIRST_BACKOFF_S)
        self._let_go()

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()

    def _bound_log(self) -> None:
        """The child appends wherever the end is, so that its log may be emptied under it."""
        if self._log.exists() and self._log.stat().st_size > LONGEST_LOG_BYTES:
            shutil.copyfile(self._log, self._log.with_name(f"{self._log.name}.1"))
            os.truncate(self._log, 0)

    def _last_words(self) -> str:
        with self._log.open(encoding="utf-8", errors="replace") as log:
            lines = deque((line.strip() for line in log if line.strip()), maxlen=1)
        return redact(lines[0]).removeprefix("error: ") if lines else f"it said nothing; see {self._log}"


def _told(name: str, words: str) -> PasserbyError:
    return ConfigError(f"the {name} cannot start: {words}")
