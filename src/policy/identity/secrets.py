"""Texts that nobody can guess, and what is kept of them."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256


def new_secret(prefix: str = "") -> str:
    """A text of 256 random bits; who knows it is let in."""
    return prefix + secrets.token_urlsafe(32)


def digest_of(text: str) -> bytes:
    """What is kept of such a text: it tells whether another one is the same, and opens nothing."""
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


class Keyed:
    """Hashes of what could be guessed (addresses), under a key from the master key."""

    def __init__(self, master_key: bytes, purpose: bytes) -> None:
        self._key = hmac.digest(master_key, b"genjin " + purpose, "sha256")

    def __call__(self, *parts: str) -> bytes:
        """The hash of these parts together."""
        told = b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)
        return hmac.digest(self._key, told, "sha256")
