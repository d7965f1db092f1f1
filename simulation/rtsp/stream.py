"""One camera's stream: who plays it, what they must know, and what is wrong with it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Protocol

from passerby.errors import SourceEndedError
from simulation.rtsp.camera import Camera, Orders, TakenPicture
from simulation.rtsp.coding import Coding
from simulation.rtsp.description import Description
from simulation.rtsp.faults import Fault
from simulation.rtsp.pictures import FrameClock, PictureSource
from simulation.rtsp.sender import RtpSender

_NOISE_BYTES = 200


class Viewer(Protocol):
    """A client that plays the stream. Its methods never wait."""

    @property
    def coding(self) -> Coding | None:
        """What it was told of how pictures are coded."""

    def show(self, packets: Sequence[bytes], *, report: bytes, report_due: bool, keyframe: bool) -> bool:
        """Send a picture; False if it was left out because earlier ones still wait to be sent."""

    def disturb(self, noise: bytes) -> None:
        """Send bytes that belong to nothing."""

    def hang_up(self, *, farewell: bytes | None) -> None:
        """End the connection: after the farewell, or without a word."""


@dataclass(frozen=True, slots=True)
class StreamStats:
    """What a stream has done so far."""

    clients: int
    """Who play it now."""
    pictures: int
    """Taken, and sent to whoever played."""
    keyframes: int
    skipped: int
    """Not taken because rendering was behind its time."""
    dropped: int
    """Not sent to a client because it was too slow; counted for each client."""
    packets: int
    octets: int
    """Of RTP payload, once for all clients."""


class Stream:
    """Takes pictures while somebody plays, and one when what clients must know is not known yet.

    Everything here happens on the server's event loop; pictures come from the camera's own thread.
    """

    def __init__(self, name: str, source: PictureSource, *, clock: FrameClock) -> None:
        self.name = name
        self.fps = source.fps
        self.fault: Fault | None = None
        self.failed = False
        """The source raised an exception, and no more pictures come."""
        width, height = source.size
        self._healthy = Coding("h264", width, height, source.fps)
        self._clock = clock
        self._sender = RtpSender(name, fps=source.fps)
        self._viewers: dict[Viewer, None] = {}
        self._description: Description | None = None
        self._described = asyncio.Event()
        self._pictures = self._keyframes = self._dropped = 0
        self._camera = Camera(
            source,
            name=name,
            clock=clock,
            orders=Orders(self._healthy),
            deliver=lambda picture: self._call(lambda: self._send(picture)),
            ended=lambda: self._call(self._end),
        )

    def start(self) -> None:
        """Begin; called on the loop."""
        self._loop = asyncio.get_running_loop()
        self._camera.start()
        self._order()

    async def stop(self) -> None:
        """Say goodbye to the clients, and end the camera's thread."""
        self._hang_up(list(self._viewers))
        await asyncio.to_thread(self._camera.stop)

    @property
    def coding(self) -> Coding:
        """How pictures are coded now."""
        fault, healthy = self.fault, self._healthy
        if fault is not None and fault.kind == "codec":
            return replace(healthy, codec="hevc")
        if fault is not None and fault.kind == "size":
            width, height = (max(2, int(side * fault.scale) // 2 * 2) for side in (healthy.width, healthy.height))
            return replace(healthy, width=width, height=height)
        return healthy

    @property
    def stats(self) -> StreamStats:
        """What it has done so far."""
        return StreamStats(
            clients=len(self._viewers),
            pictures=self._pictures,
            keyframes=self._keyframes,
            skipped=self._camera.skipped,
            dropped=self._dropped,
            packets=self._sender.packets,
            octets=self._sender.octets,
        )

    async def description(self, *, timeout_s: float) -> Description:
        """What clients must know now; the first time, or after a change, a picture is taken for it.

        Raises TimeoutError when no picture came in time, SourceEndedError when none will.
        """
        async with asyncio.timeout(timeout_s):
            while (description := self._description) is None or description.coding != self.coding:
                if self.failed:
                    raise SourceEndedError(f"the source of {self.name} has failed")
                self._described.clear()
                await self._described.wait()
        return description

    def add(self, viewer: Viewer) -> None:
        """A client plays; a keyframe is made for it."""
        self._viewers[viewer] = None
        self._order(keyframe=True)

    def remove(self, viewer: Viewer) -> None:
        """A client pauses or has gone."""
        if viewer in self._viewers:
            del self._viewers[viewer]
            self._order()

    def set_fault(self, fault: Fault | None) -> None:
        """Begin a fault in place of the one that there is; None ends it."""
        before, self.fault = self.fault, fault
        self._sender.report_soon()
        if before is not None and before.kind == "noise":
            self._hang_up(list(self._viewers))
        if before is not None and before.kind == "codec":
            self._hang_up([one for one in self._viewers if one.coding is None or one.coding.codec != self.coding.codec])
        if fault is not None and fault.kind in ("drop", "wrong-password"):
            self._hang_up(list(self._viewers), silent=fault.kind == "drop")
        self._order(keyframe=before is not None and before.kind == "stall")

    def _order(self, *, keyframe: bool = False) -> None:
        fault = self.fault
        described = self._description is not None and self._description.coding == self.coding
        watched = bool(self._viewers) and not (fault is not None and fault.kind == "stall")
        part = fault.part if fault is not None and fault.kind == "slow" else 1.0
        self._camera.order(Orders(self.coding, running=watched or not described, part=part), keyframe=keyframe)

    def _call(self, function: Callable[[], None]) -> None:
        """Have a function called on the loop, from the camera's thread; after the loop's end nobody needs it."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)

    def _send(self, picture: TakenPicture) -> None:
        self._camera.received()
        description = Description(picture.coding, picture.parameter_sets)
        if description != self._description:
            self._description = description
            self._described.set()
            self._order()
        fault = self.fault
        if not self._viewers or (fault is not None and fault.kind == "stall"):
            return
        captured_at_ns = self._clock.captured_at_ns(picture.index, fps=self.fps)
        report = self._sender.report(index=picture.index, captured_at_ns=captured_at_ns, fault=fault)
        report_due = self._sender.is_report_due(captured_at_ns)
        packets = self._sender.picture(picture.coded, index=picture.index, fault=fault)
        for viewer in list(self._viewers):
            viewer.disturb(self._sender.noise(fault, size=_NOISE_BYTES))
            shown = viewer.show(packets, report=report, report_due=report_due, keyframe=picture.coded.keyframe)
            self._dropped += not shown
        self._pictures += 1
        self._keyframes += picture.coded.keyframe

    def _end(self) -> None:
        self.failed = True
        self._described.set()
        self._hang_up(list(self._viewers))

    def _hang_up(self, viewers: Iterable[Viewer], *, silent: bool = False) -> None:
        for viewer in viewers:
            viewer.hang_up(farewell=None if silent else self._sender.farewell())
            self.remove(viewer)
