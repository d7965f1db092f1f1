"""Passwords, and the long random words of sessions and tokens: what is kept of them, and how they are compared."""

import base64
import hashlib
import hmac
import secrets
import threading

import argon2

from passerby.errors import DataError

SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
_WORD_BYTES = 32
_AT_ONCE = threading.BoundedSemaphore(2)
"""A hash takes 64 MiB: no more are made at once, however many try to log in."""

_hasher = argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)
_NOBODY = _hasher.hash(secrets.token_urlsafe())
"""Compared with where there is no such user, so that the time does not tell who there is."""


def hash_password(password: str) -> str:
    """What is kept of a password. Raises DataError for one that is too short to be hard to guess, or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise DataError(
            f"a password of {len(password)} characters: expected {SHORTEST_PASSWORD} to {LONGEST_PASSWORD}; "
            "a few words are easy to remember and hard to guess"
        )
    with _AT_ONCE:
        return _hasher.hash(_bytes(password))


def is_password(password: str, kept: str | None) -> bool:
    """Whether it is the one of which `kept` is kept; None: of nobody, which takes as long to deny."""
    if len(password) > LONGEST_PASSWORD:
        return False
    with _AT_ONCE:
        try:
            return _hasher.verify(kept or _NOBODY, _bytes(password)) and kept is not None
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False


def new_word(prefix: str = "") -> str:
    """A word of 256 random bits, in letters that a URL and a header take."""
    return prefix + secrets.token_urlsafe(_WORD_BYTES)


def hash_word(word: str) -> str:
    """What is kept of a random word: nothing that it could be found by.

    >>> hash_word("a")[:8]
    'ca978112'
    """
    return hashlib.sha256(_bytes(word)).hexdigest()


def csrf_of(cookie: str) -> str:
    """What a page of a session sends along: who does not have the cookie cannot know it."""
    mark = hmac.new(_bytes(cookie), b"passerby csrf", hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mark).decode().rstrip("=")


def same_word(one: str, other: str) -> bool:
    """Whether two words are the same, in a time that does not tell how much of them."""
    return hmac.compare_digest(_bytes(one), _bytes(other))


def _bytes(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")
