"""Simulated cameras as real RTSP streams with H.264 over RTP, and with faults on command.

with RtspServer({"lobby": source}, login=("viewer", "secret")) as server:
    print(redact(server.url("lobby")))
    server.fault("lobby", Fault("stall"), seconds=10)
"""

from simulation.rtsp.faults import FAULT_KINDS, Fault, FaultKind
from simulation.rtsp.pictures import FrameClock, PictureSource
from simulation.rtsp.server import RtspServer
from simulation.rtsp.stream import StreamStats

__all__ = ["FAULT_KINDS", "Fault", "FaultKind", "FrameClock", "PictureSource", "RtspServer", "StreamStats"]
