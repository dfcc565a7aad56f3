"""Puts a file in its place when it is whole, so that nobody finds half of one, and none is overwritten unasked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

READABLE = 0o666


class Taken(Exception):
    """There is a file of this name already."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path


@contextmanager
def placed(path: Path, *, overwriting: bool = False) -> Iterator[BinaryIO]:
    """A file to write to, which stands at the path once the block has ended well; raises Taken, OSError.

    It is written beside its place, so that the last step is one rename; when the block fails, nothing is left.
    """
    if not overwriting and path.exists():
        raise Taken(path)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.chmod(READABLE & ~_umask())
        _move(beside, path, overwriting=overwriting)
    finally:
        beside.unlink(missing_ok=True)


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
