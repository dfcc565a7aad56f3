"""The file of a backup: a tar of pieces, then the manifest, then its signature.

Each piece holds a part of one table's binary copy, compressed with zstd (RFC 8878) and, where the backup is encrypted,
encrypted with age after that. The digest of each is in the manifest, and the Ed25519 signature (RFC 8032) is over the
manifest's bytes. So the file can be taken apart with tar, zstd and age alone.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from crm.backups.contents import Part
from crm.backups.errors import BackupUnusable
from crm.backups.manifest import Manifest, Piece, Table
from crm.zstd import compressed, decompressed
from ledger.proof.statements import Signer, is_signed

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
PIECE = 16 * 1024 * 1024
"""Bytes of rows in a piece: what is in memory at a time."""
LARGEST_MANIFEST = 64 * 1024 * 1024
Changed = Callable[[bytes], bytes]
Rows = bytes | bytearray | memoryview


class Writer:
    """A backup that is being written."""

    def __init__(self, file: BinaryIO, made_at: float, encrypt: Changed | None = None) -> None:
        self._tar = tarfile.open(fileobj=file, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._made_at = made_at
        self._encrypt = encrypt
        self.is_encrypted = encrypt is not None

    def add(self, part: Part, copy: Iterable[Rows]) -> Table:
        """Write the rows of a table, and answer what the manifest is to say about them."""
        pieces: list[Piece] = []
        gathered = bytearray()
        size = 0
        for data in copy:
            gathered += data
            if len(gathered) >= PIECE:
                size += len(gathered)
                pieces.append(self._add_piece(part.table, len(pieces) + 1, gathered))
                gathered = bytearray()
        size += len(gathered)
        pieces.append(self._add_piece(part.table, len(pieces) + 1, gathered))
        return Table(part.table, part.columns, tuple(pieces), size)

    def finish(self, manifest: Manifest, signer: Signer) -> None:
        """Write the manifest and its signature; the file is whole after that."""
        data = manifest.to_bytes()
        self._add(MANIFEST, data)
        self._add(SIGNATURE, signer.signature(data))
        self._tar.close()

    def _add_piece(self, table: str, number: int, rows: bytearray) -> Piece:
        data = compressed(rows)
        name = f"{table}/{number:05}.copy.zst"
        if self._encrypt is not None:
            data, name = self._encrypt(data), f"{name}.age"
        self._add(name, data)
        return Piece(name, len(data), sha256(data).hexdigest())

    def _add(self, name: str, data: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = len(data), self._made_at, 0o600
        self._tar.addfile(member, io.BytesIO(data))


@dataclass(frozen=True)
class Backup:
    """A whole backup, opened for reading."""

    manifest: Manifest
    is_known: bool
    """Signed with one of the keys that count here."""
    _tar: tarfile.TarFile

    def rows(self, table: Table, decrypt: Changed | None) -> Iterator[bytes]:
        """The rows of a table as they were copied, piece by piece. Raises BackupUnusable at the first bad one."""
        for piece in table.pieces:
            data = self.stored(piece)
            if decrypt is not None:
                data = decrypt(data)
            yield decompressed(data)

    def stored(self, piece: Piece) -> bytes:
        """A piece as it lies in the file. Raises BackupUnusable where it is not as it was written."""
        data = _read(self._tar, piece.name, piece.size)
        if data is None or sha256(data).hexdigest() != piece.sha256:
            raise BackupUnusable(f"The backup is damaged: {piece.name} is not as it was written. Take another one.")
        return data


@contextmanager
def opened(path: Path, known_keys: Collection[bytes]) -> Iterator[Backup]:
    """A backup whose manifest is as it was signed. Raises BackupUnusable for anything else."""
    try:
        tar = tarfile.open(path, "r:")  # noqa: SIM115
    except (OSError, tarfile.TarError) as error:
        raise BackupUnusable(f"{path} is no backup, or is not whole: {error}") from error
    with tar:
        data, signature = _read(tar, MANIFEST, LARGEST_MANIFEST), _read(tar, SIGNATURE, LARGEST_MANIFEST)
        if data is None or signature is None:
            raise BackupUnusable(f"{path} is no backup, or is not whole: it has no manifest.")
        manifest = Manifest.parsed(data)
        if not is_signed(data, manifest.signed_with, signature):
            raise BackupUnusable(f"The manifest of {path} was changed after it was signed: take another backup.")
        yield Backup(manifest, manifest.signed_with in known_keys, tar)


def is_of_ledger(path: Path, ledger_id: UUID) -> bool:
    """It is a backup, and of this ledger."""
    try:
        with opened(path, ()) as backup:
            return backup.manifest.ledger_id == ledger_id
    except BackupUnusable:
        return False


def _read(tar: tarfile.TarFile, name: str, most: int) -> bytes | None:
    """An ordinary member of the tar that is no larger than it may be."""
    try:
        member = tar.getmember(name)
        file = tar.extractfile(member) if member.isreg() and member.size <= most else None
        return None if file is None else file.read()
    except (KeyError, OSError, tarfile.TarError):
        return None
