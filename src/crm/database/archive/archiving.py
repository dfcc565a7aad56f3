"""What an embedded server is told and given, so that it archives its write-ahead log."""

from __future__ import annotations

import os
import shlex
import sys
from contextlib import suppress
from pathlib import Path

from crm.database.archive import keep, zstd
from crm.database.system_user import SystemUser

LONGEST_UNARCHIVED = "60s"
"""How old a change may be that is in no archived segment yet."""


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
        """Let the server's user write there; where that is not possible the server goes on, and its failures show."""
        with suppress(OSError):
            user.owns(self._segments)
            user.passes(self._segments)
        let_run_python(user)
        _archive_histories(data, user)


def fetching(folder: Path) -> str:
    """The command by which a recovering server gets files of the archive."""
    return f'{_run("fetch", folder / "wal")} %f "%p"'


def let_run_python(user: SystemUser) -> None:
    """Let the server's user pass to Python and to what these commands import."""
    for each in (Path(sys.executable), Path(sys.prefix) / "lib", Path(os.__file__), Path(keep.__file__)):
        user.passes(each)
    if zstd.WHERE:
        user.passes(Path(zstd.WHERE))


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
