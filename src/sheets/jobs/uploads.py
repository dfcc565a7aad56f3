"""The files of a job, kept encrypted in the database until it is over, so that any machine can do it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from ledger.database import Connection
from ledger.sealing import Keyring

PART = 1 << 20


def keep(connection: Connection, keyring: Keyring, job_id: UUID, files: Mapping[str, BinaryIO]) -> int:
    """Store the files under their names, a part at a time; how many bytes they have together."""
    size = 0
    for name, file in files.items():
        for number, part in enumerate(_parts(file)):
            size += len(part)
            connection.execute(
                "INSERT INTO import_uploads (job_id, file, part, content) VALUES (%s, %s, %s, %b)",
                [job_id, name, number, keyring.encrypt_cached(part, _bound_to(job_id, name, number))],
                prepare=True,
            )
    return size


def fetch(connection: Connection, keyring: Keyring, job_id: UUID, names: Iterable[str], folder: Path) -> None:
    """Write the files of a job into a folder."""
    for name in names:
        with (folder / name).open("wb") as file:
            number = 0
            while (sealed := _part(connection, job_id, name, number)) is not None:
                file.write(keyring.decrypt_cached(sealed, _bound_to(job_id, name, number)))
                number += 1


def drop(connection: Connection, job_id: UUID) -> None:
    """Remove the files of a job."""
    connection.execute("DELETE FROM import_uploads WHERE job_id = %s", [job_id])


def _parts(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while part := file.read(PART):
        yield part


def _part(connection: Connection, job_id: UUID, name: str, number: int) -> bytes | None:
    row = connection.execute(
        "SELECT content FROM import_uploads WHERE job_id = %s AND file = %s AND part = %s",
        [job_id, name, number],
        binary=True,
    ).fetchone()
    return bytes(row[0]) if row else None


def _bound_to(job_id: UUID, name: str, number: int) -> bytes:
    return job_id.bytes + number.to_bytes(4, "big") + name.encode()
