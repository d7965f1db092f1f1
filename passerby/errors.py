"""Everything that Passerby raises on purpose.

PasserbyError
 +-- ConfigError            the site file or an option is wrong
 +-- DataError              an array, image or file has not the promised shape or content
 |    +-- NotEnoughDataError   too few people to learn from
 +-- ModelError             a model's manifest or file is wrong
 |    +-- UnknownModelError   no model of that name in any place searched
 |    +-- ChecksumError       a file's bytes are not the published ones
 +-- EngineError            an inference engine failed
 |    +-- EngineUnavailableError   its library or hardware is not here
 +-- SourceError            a camera's stream failed
 |    +-- SourceRefusedError       nobody listens, or no such path
 |    +-- SourceUnauthorizedError  wrong user or password
 |    +-- SourceTimeoutError       nothing came in time
 |    +-- SourceEndedError         the stream or file is over
 +-- WireError              a message cannot be sent or understood
 |    +-- MalformedMessageError    bytes that are not a message; carries the counted `reason`
 |    +-- MessageTooLargeError     over the bounds of docs/wire.md
 +-- TransportError         sockets, keys and the spool
 |    +-- SpoolFullError           the edge's disk queue is at its bound
 +-- StoreError             database, crop store or index
 +-- StoppedError           long work was asked to stop, and did

The command prints one line for any of them and exits with `exit_code`.
"""

from typing import ClassVar


class PasserbyError(Exception):
    """The root: what went wrong, the value, what was expected, and what to do, in one line."""

    exit_code: ClassVar[int] = 1


class ConfigError(PasserbyError):
    """The site file, a key file or an option is wrong."""

    exit_code = 2


class DataError(PasserbyError):
    """An array, image or data file has not the promised shape or content."""


class NotEnoughDataError(DataError):
    """Too few people were seen to learn from."""


class ModelError(PasserbyError):
    """A model's manifest or file is wrong."""


class UnknownModelError(ModelError):
    """No model of that name in any place searched."""


class ChecksumError(ModelError):
    """A file's bytes are not the published ones."""


class EngineError(PasserbyError):
    """An inference engine failed."""


class EngineUnavailableError(EngineError):
    """The engine's library or hardware is not on this machine."""


class SourceError(PasserbyError):
    """A camera's stream failed. The text never holds a password."""


class SourceRefusedError(SourceError):
    """Nobody listens at the address, or it has no such path."""


class SourceUnauthorizedError(SourceError):
    """The camera refuses the user or password."""


class SourceTimeoutError(SourceError):
    """Nothing came within the time-out."""


class SourceEndedError(SourceError):
    """The stream or file is over."""


class WireError(PasserbyError):
    """A message cannot be sent or understood."""


class MalformedMessageError(WireError):
    """Bytes that are not a message.

    `reason` is a short fixed word (a metric label), the text says more.
    """

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason


class MessageTooLargeError(WireError):
    """A message over the bounds of docs/wire.md; found by the sender before it is queued."""


class TransportError(PasserbyError):
    """A socket or the spool failed."""


class SpoolFullError(TransportError):
    """The edge's disk queue is at its bound: the hub has been away for too long."""


class StoreError(PasserbyError):
    """The database, the crop store or the index failed."""


class StoppedError(PasserbyError):
    """Long work was asked to stop, and did; what it had kept so far is whole."""
