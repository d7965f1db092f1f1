"""What operators say of how people get from camera to camera: it outweighs whatever was learned."""

import msgspec

from passerby.config import TransitSettings
from passerby.ids import CameraId


class Overrides(msgspec.Struct):
    """What is said of directed pairs of cameras: `written` in the site file, `told` to the site that runs.

    Of a pair of which something was told, what is written does not count; an empty word is "as it was learned".
    """

    written: list[TransitSettings] = msgspec.field(default_factory=list)
    told: list[TransitSettings] = msgspec.field(default_factory=list)

    @property
    def silent(self) -> bool:
        """Whether nothing is said of any pair."""
        return not self.told and not self.written

    def tell(self, word: TransitSettings) -> None:
        """Let a word hold, in place of what was told of the same pair.

        Whether two views overlap is one thing in both directions: a later word on it, or an empty one, takes the one
        for the other direction away.
        """
        pairs = {(word.before, word.after)}
        words = [word]
        back = self.word(word.after, word.before)
        if back is not None and back.overlap is not None and (word.overlap is not None or says_nothing(word)):
            # All else that is said of the other direction stays, also what is written.
            pairs.add((back.before, back.after))
            words.append(msgspec.structs.replace(back, overlap=None))
        self.told = [one for one in self.told if (one.before, one.after) not in pairs] + words

    def word(self, before: CameraId, after: CameraId) -> TransitSettings | None:
        """What holds for a directed pair; None where nothing was ever said."""
        return next((one for one in (*self.told, *self.written) if one.before == before and one.after == after), None)

    def overlap(self, first: CameraId, second: CameraId) -> bool | None:
        """Whether two views are said to overlap; None: nobody says."""
        if self.silent:
            return None  # asked for every rate
        words = (self.word(first, second), self.word(second, first))
        return next((one.overlap for one in words if one is not None and one.overlap is not None), None)

    def forbids(self, before: CameraId, after: CameraId, *, earliest_s: float, latest_s: float) -> bool:
        """Whether nobody last seen in `before` can appear in `after` after any gap in this range (<= 0: is seen)."""
        if self.silent:
            return False
        word, overlap = self.word(before, after), self.overlap(before, after)
        if word is None and overlap is None:
            return False
        if earliest_s <= 0.0 and overlap is not False and (overlap or word is None or not _speaks_of_ways(word)):
            return False
        if latest_s <= 0.0:
            return True
        if word is None or not _speaks_of_ways(word):
            return False
        return word.transit is None or latest_s < word.transit[0] or earliest_s > word.transit[1]


def says_nothing(word: TransitSettings) -> bool:
    """Whether a word leaves everything to what was learned."""
    return word.overlap is None and not _speaks_of_ways(word)


def _speaks_of_ways(word: TransitSettings) -> bool:
    return word.never or word.transit is not None
