"""The folder of a workspace's backups, and which of them are kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from crm.settings.backups import Retention
from ledger.stamps import STAMP, stamp, stamped

_NAME = re.compile(rf"(?P<schema>[a-z_][a-z0-9_]*)-(?P<moment>{STAMP})\.backup")
LONGEST_PAUSE = 3600.0
"""Seconds after which a half-written file that did not grow was given up."""


class Folder:
    """Where the backups of one workspace lie; it need not be there before the first one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> list[Path]:
        """Every backup in it, the newest first."""
        try:
            found = [each for each in self.path.iterdir() if each.is_file() and moment_of(each) is not None]
        except FileNotFoundError:
            return []
        return sorted(found, key=made_at, reverse=True)

    def name(self, schema: str, moment: datetime) -> Path:
        """Where the backup of a moment belongs."""
        return self.path / f"{schema}-{stamp(moment)}.backup"

    def thin(self, retention: Retention, now: datetime, is_ours: Callable[[Path], bool]) -> list[Path]:
        """Remove those of ours that need not be kept, and answer which. What was left half-written goes, too."""
        backups = {made_at(each): each for each in self.all() if is_ours(each)}
        kept = retention.kept(list(backups), now)
        removed = [path for moment, path in backups.items() if moment not in kept]
        for each in (*removed, *self._left_behind(now)):
            each.unlink(missing_ok=True)
        return removed

    def _left_behind(self, now: datetime) -> list[Path]:
        """Half a file that nobody can be writing any more."""
        found = self.path.glob(".*.backup.*.part")
        return [each for each in found if now.timestamp() - each.stat().st_mtime > LONGEST_PAUSE]


def moment_of(path: Path) -> datetime | None:
    """The moment in the name of a backup; None where it is no such name."""
    named = _NAME.fullmatch(path.name)
    return stamped(named["moment"]) if named else None


def made_at(path: Path) -> datetime:
    """The same of a file that has such a name."""
    moment = moment_of(path)
    assert moment is not None
    return moment
