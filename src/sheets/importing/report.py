"""What came of an import: how many rows, what was refused and why, and what else is worth knowing."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec

from sheets.mapping.remarks import Remark, Remarks
from sheets.reading import Refusal

MOST_KEPT = 10_000
"""Refusals that a report keeps; those above are counted (and shown as they come)."""


MOST_TOLD = 100_000
"""Refusals that are remembered, so that none is shown twice; above them a line is shown once."""


class Count(msgspec.Struct):
    """What became of the rows of one kind of record."""

    record: str
    rows: int = 0
    imported: int = 0
    unchanged: int = 0
    changed: int = 0
    refused: int = 0


class Report(msgspec.Struct, frozen=True):
    """The whole of it. `is_rehearsal` means that nothing was written."""

    profile: str
    source: str
    is_rehearsal: bool
    batch: UUID | None
    position: int | None
    counts: tuple[Count, ...]
    refused_rows: int
    refusals: tuple[Refusal, ...]
    changed: tuple[Refusal, ...]
    remarks: tuple[Remark, ...]
    seconds: float

    @property
    def is_complete(self) -> bool:
        """Every row is in."""
        return self.refused_rows == 0

    def total(self, name: str) -> int:
        """A count over all kinds of records."""
        return sum(getattr(count, name) for count in self.counts)


class Lines:
    """Lines of files, a bit each: a file may have millions, and all of them may be refused."""

    def __init__(self) -> None:
        self._bits: dict[str, bytearray] = {}
        self.count = 0

    def add(self, file: str, line: int) -> bool:
        """Put one in; whether it is new."""
        bits = self._bits.setdefault(file, bytearray())
        place, bit = line >> 3, 1 << (line & 7)
        if place >= len(bits):
            bits.extend(bytes(max(place + 1 - len(bits), len(bits), 64)))
        if bits[place] & bit:
            return False
        bits[place] |= bit
        self.count += 1
        return True

    def __contains__(self, place: object) -> bool:
        """Whether this line of this file, as a pair, is among them."""
        file, line = place if isinstance(place, tuple) else ("", None)
        bits = self._bits.get(file, b"")
        return ((line or 0) >> 3) < len(bits) and bool(bits[(line or 0) >> 3] & 1 << ((line or 0) & 7))


class Tally:
    """Counts while an import runs. A row that several records are made from is refused once."""

    def __init__(self) -> None:
        self.remarks = Remarks()
        self.counts: dict[str, Count] = {}
        self.refusals: list[Refusal] = []
        self.changed: list[Refusal] = []
        self._told: set[tuple[str, int | None, str | None, str]] = set()
        self.refused_lines = Lines()

    @property
    def refused_rows(self) -> int:
        """How many lines of the files were refused, in part or whole."""
        return self.refused_lines.count

    def count(self, record: str) -> Count:
        """The count of a kind of record."""
        return self.counts.setdefault(record, Count(record))

    def refuse(self, record: str, refusals: Iterable[Refusal]) -> list[Refusal]:
        """Count a refused row; the refusals among these that were not told before."""
        self.count(record).refused += 1
        fresh = []
        for refusal in refusals:
            is_new = self.refused_lines.add(refusal.file, refusal.line or 0)
            told = (refusal.file, refusal.line, refusal.column, refusal.code)
            if len(self._told) >= MOST_TOLD:
                fresh += [refusal] if is_new else []
            elif told not in self._told:
                self._told.add(told)
                fresh.append(refusal)
        self.refusals += fresh[: max(0, MOST_KEPT - len(self.refusals))]
        return fresh

    def change(self, record: str, refusal: Refusal) -> None:
        """Count a row that reads differently from when it was imported."""
        self.count(record).changed += 1
        if len(self.changed) < MOST_KEPT:
            self.changed.append(refusal)
