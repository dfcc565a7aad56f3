"""The archive's folder: base backups under `base`, segments under `wal`, and how far these reach from each base."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from crm.database.archive.segments import SIZE, Line, Segment, line_of, parsed, place_of
from crm.database.errors import ArchiveUnusable
from crm.zstd import ENDING, Damaged, decompressed
from ledger.stamps import stamped

MANIFEST = "backup_manifest"


@dataclass(frozen=True)
class Base:
    """A base backup, named for the moment at which it was whole: the earliest to which it can be recovered."""

    path: Path
    moment: datetime
    timeline: int
    begins: int
    """The place in the log from which it needs segments."""
    ends: int
    bytes: int


class Kept(NamedTuple):
    """A segment in the archive."""

    bytes: int
    at: datetime


@dataclass(frozen=True)
class Reach:
    """How far segments reach from a base, without a gap."""

    until: datetime
    """When the last of them was archived: no change after that is in it."""
    last: Segment | None
    missing: Segment | None
    """The segment that is not there though later ones are."""


class Archive:
    """What is in an archive, read once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.base, self.wal = path / "base", path / "wal"

    @cached_property
    def bases(self) -> list[Base]:
        """Every base backup, the oldest first."""
        with _readable(self.path):
            names = sorted(each.name for each in self.base.iterdir()) if self.base.is_dir() else []
            return [_base(self.base / name, moment) for name in names if (moment := stamped(name))]

    @cached_property
    def segments(self) -> dict[Segment, Kept]:
        """Every whole segment."""
        found = {}
        with _readable(self.path):
            for file in self.wal.iterdir() if self.wal.is_dir() else ():
                if (segment := parsed(file.name.removesuffix(ENDING))) and file.name.endswith(ENDING):
                    stat = file.stat()
                    found[segment] = Kept(stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC))
        return found

    def line_from(self, timeline: int) -> Line:
        """The line to the newest timeline that came after one, as PostgreSQL finds it."""
        newest = timeline
        while self._history(newest + 1).exists():
            newest += 1
        history = self._history(newest)
        with _readable(self.path):
            try:
                return line_of(newest, decompressed(history.read_bytes()).decode() if history.exists() else "")
            except (Damaged, ValueError):
                raise ArchiveUnusable(f"{history} is damaged: nothing can be recovered past it.") from None

    def reach(self, base: Base) -> Reach:
        """How far one can recover from a base."""
        line, number = self.line_from(base.timeline), base.begins // SIZE
        while line.at(number) in self.segments:
            number += 1
        last = line.at(number - 1) if number > base.begins // SIZE else None
        later = any(each.number > number and line.at(each.number) == each for each in self.segments)
        until = base.moment if last is None else max(base.moment, self.segments[last].at)
        return Reach(until, last, line.at(number) if later else None)

    def usable(self) -> list[Base]:
        """The bases that are on the line to the newest timeline, the oldest first."""
        return [each for each in self.bases if self.line_from(each.timeline).holds(each.timeline, each.ends)]

    def _history(self, timeline: int) -> Path:
        return self.wal / f"{timeline:08X}.history{ENDING}"


def _base(path: Path, moment: datetime) -> Base:
    try:
        written = json.loads((path / MANIFEST).read_bytes())["WAL-Ranges"][-1]
        timeline, begins, ends = written["Timeline"], place_of(written["Start-LSN"]), place_of(written["End-LSN"])
    except (FileNotFoundError, ValueError, LookupError, TypeError):
        raise ArchiveUnusable(f"The base backup {path} is damaged ({MANIFEST}): move it elsewhere.") from None
    return Base(path, moment, timeline, begins, ends, sum(each.stat().st_size for each in path.iterdir()))


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as refused:
        raise ArchiveUnusable(f"The archive {path} cannot be read: {refused}.") from refused
