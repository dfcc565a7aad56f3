"""What an archive no longer needs: whatever serves no moment of the last days."""

from __future__ import annotations

import re
import shutil
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from crm.database.archive.folder import Archive, Base
from crm.database.archive.segments import SIZE, parsed

_LEFT_OVER = re.compile(r"\..+\.(part|gone)")
_AT_WORK = 3600.0
"""Seconds in which a segment is surely written."""


@dataclass(frozen=True)
class Removed:
    """What was removed."""

    bases: int
    segments: int


def remove_older(archive: Archive, now: datetime, days: int) -> Removed:
    """Remove bases and segments that no moment of the last days needs; the newest base stays whatever its age.

    The newest base from before these days is needed for their first moment. Timelines begin where another one was, so
    a segment is as old as its number says.
    """
    bases = _needed(archive.bases, now - timedelta(days=days))
    older = [each for each in archive.bases if each not in bases]
    for each in older:
        gone = each.path.with_name(f".{each.path.name}.gone")
        each.path.rename(gone)
        shutil.rmtree(gone)
    first = min((each.begins // SIZE for each in bases), default=0)
    return Removed(len(older), _remove_segments_before(first, archive))


def tidy(archive: Archive) -> None:
    """Remove what was left half done by a process that ended in between."""
    for each in archive.base.iterdir():
        if _LEFT_OVER.fullmatch(each.name):
            shutil.rmtree(each)
    for each in archive.wal.glob(".*"):
        if _LEFT_OVER.fullmatch(each.name) and time.time() - each.stat().st_mtime > _AT_WORK:
            each.unlink(missing_ok=True)


def _needed(bases: list[Base], since: datetime) -> list[Base]:
    before = [each for each in bases if each.moment <= since]
    return bases[max(0, len(before) - 1) :]


def _remove_segments_before(number: int, archive: Archive) -> int:
    removed = 0
    for file in archive.wal.iterdir():
        segment = parsed(file.name[:24])
        if segment is not None and segment.number < number:
            file.unlink()
            removed += 1
    return removed
