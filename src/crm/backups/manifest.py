"""What a backup says about itself, signed by whoever made it."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

import msgspec

from crm.backups.errors import BackupUnusable

FORMAT, VERSION = "genjin-backup", 1


class Piece(msgspec.Struct, frozen=True):
    """A file within the backup, as it lies there: compressed, and encrypted where the backup is."""

    name: str
    size: int
    sha256: str


class Table(msgspec.Struct, frozen=True):
    """The rows of a table: one binary copy, cut into pieces."""

    table: str
    columns: tuple[str, ...]
    pieces: tuple[Piece, ...]
    raw_size: int


class Manifest(msgspec.Struct, frozen=True):
    """The whole of it.

    `position`, `chain` and `recorded_at` are the head of the ledger, `topics` the kinds of its events
    with the version in which they are written, `postgresql` is
    the server's version number, `migrations` are those that the tables had, with their checksums, `keys` says how many
    sealing keys were not destroyed, and `signed_with` is the public key of the signature.
    """

    format: str
    version: int
    made_at: datetime
    genjin: str
    postgresql: int
    schema: str
    ledger_id: UUID
    position: int
    chain: str
    recorded_at: datetime | None
    topics: dict[str, int]
    migrations: dict[str, str]
    sequences: dict[str, int]
    keys: int
    is_encrypted: bool
    tables: tuple[Table, ...]
    signed_with: bytes

    def to_bytes(self) -> bytes:
        """The file, over which the signature goes."""
        return msgspec.json.format(msgspec.json.encode(self, order="sorted"), indent=1) + b"\n"

    @classmethod
    def parsed(cls, data: bytes) -> Self:
        """The manifest in a file. Raises BackupUnusable."""
        try:
            head = msgspec.json.decode(data, type=_Head)
            if head.format != FORMAT:
                raise BackupUnusable(f"This is no backup of Genjin: its format is {head.format!r}.")
            if head.version != VERSION:
                raise BackupUnusable(
                    f"This backup was made by Genjin {head.genjin} in version {head.version} of the format, and this "
                    f"release reads version {VERSION}: restore it with that release or a later one."
                )
            return msgspec.json.decode(data, type=cls)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BackupUnusable(f"The manifest of this backup cannot be read: {error}.") from error

    @property
    def size(self) -> int:
        """The size of all pieces."""
        return sum(piece.size for table in self.tables for piece in table.pieces)

    @property
    def raw_size(self) -> int:
        """The size of all rows, uncompressed."""
        return sum(table.raw_size for table in self.tables)


class _Head(msgspec.Struct, frozen=True):
    format: str
    version: int
    genjin: str = "another release"
