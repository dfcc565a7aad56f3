"""The folder of signed statements about one ledger, outside its database: one file each, and the public key.

The name of a file begins with the moment of signing, so that files in the order of their names are in that of time:
`20261122T073040.123456Z-checkpoint-1024.json`. A file is written aside, flushed to the disk and then given its name.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode, b64encode
from binascii import Error as BadBase64
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ledger.placing import place
from ledger.proof.statements import KEY_LENGTH, Kind, Signed, Statement
from ledger.stamps import STAMP, stamp, stamped

PUBLIC_KEY = "public.key"
ALL_FOR, HOURLY_FOR = timedelta(days=7), timedelta(days=90)
_NAME = re.compile(rf"{STAMP}-(checkpoint|restored)-[0-9]{{1,19}}\.json")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_READABLE = 0o644


class Folder:
    """Where the statements lie; it need not be there, nor in sight of every process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def is_there(self) -> bool:
        """It can be seen from here, and read."""
        return os.access(self.path, os.R_OK | os.X_OK) and self.path.is_dir()

    def make(self) -> None:
        """Have it there."""
        self.path.mkdir(parents=True, exist_ok=True)

    def names(self) -> list[str]:
        """The files of all statements, the oldest first."""
        try:
            return sorted(each.name for each in self.path.iterdir() if _NAME.fullmatch(each.name))
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            return []

    def at(self, position: int, kind: Kind = "checkpoint") -> str | None:
        """The newest file about a position."""
        ending = f"-{kind}-{position}.json"
        return next((name for name in reversed(self.names()) if name.endswith(ending)), None)

    def read(self, name: str) -> bytes | None:
        """What a file holds; none when it was removed meanwhile."""
        try:
            return (self.path / name).read_bytes()
        except FileNotFoundError:
            return None

    def keep(self, signed: Signed) -> str:
        """Write a statement, and answer the name of its file."""
        name = name_of(signed.statement)
        self._place(name, signed.to_bytes())
        return name

    def public_key(self) -> bytes | None:
        """The public key beside the statements; none when it is missing or is something else."""
        data = self.read(PUBLIC_KEY)
        try:
            key = b64decode(data or b"", validate=False)
        except BadBase64:
            return None
        return key if len(key) == KEY_LENGTH else None

    def publish(self, key: bytes) -> None:
        """Put the public key beside the statements."""
        self._place(PUBLIC_KEY, b64encode(key) + b"\n")

    def thin(self, now: datetime) -> int:
        """Remove checkpoints that newer ones make superfluous, and say how many.

        All are kept for a week, then the last of each hour for ninety days, then the last of each day for ever. Whoever
        vouches for a position vouches for everything before it, so nothing is lost but how early a change is noticed.
        Restorations stay, and so does the newest.
        """
        last: dict[str, str] = {}
        checkpoints = [name for name in self.names() if _kind(name) == "checkpoint"]
        for name in checkpoints:
            last[_period(name, now)] = name
        superfluous = set(checkpoints) - set(last.values())
        for name in superfluous:
            (self.path / name).unlink(missing_ok=True)
        for left_behind in self.path.glob(".*.part"):
            left_behind.unlink(missing_ok=True)
        return len(superfluous)

    def _place(self, name: str, data: bytes) -> None:
        place(self.path / name, data, _READABLE)


def name_of(statement: Statement) -> str:
    """The name of a statement's file."""
    return f"{stamp(statement.signed_at)}-{statement.kind}-{statement.position}.json"


def signed_at(name: str) -> datetime:
    """The moment that a name begins with; long ago for one that there never was."""
    return stamped(name.partition("-")[0]) or _LONG_AGO


def _kind(name: str) -> str:
    return name.split("-")[1]


def _period(name: str, now: datetime) -> str:
    """Of the checkpoints with the same answer only the last is kept."""
    age = now - signed_at(name)
    if age < ALL_FOR:
        return name
    return name[:11] if age < HOURLY_FOR else name[:8]
