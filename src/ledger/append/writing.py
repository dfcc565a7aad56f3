"""Writing: the writers of a process are sent together in one round trip, and each gets its own verdict."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock, Semaphore
from time import monotonic

from ledger.append.command import Append, Verdict
from ledger.append.sending import send
from ledger.database import Database
from ledger.errors import DatabaseAway

FEWEST, MOST_COMMANDS = 4, 128
"""Commands that share a round trip where so many wait: fewer are not worth one, more keep the first waiting."""
MOST_EVENTS = 1_000
MOST_LEADERS = 2
"""Groups on their way at once: while the database writes one, the next is decided, packed and waits for its turn."""
COMING_AGAIN = 0.000_2
"""Seconds that a writer needs between two commands. When a group takes longer than it takes all writers to come again,
the disk is what everybody waits for: then one large group at a time is faster than two that overlap."""
GATHERING, LONGEST_GATHERING = 0.25, 0.005
"""A leader waits for its share of the writers that there were last time: as long as a group takes when another one is
on its way, else for this part of it, and never longer than so many seconds."""
SMOOTHING = 8
"""What a group took changes what is expected of the next by so manieth a part."""


class Writer:
    """Sends commands to the ledger: whoever comes first leads, and takes along all that came meanwhile."""

    def __init__(self, database: Database, master_id: str) -> None:
        self._database = database
        self._master_id = master_id
        self._lock = Lock()
        self._queue: list[Append] = []
        self._leaders = 0
        self._most_leaders = MOST_LEADERS
        self._writers = 0
        self._crowd = 1
        """Writers that were here when the last group came back; `_writers` are those that are here now."""
        self._gathering = False
        self._wanted = 0
        self._took = 0.0
        """Seconds from one group to the next, lately: of two that overlap, each counts half."""
        self._gathered = Semaphore(0)

    def append(self, command: Append) -> Verdict:
        """Write it, and say what became of it; raises DatabaseAway when nobody can say."""
        with self._lock:
            self._writers += 1
            leads = self._leaders < self._most_leaders and not self._gathering
            if leads:
                self._leaders += 1
            else:
                command.turn.acquire()
                self._queue.append(command)
                if len(self._queue) == self._wanted:
                    self._gathered.release()
        if not leads:
            self._wait(command)
        if not command.is_settled:
            self._lead(command)
        if command.error is not None:
            raise command.error
        assert command.verdict is not None
        return command.verdict

    def _wait(self, command: Append) -> None:
        """Until the command has its verdict, or is to lead; whoever is interrupted leaves the queue or its place."""
        try:
            command.turn.acquire()
        except BaseException:
            with self._lock:
                if command in self._queue:
                    self._queue.remove(command)
                    self._writers -= 1
                elif command.is_heir:
                    self._leaders -= 1
                    self._writers -= 1
                    self._call_heir()
            raise

    def _lead(self, own: Append) -> None:
        """Send it with all that came, hand each its verdict, and let the first of those who came meanwhile lead."""
        group = [own]
        try:
            self._gather()
            group = self._group_of(own)
            self._settle(group)
        except BaseException as error:
            for command in group:
                if not command.is_settled:
                    command.error = error if command is own else DatabaseAway("the writing was interrupted")
            if own.error is not error:
                raise
        finally:
            with self._lock:
                self._leaders -= 1
                self._crowd = self._writers
                self._writers -= len(group)
                self._call_heir()
            for command in group[1:]:
                command.turn.release()

    def _gather(self) -> None:
        """Wait a moment for the others, since one commit for many is cheaper."""
        with self._lock:
            missing = self._share() - 1 - len(self._queue)
            if missing <= 0 or self._crowd == 1 or self._gathering:
                return
            longest = self._took * (1 if self._leaders > 1 else GATHERING)
        try:
            with self._lock:
                self._gathering, self._wanted = True, len(self._queue) + missing
            self._gathered.acquire(timeout=min(longest, LONGEST_GATHERING))
        finally:
            with self._lock:
                self._gathering, self._wanted = False, 0
                while self._gathered.acquire(blocking=False):
                    pass

    def _group_of(self, own: Append) -> list[Append]:
        """A command and those of the queue that can be sent with it, in the order in which they came."""
        with self._lock:
            group, rest, events = [own], [], len(own.events)
            writes, reads = set(own.writes), set(own.reads)
            share = max(self._share(), FEWEST)
            for command in self._queue:
                events += len(command.events)
                is_apart = (
                    writes.isdisjoint(command.writes)
                    and writes.isdisjoint(command.reads)
                    and reads.isdisjoint(command.writes)
                )
                if len(group) < share and events <= MOST_EVENTS and is_apart:
                    group.append(command)
                else:
                    rest.append(command)
                writes |= command.writes
                reads |= command.reads
            self._queue = rest
            self._call_heir()
        return group

    def _share(self) -> int:
        """How many commands go together when all writers come, and the groups on their way are to be equally large."""
        return min(-(-max(self._crowd, self._writers) // self._most_leaders), MOST_COMMANDS)

    def _call_heir(self) -> None:
        """Let the first of the queue lead, where there is room; whoever gathers just now takes it along instead."""
        if self._gathering:
            self._gathered.release()
        elif self._queue and self._leaders < self._most_leaders:
            self._leaders += 1
            heir = self._queue.pop(0)
            heir.is_heir = True
            heir.turn.release()

    def _settle(self, group: Sequence[Append]) -> None:
        """Give each command its verdict, or the error that stands in its way and in nobody else's."""
        began, beside = monotonic(), max(self._leaders, 1)
        try:
            for command, verdict in zip(group, self._send(group), strict=True):
                command.verdict = verdict
        except DatabaseAway as away:
            for command in group:
                command.error = away
        except Exception as error:
            if len(group) == 1:
                group[0].error = error
            else:
                for command in group:
                    self._settle([command])
        else:
            self._took += ((monotonic() - began) / beside - self._took) / SMOOTHING
            is_slow = self._took > max(self._crowd, self._writers) * COMING_AGAIN
            self._most_leaders = 1 if is_slow else MOST_LEADERS

    def _send(self, group: Sequence[Append]) -> list[Verdict]:
        return send(self._database, group, self._master_id)
