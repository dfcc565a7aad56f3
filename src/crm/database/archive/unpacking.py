"""Makes a database's folder out of a base backup."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from crm.database.archive.folder import Base
from crm.database.errors import ArchiveUnusable
from crm.database.system_user import SystemUser

TARS = {"base.tar.gz": ".", "pg_wal.tar.gz": "pg_wal"}
_OLD_NEWS = ("log", "start.log")
"""What the former server had to say."""


def unpack(base: Base, data: Path, user: SystemUser, told: Callable[[int, int], None]) -> None:
    """Write what is in a base backup as files of the server's user; `told` how many bytes of how many are read."""
    sizes = [(base.path / name).stat().st_size for name in TARS]
    user.owns(data)
    for index, (name, below) in enumerate(TARS.items()):
        try:
            with (base.path / name).open("rb") as packed:
                for read in _unpacked(packed, data / below, user):
                    told(sum(sizes[:index]) + read, sum(sizes))
        except (EOFError, gzip.BadGzipFile, zlib.error, tarfile.TarError) as damaged:
            raise ArchiveUnusable(f"{base.path / name} is damaged: {damaged}.") from damaged


def _unpacked(packed: IO[bytes], folder: Path, user: SystemUser) -> Iterator[int]:
    """Unpacks file by file, and gives how many bytes are read by then."""
    with gzip.open(packed) as content, tarfile.open(fileobj=content, mode="r|") as tar:
        for member in tar:
            parts = PurePosixPath(member.name).parts
            if parts[:1] and parts[0] in _OLD_NEWS:
                continue
            if member.name.startswith("/") or ".." in parts or not (member.isdir() or member.isfile()):
                raise ArchiveUnusable(
                    f"{packed.name} holds something that is in no base backup of ours: {member.name}."
                )
            path = folder / member.name
            if member.isdir():
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
            else:
                _write(tar.extractfile(member), path)
            user.takes(path)
            yield packed.tell()


def _write(source: IO[bytes] | None, path: Path) -> None:
    assert source is not None
    path.touch(mode=0o600, exist_ok=False)
    with source, path.open("wb") as file:
        shutil.copyfileobj(source, file, 1024 * 1024)
