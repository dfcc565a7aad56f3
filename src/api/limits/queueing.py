"""Requests that wait in a queue without holding a thread: for a record's turn, or for one of a few threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request

from api.answers.problems import Problem
from api.limits.limiting import overloaded
from commands.turns import RETRY_SECONDS, RecordBusy, Ticket, Turns

T = TypeVar("T")

MAX_WAITING_COMMANDS = 100
"""Commands that wait for their turn at one record; more are turned away."""
COMMAND_WAIT_SECONDS = 10.0
"""How long a command waits for its turn before it is turned away."""


@asynccontextmanager
async def turn_at(
    request: Request,
    turns: Turns[UUID],
    record: UUID,
    ticket: Ticket[UUID] | None = None,
    *,
    max_waiting: int | None = None,
    seconds: float | None = None,
) -> AsyncIterator[None]:
    """Do the block in the record's turn, with a `ticket` where the caller took one already.

    The bound and the time are those of commands unless others are given. Raises RecordBusy where too many wait or it
    takes too long, Problem where the client goes away meanwhile.
    """
    ticket = ticket or turns.join(record, MAX_WAITING_COMMANDS if max_waiting is None else max_waiting)
    if ticket is None:
        raise RecordBusy(seconds=RETRY_SECONDS)
    try:
        if not await wait_for_turn(request, ticket, COMMAND_WAIT_SECONDS if seconds is None else seconds):
            raise RecordBusy(seconds=RETRY_SECONDS)
        yield
    finally:
        turns.leave(ticket)


class Bulkhead:
    """A few threads set apart for one kind of long work, so that it never takes those that answer everything else."""

    def __init__(self, threads: int, max_waiting: int, seconds: float) -> None:
        """`seconds` is how long a request waits for a thread, and `max_waiting` how many requests do at most."""
        self._turns: Turns[None] = Turns(threads)
        self._lanes: Turns[UUID] = Turns()
        self._max_waiting = max_waiting
        self._seconds = seconds

    @property
    def waiting(self) -> int:
        """The number of requests that wait for a thread, or for one before them in their lane."""
        return self._turns.waiting + self._lanes.waiting

    @property
    def running(self) -> int:
        """The number of threads at work."""
        return self._turns.held

    async def run(self, request: Request, work: Callable[..., T], *given: Any, **named: Any) -> T:
        """Do the work in one of the threads; raises Problem 503 where too many wait or it takes too long."""
        ticket = self._turns.join(None, self._max_waiting)
        if ticket is None:
            raise overloaded()
        try:
            if not await wait_for_turn(request, ticket, self._seconds):
                raise overloaded()
            return await to_thread.run_sync(partial(work, *given, **named), limiter=CapacityLimiter(1))
        finally:
            self._turns.leave(ticket)

    async def run_in_lane(self, request: Request, record: UUID, work: Callable[[], T]) -> T:
        """Do the work when no other work about the same record is done: it would only wait for it, in a thread.

        Raises RecordBusy where too much waits for the record or it takes too long, Problem as `run` does.
        """
        async with turn_at(request, self._lanes, record, max_waiting=self._max_waiting, seconds=self._seconds):
            return await self.run(request, work)


def bulkheads() -> dict[str, Bulkhead]:
    """Every kind of work that has threads of its own in a process, by what it is called in `/metrics`."""
    return {
        "batches": Bulkhead(threads=4, max_waiting=60, seconds=60),
        "waiting-reads": Bulkhead(threads=24, max_waiting=200, seconds=20),
        "moments": Bulkhead(threads=24, max_waiting=200, seconds=20),
        "uploads": Bulkhead(threads=4, max_waiting=40, seconds=60),
        "openid": Bulkhead(threads=4, max_waiting=40, seconds=20),
    }


def bulkhead(request: Request, work: str) -> Bulkhead:
    """The threads of this process that are set apart for a kind of work."""
    found: Bulkhead = request.app.state.bulkheads[work]
    return found


async def wait_for_turn(request: Request, ticket: Ticket[Any], seconds: float) -> bool:
    """Wait for the ticket's turn and say whether it came in time; raises Problem when the client goes away."""
    if ticket.granted.done():
        return True
    granted = asyncio.wrap_future(ticket.granted)
    gone = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((granted, gone), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if ticket.granted.done():
            return True
        if gone.done():
            raise Problem(400, "client-gone")
        return False
    finally:
        granted.cancel()
        gone.cancel()


async def _disconnected(request: Request) -> None:
    """Return once the client has closed its connection; the body was read before."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
