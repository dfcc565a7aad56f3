"""Files that are there whole or not at all, even when the machine stops in between."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

USUAL = 0o666


class Taken(Exception):
    """There is a file of this name already."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


def place(path: Path, data: bytes, mode: int | None = None) -> None:
    """Have a file with these contents, in the place of one that is there; `mode` is as for `placed`."""
    with placed(path, overwriting=True, mode=mode) as file:
        file.write(data)


@contextmanager
def placed(path: Path, *, overwriting: bool = False, mode: int | None = None) -> Iterator[BinaryIO]:
    """A file to write to, which stands at the path, and on the disk, once the block has ended well.

    It is written beside its place, so that the last step is one rename; when the block fails, nothing is left. `mode`
    are the rights of the file, those that the process gives to new files where it is left out. Raises Taken, OSError.
    """
    if not overwriting and path.exists():
        raise Taken(path)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fchmod(file.fileno(), USUAL & ~_umask() if mode is None else mode)
            os.fsync(file.fileno())
        _move(beside, path, overwriting=overwriting)
    finally:
        beside.unlink(missing_ok=True)
    _flush(path.parent)


def _move(beside: Path, path: Path, *, overwriting: bool) -> None:
    """Give it its name; a link fails where there is a file by now, which a rename would replace without a word."""
    if overwriting:
        beside.replace(path)
        return
    try:
        path.hardlink_to(beside)
    except FileExistsError:
        raise Taken(path) from None
    except OSError:  # a file system without links
        if path.exists():
            raise Taken(path) from None
        beside.replace(path)


def _umask() -> int:
    """What is kept from others; the system tells it only when it is set."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _flush(folder: Path) -> None:
    """Have the new name on the disk, too, where the file system can do that for a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
