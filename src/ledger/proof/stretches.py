"""The chain checked by several processes at once, each for a stretch of the ledger, all looking at one snapshot.

A stretch begins from the stored chain of the event before it and must end on that from which the next one begins. So
the stretches together prove what one reader would, and the first fault of the first faulty one is the first of all.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess

from psycopg import sql

from ledger.database import Connection, Database
from ledger.proof.chain import ChainReport, head_of, link_before, verify_chain

SMALLEST = 250_000
"""Events that are worth a process of their own: fewer are read sooner than it starts."""
MOST_PROCESSES = 8
STEP = 20_000
"""Events after which progress is told, and a process notices that nobody waits for it any more."""

Progress = Callable[[int], None]


class StretchFailed(Exception):
    """A process that was checking a stretch has ended without saying what it found."""


@dataclass(frozen=True)
class Stretch:
    """A part of the ledger, and how another process gets to it: `upto` is None for the last one."""

    conninfo: str
    schema: str
    role: str | None
    snapshot: str
    start: int
    upto: int | None


def verify_in_stretches(
    database: Database,
    connection: Connection,
    from_position: int = 1,
    upto: int | None = None,
    *,
    processes: int | None = None,
    smallest: int = SMALLEST,
    progress: Progress = lambda _: None,
) -> ChainReport:
    """What `verify_chain` answers, sooner; the connection must be in a REPEATABLE READ transaction.

    `progress` is told how many events were checked so far. Raises StretchFailed.
    """
    head = head_of(connection)
    last = head if upto is None else min(upto, head)
    events = last - from_position + 1
    count = min(processes or os.cpu_count() or 1, MOST_PROCESSES, events // smallest)
    if count < 2:
        return _in_steps(connection, from_position, upto, progress)
    row = connection.execute("SELECT pg_export_snapshot()").fetchone()
    assert row is not None
    starts = [from_position + events * number // count for number in range(count)]
    ends = [*(start - 1 for start in starts[1:]), upto]
    stretches = [
        Stretch(database.conninfo, database.schema, database.role, row[0], start, end)
        for start, end in zip(starts, ends, strict=True)
    ]
    return _joined(connection, stretches, _reports(stretches, progress))


def _in_steps(connection: Connection, start: int, upto: int | None, progress: Progress) -> ChainReport:
    """The same, one piece after the other."""
    head = head_of(connection)
    last, checked = head if upto is None else min(upto, head), 0
    while True:
        is_final = start + STEP > last
        report = verify_chain(connection, start, upto if is_final else start + STEP - 1)
        checked += report.checked
        if is_final or not report.is_intact:
            return replace(report, checked=checked)
        progress(checked)
        start += STEP


def _joined(connection: Connection, stretches: list[Stretch], reports: list[ChainReport]) -> ChainReport:
    """One report from those of all stretches: the first fault, or that each ends where the next one begins."""
    checked = 0
    for number, report in enumerate(reports):
        checked += report.checked
        if not report.is_intact:
            return replace(report, checked=checked)
        following = stretches[number + 1].start if number + 1 < len(stretches) else None
        if following is not None and link_before(connection, following) != report.head.chain:
            return replace(report, checked=checked, first_bad=following - 1, fault="changed")
    return replace(reports[-1], checked=checked)


def _reports(stretches: list[Stretch], progress: Progress) -> list[ChainReport]:
    """Have each stretch checked in a process of its own, and wait for all."""
    context = get_context("spawn")
    running: list[tuple[SpawnProcess, Pipe]] = []
    try:
        for stretch in stretches:
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_check, args=(stretch, theirs), daemon=True)
            process.start()
            theirs.close()
            running.append((process, ours))
        return _heard([pipe for _, pipe in running], progress)
    finally:
        for process, pipe in running:
            process.terminate()
            process.join()
            pipe.close()


def _heard(pipes: list[Pipe], progress: Progress) -> list[ChainReport]:
    """Listen to all until each has said what it found."""
    reports: dict[Pipe, ChainReport] = {}
    checked = dict.fromkeys(pipes, 0)
    while len(reports) < len(pipes):
        for pipe in wait([each for each in pipes if each not in reports]):
            assert isinstance(pipe, Pipe)
            try:
                said = pipe.recv()
            except EOFError:
                raise StretchFailed("a process that was checking the chain ended unexpectedly") from None
            if isinstance(said, str):
                raise StretchFailed(said)
            if isinstance(said, ChainReport):
                reports[pipe] = said
            checked[pipe] = said.checked if isinstance(said, ChainReport) else said
        progress(sum(checked.values()))
    return [reports[pipe] for pipe in pipes]


def _check(stretch: Stretch, pipe: Pipe) -> None:
    """What such a process does; it ends when nobody listens any more."""
    try:
        with (
            Database(stretch.conninfo, stretch.schema, role=stretch.role, max_size=1) as database,
            database.connection() as connection,
        ):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(stretch.snapshot)))
            pipe.send(_in_steps(connection, stretch.start, stretch.upto, pipe.send))
    except BrokenPipeError:
        return
    except Exception as error:
        pipe.send(f"a stretch of the chain could not be checked ({type(error).__name__}: {error})")
