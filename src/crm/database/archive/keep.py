"""Takes a finished segment of the write-ahead log into the archive; the embedded server runs it for each of them.

It imports little, since it is started anew every time.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from crm.zstd import ENDING, Damaged, compressed, decompressed
from ledger.placing import place

OWNER = "system-identifier"
"""The file that says whose segments these are: two databases in one archive would spoil it for both."""
_IDENTIFIER = slice(24, 32)
"""Where a segment begins with the number of the database system it is of."""


class Refused(Exception):
    """The archive does not take this file; the message says why."""


def keep(file: Path, folder: Path) -> None:
    """Have it in the folder, compressed and on the disk; doing so once more changes nothing."""
    content = file.read_bytes()
    if re.fullmatch("[0-9A-F]{24}", file.name):
        _require_same_database(content[_IDENTIFIER], folder)
    kept = folder / f"{file.name}{ENDING}"
    if kept.exists() and _held_by(kept) != content:
        raise Refused(f"{kept} is there already and holds something else")
    place(kept, compressed(content), mode=0o600)


def _require_same_database(identifier: bytes, folder: Path) -> None:
    number, owner = str(int.from_bytes(identifier, sys.byteorder)), folder / OWNER
    if not owner.exists():
        place(owner, f"{number}\n".encode(), mode=0o600)
    elif owner.read_text(encoding="ascii").strip() != number:
        raise Refused(f"the archive {folder.parent} is that of another database")


def _held_by(kept: Path) -> bytes | None:
    try:
        return decompressed(kept.read_bytes())
    except Damaged:
        return None


if __name__ == "__main__":
    try:
        keep(Path(sys.argv[2]), Path(sys.argv[1]))
    except (OSError, Refused) as refused:
        sys.exit(f"crm: {refused}")
