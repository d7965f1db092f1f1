"""The edge's book of what is under way: the credit window, and where in the spool to go on. Pure."""

from collections import OrderedDict

from passerby.ids import BootId
from passerby.transport.limits import WINDOW_BYTES
from passerby.transport.spool import SpooledMessage


class Flight:
    """Messages sent and not yet acknowledged: at most `window` of them, and about WINDOW_BYTES."""

    def __init__(self) -> None:
        self.window = 0
        self.resent = 0
        self.next_after = 0
        self._under_way: OrderedDict[int, SpooledMessage] = OrderedDict()
        self._bytes = 0
        self._furthest = 0

    def __len__(self) -> int:
        return len(self._under_way)

    def room(self) -> int:
        """How many more messages may be sent now."""
        if self._bytes >= WINDOW_BYTES:
            return 0
        return max(0, self.window - len(self._under_way))

    def sent(self, message: SpooledMessage) -> None:
        """Note that `message`, the next of the spool, is under way."""
        self._under_way[message.place] = message
        self._bytes += message.size
        self.next_after = message.place
        if message.place <= self._furthest:
            self.resent += 1
        self._furthest = max(self._furthest, message.place)

    def settled(self, boot_id: BootId, *, up_to_seq: int) -> None:
        """Note that the hub has settled the boot's messages up to and including `up_to_seq`."""
        done = [place for place, sent in self._under_way.items() if sent.boot_id == boot_id and sent.seq <= up_to_seq]
        for place in done:
            self._bytes -= self._under_way.pop(place).size

    def rewind(self) -> None:
        """Begin again with the oldest message of the spool."""
        self._under_way.clear()
        self._bytes = 0
        self.next_after = 0
