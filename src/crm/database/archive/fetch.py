"""Gives a recovering server what it asks for from the archive; the server runs it for each file.

Exit code 1 tells that server that the archive ends there, so it is kept for a file that is not there. Anything else
that goes wrong ends the recovery: otherwise the server would come up with less, as if that were all.
"""

from __future__ import annotations

import sys

NOT_THERE, WRONG = 1, 200
"""PostgreSQL gives up at codes above 125."""


def main() -> int:
    """Put a file of the archive where the server wants it, and say how that went."""
    try:
        return _fetch(*sys.argv[1:])
    except Exception as error:
        sys.stderr.write(f"crm: {error}\n")
        return WRONG


def _fetch(folder: str, name: str, to: str) -> int:
    from pathlib import Path

    from crm.zstd import ENDING, Damaged, decompressed

    kept = Path(folder) / f"{name}{ENDING}"
    try:
        content = kept.read_bytes()
    except FileNotFoundError:
        return NOT_THERE
    try:
        Path(to).write_bytes(decompressed(content))
    except Damaged as damaged:
        sys.stderr.write(f"crm: {kept} is damaged: {damaged}\n")
        return WRONG
    return 0


if __name__ == "__main__":
    sys.exit(main())
