"""New keys of data subjects on their way into the database."""

from __future__ import annotations

from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class NewKeys:
    """Keys made for the events of one append: they travel with it, and nothing else is sealed with them before it is
    written. Refused, it leaves nothing behind."""

    def __init__(self) -> None:
        self._keys: dict[UUID, tuple[AESGCM, bytes]] = {}

    def get(self, subject: UUID) -> AESGCM | None:
        """The key that was made for a subject."""
        made = self._keys.get(subject)
        return None if made is None else made[0]

    def add(self, subject: UUID, key: AESGCM, wrapped: bytes) -> None:
        """Take a key along, plain and wrapped."""
        self._keys[subject] = key, wrapped

    def wrapped(self, subject: UUID) -> bytes | None:
        """The wrapped key of a subject; None where none was made."""
        made = self._keys.get(subject)
        return None if made is None else made[1]
