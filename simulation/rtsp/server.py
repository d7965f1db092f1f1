"""Simulated cameras behind one port."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import TypeVar
from urllib.parse import quote

from passerby.errors import ConfigError, SourceError
from simulation.rtsp.faults import Fault
from simulation.rtsp.login import Login
from simulation.rtsp.pictures import FrameClock, PictureSource
from simulation.rtsp.requests import MAX_HEAD_BYTES
from simulation.rtsp.session import Session
from simulation.rtsp.stream import Stream, StreamStats

_MAX_CONNECTIONS = 1024
_START_S = 10.0
_ANSWER_S = 10.0
_CLOSE_S = 2.0
_STOP_S = 30.0

_T = TypeVar("_T")


class RtspServer:
    """Serves each source as an H.264 RTSP stream at rtsp://HOST:PORT/NAME, RTP over TCP; a context manager.

    All sources start at the same instant, `start_at_ns` (Unix nanoseconds; now, if not given): several servers with the
    same one are one site. A source is asked for pictures only while a client plays it. All methods may be called
    from any thread. Raises SourceError on entering when it cannot listen there, ConfigError for a name that is no
    word of a URL.
    """

    def __init__(
        self,
        sources: Mapping[str, PictureSource],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        login: tuple[str, str] | None = None,
        start_at_ns: int | None = None,
    ) -> None:
        for name in sources:
            if not name or "/" in name or not name.isprintable():
                raise ConfigError(f"{name!r} cannot be the name of a stream; expected printable characters without /")
        self._host = host
        self._port = port
        self._login = None if login is None else Login(*login)
        self._clock = FrameClock(time.time_ns() if start_at_ns is None else start_at_ns)
        self._streams = {name: Stream(name, source, clock=self._clock) for name, source in sources.items()}
        self._fault_ends: dict[str, asyncio.TimerHandle] = {}
        self._sessions: set[asyncio.Task[None]] = set()
        self._listening: Future[int] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="rtsp server", daemon=True)

    def __repr__(self) -> str:
        return f"RtspServer({', '.join(self._streams)} at {self._host}:{self._port})"

    def __enter__(self) -> "RtspServer":
        self._thread.start()
        self._port = self._listening.result(_START_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Say goodbye to all clients, and end the threads. Twice does no harm."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_STOP_S)

    @property
    def port(self) -> int:
        """Where it listens; 0 before it does, if any free one was asked for."""
        return self._port

    @property
    def start_at_ns(self) -> int:
        """When picture 0 of every stream was taken, Unix nanoseconds."""
        return self._clock.start_at_ns

    def url(self, name: str) -> str:
        """The stream's address, with user and password if there are any: redact it before it is shown."""
        self._stream(name)
        login = self._login
        userinfo = f"{quote(login.user, safe='')}:{quote(login.password, safe='')}@" if login else ""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"rtsp://{userinfo}{host}:{self._port}/{quote(name, safe='')}"

    def captured_at_ns(self, name: str, index: int) -> int:
        """Unix nanoseconds at which picture `index` of a stream is taken."""
        return self._clock.captured_at_ns(index, fps=self._stream(name).fps)

    def index_at(self, name: str, captured_at_ns: int) -> int:
        """The number of the stream's picture whose capture time is nearest."""
        fps = self._stream(name).fps
        return self._clock.index_at(captured_at_ns + int(0.5e9 / fps), fps=fps)

    def stats(self) -> dict[str, StreamStats]:
        """What each stream has done so far."""
        return self._on_loop(lambda: {name: stream.stats for name, stream in self._streams.items()})

    def fault(self, name: str, fault: Fault, *, seconds: float | None = None) -> None:
        """Begin a fault, in place of the one that the stream has; it ends by itself after `seconds`, or by `heal`.

        Raises ConfigError for a stream that there is not, SourceError when the server does not run.
        """
        stream = self._stream(name)
        self._require_running()

        def begin() -> None:
            self._forget_end(name)
            stream.set_fault(fault)
            if seconds is not None:
                self._fault_ends[name] = self._loop.call_later(seconds, stream.set_fault, None)

        self._on_loop(begin)

    def heal(self, name: str) -> None:
        """End the stream's fault, if it has one. Raises as `fault` does."""
        stream = self._stream(name)
        self._require_running()

        def end() -> None:
            self._forget_end(name)
            if stream.fault is not None:
                stream.set_fault(None)

        self._on_loop(end)

    def faults(self) -> dict[str, Fault]:
        """The streams that have a fault now."""
        return self._on_loop(
            lambda: {name: stream.fault for name, stream in self._streams.items() if stream.fault is not None}
        )

    def _forget_end(self, name: str) -> None:
        if name in self._fault_ends:
            self._fault_ends.pop(name).cancel()

    def _stream(self, name: str) -> Stream:
        if name not in self._streams:
            raise ConfigError(f"there is no stream {name!r}; expected one of {', '.join(self._streams)}")
        return self._streams[name]

    def _require_running(self) -> None:
        if not self._thread.is_alive():
            raise SourceError(f"{self!r} does not run; use it within its `with` block")

    def _on_loop(self, function: Callable[[], _T]) -> _T:
        """What the function returns, called on the server's thread; on this one when the server does not run."""
        if not self._thread.is_alive():
            return function()

        async def call() -> _T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(_ANSWER_S)

    # --- on the server's thread

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        try:
            server = await asyncio.start_server(self._converse, self._host, self._port, limit=MAX_HEAD_BYTES)
        except OSError as error:
            problem = f"cannot listen at {self._host}:{self._port}: {error.strerror}; choose another port, or 0 for any"
            self._listening.set_exception(SourceError(problem))
            return
        for stream in self._streams.values():
            stream.start()
        self._listening.set_result(server.sockets[0].getsockname()[1])
        await self._stopping.wait()
        server.close()
        await asyncio.gather(*(stream.stop() for stream in self._streams.values()))
        if self._sessions:
            _, unfinished = await asyncio.wait(self._sessions, timeout=_CLOSE_S)
            for task in unfinished:
                task.cancel()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._sessions) >= _MAX_CONNECTIONS:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        if task is not None:
            self._sessions.add(task)
            task.add_done_callback(self._sessions.discard)
        await Session(reader, writer, streams=self._streams, login=self._login).converse()
