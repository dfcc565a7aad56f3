"""Page cursors: where the next page begins, sealed so that it only fits the question it was given out for."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from dataclasses import dataclass, field
from typing import Any

import msgspec

_TAG = 16


class ForeignCursor(ValueError):
    """The cursor was changed, or belongs to another question."""


@dataclass(frozen=True)
class Cursors:
    """Writes and reads cursors with one secret; every process of a service must be given the same."""

    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def write(self, values: list[Any], question: bytes) -> str:
        """A cursor for the place after a row with these sort values."""
        body = msgspec.json.encode(values)
        return urlsafe_b64encode(self._tag(body, question) + body).rstrip(b"=").decode()

    def read(self, cursor: str, question: bytes) -> list[Any]:
        """The sort values that were written for the same question; raises ForeignCursor."""
        try:
            sealed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        except (BadBase64, ValueError) as exc:
            raise ForeignCursor from exc
        body = sealed[_TAG:]
        if not hmac.compare_digest(sealed[:_TAG], self._tag(body, question)):
            raise ForeignCursor
        values: list[Any] = msgspec.json.decode(body)
        return values

    def _tag(self, body: bytes, question: bytes) -> bytes:
        sized = len(question).to_bytes(8, "big") + question
        return hmac.new(self.secret, sized + body, hashlib.sha256).digest()[:_TAG]
