"""Where frames come from: RTSP and HTTP streams, video files, folders of pictures."""

from edge.sources.opening import FrameSource, StreamInfo, open_source

__all__ = ["FrameSource", "StreamInfo", "open_source"]
