"""The importer: reads the rows of each record of a profile, and writes those that are new, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import TypeVar
from uuid import UUID

from aggregates.base import DomainError
from commands.base import Door, execute
from commands.turns import RecordBusy
from ledger.errors import ClaimTaken, CredentialEnded, VersionConflict
from ledger.outcome import Credential, Expecting
from policy import Actor
from sheets.importing.batch import Batch
from sheets.importing.differences import differences
from sheets.importing.lanes import Lanes
from sheets.importing.rehearsal import Rehearsal, Shelf
from sheets.importing.remembering import Remembering
from sheets.importing.report import Report, Tally
from sheets.importing.rows import ImportRow, StepRefused
from sheets.importing.source import Source
from sheets.importing.waiting import Waiting
from sheets.mapping.fields import Reference
from sheets.mapping.plan import Planned, Planner
from sheets.profile import Profile, RecordRule
from sheets.reading import Refusal

T = TypeVar("T")
ROW_CLAIM = "import-row"
CLAIMED_BY = {
    "invoice-no": "invoice_no",
    "legacy-code": "legacy_code",
    "opportunity-number": "number",
    "order-no": "order_no",
    "product-name": "name",
}
"""The fields whose values only one may hold."""

WRITERS = 8
MAX_CONTENDED = 50
"""Attempts, each of thirty conflicts or thirty seconds, after which a row is refused while others change its record."""
CHUNK = 500
"""Rows that are looked up in the ledger together."""

Progress = Callable[[int, int], None]
"""Called with the rows done and the rows there are."""

Told = Callable[[Refusal], None]
"""Called with every refused or changed row as soon as it is known."""


ReadAsker = Callable[[], tuple[Expecting, ...]]
"""Answers the member who asked for the import at its present version; raises what ends the import."""


def no_asker() -> tuple[Expecting, ...]:
    """The operator asked for it."""
    return ()


def no_progress(done: int, total: int) -> None:
    """Nobody is watching."""


def told_to_nobody(refusal: Refusal) -> None:
    """Nobody is listening; the report has it all."""


@dataclass(frozen=True)
class Importer:
    """Imports one source by one profile, through a door that leads to the ledger; a rehearsal writes nothing."""

    profile: Profile
    door: Door
    ledger: Shelf
    by: Actor | None = None
    is_rehearsal: bool = False
    progress: Progress = no_progress
    told: Told = told_to_nobody
    writers: int = WRITERS
    read_asker: ReadAsker = no_asker
    credential: Credential | None = None
    """The token that the import was asked for with: no row is written once it has ended."""

    def run(self, path: Path, encoding: str | None = None) -> Report:
        """Import everything that is not in yet, and report.

        A row is written whole or not at all, and never twice: run it again after it was broken off, and it goes on.
        Raises Unreadable when it cannot start, DatabaseAway when it cannot go on, CredentialEnded when it must not.
        """
        source = Source(self.profile, path, encoding)
        remembering = Remembering(self.ledger)
        ledger: Shelf = Rehearsal(remembering) if self.is_rehearsal else remembering
        writers = 1 if self.is_rehearsal else self.writers
        return _Run(replace(self, door=self.door.over(ledger), ledger=ledger, writers=writers), source).run()


class _Run:
    """One run of the importer over one source."""

    def __init__(self, importer: Importer, source: Source) -> None:
        self._importer = importer
        self._profile = importer.profile
        self._door = importer.door
        self._ledger = importer.ledger
        self._source = source
        self._batch = Batch(importer.ledger, importer.profile.name, source, importer.by, importer.credential)
        self._tally = Tally()
        self._lock = Lock()
        self._known: set[UUID] = set()
        self._waiting = Waiting()
        self._lines: dict[UUID, tuple[int, str]] = {}
        self._done = 0
        self._total = sum(source.count(rule.file) if rule.file else 1 for rule in importer.profile.records)

    def run(self) -> Report:
        """Every record in the order of the profile: what refers to others comes after them."""
        began = perf_counter()
        self._source.remark(self._tally.remarks)
        with Lanes(self._write, self._importer.writers) as lanes:
            for rule in self._profile.records:
                self._lines.clear()
                self._import(rule, lanes)
                lanes.wait()
            self._write_the_rest(lanes)
            lanes.wait()
        counts = tuple(self._tally.counts.values())
        position = self._batch.finish(counts)
        return Report(
            profile=self._profile.name,
            source=self._source.path.name,
            is_rehearsal=self._importer.is_rehearsal,
            batch=None if self._importer.is_rehearsal else self._batch.id,
            position=None if self._importer.is_rehearsal else position,
            counts=counts,
            refused_rows=self._tally.refused_rows,
            refusals=tuple(self._tally.refusals),
            changed=tuple(self._tally.changed),
            remarks=self._tally.remarks.all(),
            seconds=round(perf_counter() - began, 3),
        )

    def _import(self, rule: RecordRule, lanes: Lanes[Planned]) -> None:
        self._tally.count(rule.name)
        planned = self._in_order(rule, self._planned(rule))
        waits = self._waits(rule)
        for chunk in _chunks(planned, CHUNK):
            for row in self._new_ones(rule, chunk):
                if waits:
                    self._waiting.keep(row)
                else:
                    lanes.put(row.together or row.id, row)

    def _waits(self, rule: RecordRule) -> bool:
        """Whether its records wait for a row: when they only come along with other records of the same file."""
        records = self._profile.records
        later = records[records.index(rule) + 1 :]
        return rule.distinct and any(other.file == rule.file and not other.distinct for other in later)

    def _write_the_rest(self, lanes: Lanes[Planned]) -> None:
        """What still waits is written alone, unless every row that names it was refused."""
        for row in self._waiting.left():
            if self._waiting.is_named_outside(row, self._tally.refused_lines):
                lanes.put(row.id, row)
            else:
                self._waiting.done(row)
                self._refuse(row.record, [])

    def _in_order(self, rule: RecordRule, planned: Iterator[Planned]) -> Iterable[Planned]:
        """As the file has them, or sorted by the profile's columns, rows without a value first."""
        if not rule.order:
            return planned
        return sorted(planned, key=lambda row: [(value is not None, value) for value in row.order])

    def _planned(self, rule: RecordRule) -> Iterator[Planned]:
        """What may be imported of a record; everything else is told and counted."""
        planner = Planner(self._profile, rule, self._tally.remarks if self._is_first_use(rule) else None)
        if rule.file is None:
            yield from self._take(rule, planner.fixed())
            return
        for row in self._source.read(rule.file):
            made = [row] if isinstance(row, Refusal) else planner.plan(row)
            if made is None:
                self._step()
            else:
                yield from self._take(rule, made)

    def _is_first_use(self, rule: RecordRule) -> bool:
        """Whether no record before it is made from the same file: a row is remarked on once."""
        return next(other for other in self._profile.records if other.file == rule.file) is rule

    def _take(self, rule: RecordRule, made: Planned | list[Refusal]) -> Iterator[Planned]:
        if isinstance(made, list):
            self._tally.count(rule.name).rows += 1
            self._refuse(rule.name, made)
            return
        before = self._lines.get(made.id)
        if rule.distinct:
            self._waiting.name(made)
        if before is None:
            self._lines[made.id] = (made.line, made.digest)
            self._tally.count(rule.name).rows += 1
            yield made
        elif not rule.distinct:
            self._tally.count(rule.name).rows += 1
            self._refuse(rule.name, [made.refuse("duplicate-row", rule.key[0], made.key[0], first_line=before[0])])
        else:
            if before[1] != made.digest:
                self._tally.remarks.add(
                    "conflicting-row", made.file, rule.key[0], made.key[0], made.line, first_line=before[0]
                )
            self._step()

    def _new_ones(self, rule: RecordRule, chunk: list[Planned]) -> Iterator[Planned]:
        """Those that are not in the ledger yet, and whose references are."""
        held = self._held(row.row_key for row in chunk)
        self._learn(reference for row in chunk if row.row_key not in held for reference in row.references)
        for row in chunk:
            if row.row_key in held:
                self._was_imported(row, held[row.row_key])
                continue
            if missing := self._missing(row):
                self._refuse(rule.name, missing)
            else:
                yield row

    def _missing(self, row: Planned) -> list[Refusal]:
        """The refusals of a row whose references are neither in nor waiting to come along."""
        return [
            row.refuse("unknown-reference", one.column, "/".join(one.key), record=one.record)
            for one in row.references
            if one.id not in self._known and one.id not in self._waiting
        ]

    def _learn(self, references: Iterable[Reference]) -> None:
        """Which of the referred records an earlier import has brought in."""
        unknown = {
            one.id: self._profile.row_key(one.record, one.key) for one in references if one.id not in self._known
        }
        held = self._held(unknown.values())
        self._known.update(one for one, row_key in unknown.items() if row_key in held)

    def _held(self, row_keys: Iterable[str]) -> dict[str, str | None]:
        """The digests of those rows that the ledger has."""
        values = {f"{self._profile.name}/{row_key}": row_key for row_key in row_keys}
        found = self._ledger.holders(ROW_CLAIM, list(values)) if values else {}
        return {values[value]: detail for value, (_, detail) in found.items()}

    def _was_imported(self, row: Planned, digest: str | None) -> None:
        with self._lock:
            self._known.add(row.id)
            self._waiting.done(row)
        if digest == row.digest:
            with self._lock:
                self._tally.count(row.record).unchanged += 1
        else:
            changed = row.refuse(
                "changed-row",
                value="/".join(row.key),
                recorded=digest,
                found=row.digest,
                differences=differences(self._ledger, row),
            )
            with self._lock:
                self._tally.change(row.record, changed)
            self._importer.told(changed)
        self._step()

    def _write(self, row: Planned) -> None:
        """Write one row, with the records that wait for it; called in several threads."""
        with self._waiting.turn(row):
            contended = 0
            while not self._is_settled(row, is_last=contended >= MAX_CONTENDED):
                contended += 1

    def _is_settled(self, row: Planned, *, is_last: bool) -> bool:
        """Write it or refuse it; False when it must be tried again.

        So it is when one of the records that it needs turned out to be in, or was refused, when another import gave the
        row back meanwhile, and, but for the last time, when others kept changing its record or its turn did not come.
        """
        if row.id in self._known:
            return True
        if missing := self._missing(row):
            self._waiting.done(row)
            self._refuse(row.record, missing)
            return True
        needed = self._waiting.needed_by(row)
        try:
            execute(
                ImportRow(profile=self._profile.name, rows=(*needed, row), read_asker=self._importer.read_asker),
                to=row.steps[0].to,
                by=self._batch.actor(),
                door=self._door,
            )
        except StepRefused as refused:
            column = refused.step.columns.get(refused.refusal.pointer or "")
            return self._not_written([refused.row], refused.refusal, column) is row
        except CredentialEnded:
            raise
        except DomainError as refusal:
            if isinstance(refusal, (RecordBusy, VersionConflict)) and not is_last:
                return self._imported_elsewhere([*needed, row]) is row
            blamed = _blamed(refusal, (row, *needed))
            return self._not_written([*needed, blamed], refusal, blamed.column_of(_field_of(refusal))) is row
        for written in (*needed, row):
            with self._lock:
                self._known.add(written.id)
                self._waiting.done(written)
                self._tally.count(written.record).imported += 1
            self._step()
        return True

    def _imported_elsewhere(self, rows: list[Planned]) -> Planned | None:
        """The first of the rows that another import has written meanwhile, which is settled by this."""
        held = self._held(row.row_key for row in rows)
        found = next((row for row in rows if row.row_key in held), None)
        if found is not None:
            self._was_imported(found, held[found.row_key])
        return found

    def _not_written(self, rows: list[Planned], refusal: DomainError, column: str | None) -> Planned | None:
        """Another import may have written one of the rows meanwhile; else the last one cannot be written.

        Answers with the row that is settled by this; none when a row was taken, and is free again.
        """
        if (found := self._imported_elsewhere(rows)) is not None:
            return found
        if isinstance(refusal, ClaimTaken) and refusal.values["kind"] == ROW_CLAIM:
            return None
        settled = rows[-1]
        self._waiting.done(settled)
        self._refuse(
            settled.record,
            [Refusal(refusal.code, settled.file, settled.line, column, settled.shown(column), refusal.values)],
        )
        return settled

    def _refuse(self, record: str, refusals: list[Refusal]) -> None:
        with self._lock:
            fresh = self._tally.refuse(record, refusals)
        for refusal in fresh:
            self._importer.told(refusal)
        self._step()

    def _step(self) -> None:
        with self._lock:
            self._done += 1
            done = self._done
        self._importer.progress(done, self._total)


def _field_of(refusal: DomainError) -> str | None:
    """The field of a command that the ledger did not take."""
    return CLAIMED_BY.get(refusal.values["kind"]) if isinstance(refusal, ClaimTaken) else refusal.pointer


def _blamed(refusal: DomainError, rows: tuple[Planned, ...]) -> Planned:
    """The row that asks for a name which the ledger did not give; the first one when that cannot be seen."""
    field = _field_of(refusal)
    if not isinstance(refusal, ClaimTaken) or field is None:
        return rows[0]
    asked = (row for row in rows for step in row.steps if str(getattr(step.command, field, "")) == refusal.value)
    return next(asked, rows[0])


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
