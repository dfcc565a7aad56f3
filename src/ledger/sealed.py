"""Personal data as it is read: handles on what nobody has opened yet."""

from __future__ import annotations

from uuid import UUID

import msgspec


class Blob(msgspec.Struct, eq=False, gc=False):
    """The sealed part of one event; it is opened once, and only when somebody needs it."""

    subject: UUID
    aggregate_id: UUID
    version: int
    sealed: bytes
    fields: dict[str, str | None] | None = None


class Sealed(msgspec.Struct, eq=False, gc=False):
    """A personal field that nobody has looked into yet; `Keyring.open_many` gives what it holds."""

    blob: Blob
    field: str

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sealed):
            return NotImplemented
        return self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __repr__(self) -> str:
        return f"Sealed({self.field!r} of {self.blob.aggregate_id} v{self.blob.version})"

    @property
    def _identity(self) -> tuple[UUID, int, str, bytes]:
        return self.blob.aggregate_id, self.blob.version, self.field, self.blob.sealed
