"""Turns: a FIFO semaphore for each key, on which threads and event loops wait in one queue."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock
from typing import Generic, TypeVar

from aggregates.base import DomainError

K = TypeVar("K", bound=Hashable)

RETRY_SECONDS = 2
"""When a caller that was turned away may try again."""
THREAD_WAIT_SECONDS = 30.0
"""How long a thread waits for a record's turn: a batch, an import, the command line."""


class RecordBusy(DomainError):
    """Too many commands wait for their turn at the record, or its turn did not come in time."""

    code = "record-busy"
    seconds: int


class Ticket(Generic[K]):
    """A place in the queue of a key; `granted` is done once the turn has come."""

    __slots__ = ("granted", "key")

    def __init__(self, key: K) -> None:
        self.key = key
        self.granted: Future[None] = Future()

    def grant(self) -> None:
        """Wake the waiting thread or event loop, unless it has given up."""
        if self.granted.set_running_or_notify_cancel():
            self.granted.set_result(None)


class _Queue(Generic[K]):
    """The tickets of one key: those whose turn it is, and those that wait, in the order in which they came."""

    __slots__ = ("inside", "waiting")

    def __init__(self) -> None:
        self.inside: set[Ticket[K]] = set()
        self.waiting: dict[Ticket[K], None] = {}


class Turns(Generic[K]):
    """Lets `at_once` holders of each key go on at a time, first come, first served; safe for threads.

    Every `join` is followed by one `leave`, whatever happens in between: that passes the turn on, or gives up the
    place in the queue. A key that nobody holds or waits for takes no memory.
    """

    def __init__(self, at_once: int = 1) -> None:
        self._at_once = at_once
        self._queues: dict[K, _Queue[K]] = {}
        self._lock = Lock()
        self._waiting = 0

    def __len__(self) -> int:
        """The number of keys that are held or waited for."""
        return len(self._queues)

    @property
    def waiting(self) -> int:
        """The number of tickets, of all keys, whose turn has not come yet."""
        return self._waiting

    @property
    def held(self) -> int:
        """The number of tickets, of all keys, whose turn it is."""
        with self._lock:
            return sum(len(queue.inside) for queue in self._queues.values())

    def join(self, key: K, max_waiting: int | None = None) -> Ticket[K] | None:
        """Take a place in the queue; None where `max_waiting` tickets wait already. 0 asks for a turn at once."""
        ticket = Ticket(key)
        with self._lock:
            queue = self._queues.get(key)
            if queue is None:
                queue = self._queues[key] = _Queue()
            if len(queue.inside) >= self._at_once:
                if max_waiting is not None and len(queue.waiting) >= max_waiting:
                    return None
                queue.waiting[ticket] = None
                self._waiting += 1
                return ticket
            queue.inside.add(ticket)
        ticket.grant()
        return ticket

    def leave(self, ticket: Ticket[K]) -> None:
        """Pass the turn on to the next in the queue, or give up waiting; a second time changes nothing."""
        following: list[Ticket[K]] = []
        with self._lock:
            queue = self._queues.get(ticket.key)
            if queue is None:
                return
            if ticket in queue.inside:
                queue.inside.remove(ticket)
            elif ticket in queue.waiting:
                del queue.waiting[ticket]
                self._waiting -= 1
            while queue.waiting and len(queue.inside) < self._at_once:
                first = next(iter(queue.waiting))
                del queue.waiting[first]
                self._waiting -= 1
                queue.inside.add(first)
                following.append(first)
            if not queue.inside:
                del self._queues[ticket.key]
        for each in following:
            each.grant()

    @contextmanager
    def turn(self, key: K, seconds: float = THREAD_WAIT_SECONDS) -> Iterator[None]:
        """Do the block when the turn has come, waiting in this thread; raises RecordBusy when it takes longer."""
        ticket = self.join(key)
        assert ticket is not None, "without a bound there is always a place"
        try:
            try:
                ticket.granted.result(seconds)
            except TimeoutError:
                raise RecordBusy(seconds=RETRY_SECONDS) from None
            yield
        finally:
            self.leave(ticket)
