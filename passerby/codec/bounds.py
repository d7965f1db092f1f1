"""The bounds of one message. Both sides refuse what is over them, so they are part of the protocol."""

MAX_HEADER_BYTES = 1 << 20
"""Part 0. The largest honest header is a Status of a thousand cameras, or a model's manifest."""

MAX_PART_BYTES = 8 << 20
"""Any part; the sockets refuse a longer frame before it is read (ZMQ_MAXMSGSIZE)."""

MAX_PARTS = 96
"""Header, ten arrays, and a JPEG for each of 64 crops, with room for a newer minor version."""

MAX_MESSAGE_BYTES = 16 << 20
"""All parts together."""

MAX_OBSERVATIONS = 16_384
"""Rows of one update: two minutes at 120 frames a second."""

MAX_EXEMPLARS = 64
"""The most crops that a site file lets a tracklet keep."""

MAX_DIMENSION = 8_192
"""Numbers in an embedding."""

MAX_CAMERAS = 1_024
"""Cameras named in one Hello or Status."""

MAX_TEXT = 4_096
"""Characters of a free text."""

MAX_PIXELS = 1_000_000.0
"""A box's coordinate may leave the picture, as a tracker's prediction does, but not by more than this."""

MAX_INTEGER = (1 << 63) - 1
"""Every integer of the protocol is from 0 to this, so that a database column holds it."""
