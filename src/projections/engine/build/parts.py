"""A build is filled by several processes at once, each for a part of the customers."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from typing import Any

from ledger.follow.reading import read
from projections.engine.build.filling import Filling, Part, Report
from projections.engine.ground import Address, Ground, ground_at
from projections.engine.model.declaration import Projection
from projections.engine.tables.ahead import ahead

HEARTBEAT = 0.25
"""Seconds after which whoever waits for the parts looks up, at the latest."""


@dataclass(frozen=True)
class Stretch:
    """What is to be folded into which schema: the events after one position, up to another."""

    projection: type[Projection]
    schema_name: str
    after: int
    upto: int
    keyed: bool = False
    rows_in_memory: int | None = None


class PartFailed(Exception):
    """A process that was filling a part has ended without finishing it."""


def fill(ground: Ground, stretch: Stretch, processes: int, report: Report) -> None:
    """Fold the stretch with that many processes; with none of its own, here and now.

    `report` is called several times a second with the position reached; what it raises ends the work.
    """
    if processes == 0 or stretch.keyed:
        fill_part(ground, stretch, None, report)
        report(stretch.upto)
        return
    context = _context()
    parts: list[tuple[ForkServerProcess, Pipe]] = []
    try:
        for number in range(processes):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(
                target=_fill_in_process,
                args=(ground.address, stretch, (number, processes) if processes > 1 else None, theirs),
                daemon=True,
            )
            process.start()
            theirs.close()
            parts.append((process, ours))
        _follow([pipe for _, pipe in parts], stretch, report)
    finally:
        for process, pipe in parts:
            process.terminate()
            process.join()
            pipe.close()


def fill_part(ground: Ground, stretch: Stretch, part: Part | None, report: Report) -> None:
    """Fold one part of the stretch in this process."""
    with ground.connection() as reading, ground.connection() as writing:
        filling = Filling(
            stretch.projection,
            stretch.schema_name,
            writing,
            ground.keyring,
            part=part,
            keyed=stretch.keyed,
            rows_in_memory=stretch.rows_in_memory,
        )
        topics = stretch.projection.topics_read()
        filling.fill(ahead(read(reading, stretch.after, stretch.upto, topics=topics, part=part)), report)


def _context() -> ForkServerContext:
    """Processes are forked from one that has read this room's code and does nothing else: the first takes as long to
    start as any, those after it take none."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "projections"])
    return context


def _follow(pipes: list[Pipe], stretch: Stretch, report: Report) -> None:
    """Listen to the parts until all have finished; the position reached is where they are on average."""
    reached = dict.fromkeys(range(len(pipes)), stretch.after)
    running = dict(enumerate(pipes))
    while running:
        ready = wait(list(running.values()), timeout=HEARTBEAT)
        for number, pipe in list(running.items()):
            if pipe in ready:
                try:
                    message = pipe.recv()
                except EOFError:
                    raise PartFailed(f"a process filling {stretch.schema_name} ended unexpectedly") from None
                if isinstance(message, BaseException):
                    raise message
                reached[number] = message
                if message == stretch.upto:
                    del running[number]
        report(sum(reached.values()) // len(reached))


def _fill_in_process(address: Address, stretch: Stretch, part: Part | None, pipe: Pipe) -> None:
    """What such a process does: its rows are many and have no cycles, so it never collects garbage."""
    gc.disable()
    try:
        with ground_at(address) as ground:
            fill_part(ground, stretch, part, _short_of(stretch.upto, pipe.send))
        pipe.send(stretch.upto)
    except BaseException as error:
        pipe.send(_sendable(error))


def _short_of(upto: int, send: Callable[[Any], None]) -> Report:
    """Reports positions, the last one only when everything is written."""
    return lambda position: send(min(position, upto - 1))


def _sendable(error: BaseException) -> BaseException:
    """The error itself where it is one of ours, else what it says."""
    if type(error).__module__ == "projections.engine.failures":
        return error
    return PartFailed(f"{type(error).__name__}: {error}")
