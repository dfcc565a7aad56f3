"""Records that many rows share: kept back until the first of these rows is written, and written together with it."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock
from uuid import UUID

from sheets.mapping.plan import Planned

TURNS = 64


class Waiting:
    """The records that no written row has needed so far, with the lines that name them. Safe for many threads."""

    def __init__(self) -> None:
        self._kept: dict[UUID, Planned] = {}
        self._lines: dict[UUID, list[int]] = {}
        self._turns = [Lock() for _ in range(TURNS)]

    def __contains__(self, id: object) -> bool:
        return id in self._kept

    def name(self, row: Planned) -> None:
        """Note the line of another row that names the record."""
        self._lines.setdefault(row.id, []).append(row.line)

    def keep(self, row: Planned) -> None:
        """Keep the record back."""
        self._kept[row.id] = row

    def done(self, row: Planned) -> None:
        """It is written, or never will be."""
        self._kept.pop(row.id, None)
        self._lines.pop(row.id, None)

    @contextmanager
    def turn(self, row: Planned) -> Iterator[None]:
        """As long as the block lasts, nobody else writes a record that the row needs, or the row itself."""
        together = [row, *self.needed_by(row)]
        with ExitStack() as stack:
            for number in sorted({one.id.int % TURNS for one in together}):
                stack.enter_context(self._turns[number])
            yield

    def needed_by(self, row: Planned) -> list[Planned]:
        """The kept records that a row refers to, each after those that it refers to itself."""
        found: dict[UUID, Planned] = {}
        self._gather(row, found)
        return list(found.values())

    def left(self) -> list[Planned]:
        """What is still kept."""
        return list(self._kept.values())

    def is_named_outside(self, row: Planned, lines: Container[object]) -> bool:
        """Whether a line other than these names the record."""
        return any((row.file, line) not in lines for line in self._lines.get(row.id, ()))

    def _gather(self, row: Planned, found: dict[UUID, Planned]) -> None:
        for reference in row.references:
            kept = self._kept.get(reference.id)
            if kept is not None and kept.id not in found:
                self._gather(kept, found)
                found[kept.id] = kept
