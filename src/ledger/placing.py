"""Files that are there whole or not at all, even when the machine stops in between."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def place(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write it aside, have it on the disk, and give it its name, in the place of one that is there.

    `mode` are the rights of the file; those that the process gives to new files where it is left out.
    """
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with aside.open("xb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    _flush(path.parent)


def _flush(folder: Path) -> None:
    """Have the new name on the disk, too, where the file system can do that for a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
