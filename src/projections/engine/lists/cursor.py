"""Page cursors: where the next page begins, encrypted, and of use only for the question it was given out for."""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12


class ForeignCursor(ValueError):
    """The cursor was changed, or belongs to another question."""


@dataclass(frozen=True)
class Cursors:
    """Writes and reads cursors with one secret; every process of a service must be given the same."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def write(self, values: list[Any], question: bytes) -> str:
        """A cursor for the place after a row with these sort values."""
        nonce = secrets.token_bytes(NONCE)
        sealed = self._key.encrypt(nonce, msgspec.json.encode(values), question)
        return urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def read(self, cursor: str, question: bytes) -> list[Any]:
        """The sort values that were written for the same question; raises ForeignCursor."""
        try:
            sealed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except (BadBase64, ValueError) as exc:
            raise ForeignCursor from exc
        try:
            values: list[Any] = msgspec.json.decode(self._key.decrypt(sealed[:NONCE], sealed[NONCE:], question))
        except (InvalidTag, ValueError) as error:
            raise ForeignCursor from error
        return values

    @cached_property
    def _key(self) -> AESGCM:
        return AESGCM(hashlib.sha256(self.secret).digest())
