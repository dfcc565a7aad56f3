"""From which base backup one recovers, or why that moment cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from crm.database.archive.folder import Archive, Base, Reach
from crm.database.errors import ArchiveUnusable


@dataclass(frozen=True)
class Plan:
    """A base backup and the segments after it, up to a moment or to the end of the archive."""

    archive: Archive
    base: Base
    reach: Reach
    until: datetime | None


def plan(archive: Archive, until: datetime | None, now: datetime) -> Plan:
    """How to recover to a moment, or to the end of the archive; raises ArchiveUnusable where it does not hold that."""
    usable = archive.usable()
    if not usable:
        raise ArchiveUnusable(
            f"There is no base backup in {archive.path} to recover from: CRM_ARCHIVE_DIR must name the folder in which "
            "`crm archive base` put one."
        )
    if until is None:
        return _to_the_end(archive, usable[-1])
    if until > now:
        raise ArchiveUnusable(f"{in_words(until)} lies in the future: it is {in_words(now)} now.")
    earlier = [each for each in usable if each.moment <= until]
    if not earlier:
        raise ArchiveUnusable(
            f"{in_words(until)} is before the end of the oldest base backup: the earliest moment to recover is "
            f"{in_words(usable[0].moment)}."
        )
    return _to_a_moment(archive, earlier[-1], until)


def _to_the_end(archive: Archive, base: Base) -> Plan:
    reach = archive.reach(base)
    if reach.missing is not None:
        raise ArchiveUnusable(
            f"The segment {reach.missing.name} is missing in {archive.wal}, and later ones are there: put it back, or "
            f"recover to a moment up to {in_words(reach.until)}."
        )
    return Plan(archive, base, reach, None)


def _to_a_moment(archive: Archive, base: Base, until: datetime) -> Plan:
    reach = archive.reach(base)
    if until > reach.until:
        why = f", since the segment {reach.missing.name} is missing" if reach.missing else ""
        raise ArchiveUnusable(
            f"{in_words(until)} is later than what was archived{why}: the latest moment to recover is about "
            f"{in_words(reach.until)}{'' if reach.missing else ', and --until latest recovers all there is'}."
        )
    return Plan(archive, base, reach, until)


def in_words(moment: datetime) -> str:
    """A moment as a person may type it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
