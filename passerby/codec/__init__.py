"""Messages as bytes and back: a msgpack header, then raw little-endian arrays and JPEGs. docs/wire.md is the text."""

from passerby.codec.bounds import MAX_MESSAGE_BYTES, MAX_PART_BYTES, MAX_PARTS
from passerby.codec.envelope import RELIABLE_KINDS, decode, encode
from passerby.codec.header import VERSION, HeaderView, read_header

__all__ = [
    "MAX_MESSAGE_BYTES",
    "MAX_PARTS",
    "MAX_PART_BYTES",
    "RELIABLE_KINDS",
    "VERSION",
    "HeaderView",
    "decode",
    "encode",
    "read_header",
]
