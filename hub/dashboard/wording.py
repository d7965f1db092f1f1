"""Sentences about decisions, shortened for pages that show the reasons as numbers."""


def in_short(told: str) -> str:
    """A sentence about a decision without its reasons, which are told beside it.

    >>> in_short("hall tracklet 17 -> person 3 (similarity .81, was seen in lobby 12 s before)")
    'Hall tracklet 17 → person 3'
    """
    short = told.split(" (", maxsplit=1)[0].replace("->", "→")
    return short[:1].upper() + short[1:]
