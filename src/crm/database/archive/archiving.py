"""What an embedded server is told and given, so that it archives its write-ahead log."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from contextlib import suppress
from pathlib import Path

from crm import zstd
from crm.database.archive import keep
from crm.database.system_user import SystemUser

LONGEST_UNARCHIVED = "60s"
"""How old a change may be that is in no archived segment yet."""

_IN_PATH = Path(sys.executable).parent / "any"
"""Beside the program, which itself may be a link to elsewhere."""


class Archiving:
    """An archive in a folder, as the server that fills it sees it."""

    def __init__(self, folder: Path) -> None:
        self._segments = folder / "wal"

    @property
    def settings(self) -> dict[str, str]:
        """The settings of the server."""
        return {
            "archive_mode": "on",
            "archive_timeout": LONGEST_UNARCHIVED,
            "archive_command": f'{_run("keep", self._segments)} "%p"',
        }

    def make_ready(self, data: Path, user: SystemUser) -> None:
        """Let the server's user write there; where it cannot, the server goes on, and its failures show."""
        let_in(self._segments, user)
        _archive_histories(data, user)


def fetching(folder: Path) -> str:
    """The command by which a recovering server gets files of the archive."""
    return f'{_run("fetch", folder / "wal")} %f "%p"'


def let_in(segments: Path, user: SystemUser) -> None:
    """Give the server's user the segments, also those that were copied here, and let it run Python."""
    with suppress(OSError):
        user.owns(segments)
        for each in (segments, _IN_PATH, sys.executable, os.__file__, keep.__file__, zstd.WHERE):
            user.passes(Path(each))
        if user.is_lent:
            for file in segments.iterdir():
                if _is_a_copy(file, user):
                    user.takes(file)


def _is_a_copy(file: Path, user: SystemUser) -> bool:
    """Somebody else's file, and not another name that the server's user gave to one."""
    status = file.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_uid != user.uid


def _run(module: str, folder: Path) -> str:
    words = [sys.executable, "-P", "-m", f"crm.database.archive.{module}", str(folder)]
    return shlex.join(words).replace("%", "%%")


def _archive_histories(data: Path, user: SystemUser) -> None:
    """Mark for archiving how timelines came about while the server did not archive: it would never do so by itself."""
    for history in (data / "pg_wal").glob("*.history"):
        marks = data / "pg_wal" / "archive_status"
        if not (marks / f"{history.name}.done").exists():
            ready = marks / f"{history.name}.ready"
            ready.touch(mode=0o600)
            user.takes(ready)
