"""Writers that meet: who goes with whom, how many groups are on their way, and that nobody is left waiting."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread
from typing import cast
from uuid import UUID

import pytest

from ledger.append.command import Append, Verdict
from ledger.append.writing import MOST_LEADERS, Writer
from ledger.database import Database
from ledger.encoded.stored import StoredEvent
from ledger.errors import DatabaseAway
from ledger.outcome import Conditions, Expecting


class Postbox(Writer):
    """Writes nothing, and keeps what would have been sent."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(cast(Database, None), "")
        self.groups: list[list[Append]] = []
        self.on_their_way = self.most_on_their_way = 0
        self.open = Event()
        self.open.set()
        self._seconds = seconds
        self._counting = Lock()

    def _send(self, group: Sequence[Append]) -> list[Verdict]:
        with self._counting:
            self.groups.append(list(group))
            self.on_their_way += 1
            self.most_on_their_way = max(self.most_on_their_way, self.on_their_way)
        self.open.wait()
        time.sleep(self._seconds)
        with self._counting:
            self.on_their_way -= 1
        return [Verdict("written", each.id, each.version, 1, None, None) for each in group]


def command(number: int, version: int = 1, *, reads: Sequence[int] = ()) -> Append:
    """A command of the aggregate of that number, which was decided on others."""
    own = UUID(int=number)
    event = StoredEvent(originator_id=own, originator_version=version, topic="t", state=b"")
    read_set = tuple(Expecting(UUID(int=each), 1) for each in reads)
    return Append([event], own, version, conditions=Conditions(read_set))


def until(condition: Callable[[], bool]) -> None:
    """Wait for what other threads are about to do."""
    for _ in range(2_000):
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not happen")


class Writing:
    """Threads that write and note what becomes of it; one that waits for ever fails the test and not the run."""

    def __init__(self, box: Postbox) -> None:
        self.box = box
        self.verdicts: list[Verdict] = []
        self.errors: list[BaseException] = []
        self._threads: list[Thread] = []

    def start(self, *commands: Append) -> None:
        """Write these one after another in a thread of their own."""
        self._threads.append(Thread(target=self._write, args=commands, daemon=True))
        self._threads[-1].start()

    def _write(self, *commands: Append) -> None:
        for each in commands:
            try:
                self.verdicts.append(self.box.append(each))
            except BaseException as error:
                self.errors.append(error)

    def end(self) -> None:
        """Wait for all of them."""
        for thread in self._threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in self._threads), "somebody waits for ever"
        assert self.box._leaders == self.box._writers == 0
        assert not self.box._queue


def test_two_groups_are_on_their_way_and_the_others_go_together_afterwards() -> None:
    box = Postbox()
    box.open.clear()
    writing = Writing(box)
    try:
        for number in range(8):
            writing.start(command(number))
        until(lambda: len(box.groups) == MOST_LEADERS and len(box._queue) == 6)
    finally:
        box.open.set()
    writing.end()
    assert sorted(each.id.int for each in writing.verdicts) == list(range(8))
    assert max(len(group) for group in box.groups) >= 4
    assert len(box.groups) < 8


@pytest.mark.parametrize("seconds", [0.0, 0.0005, 0.004])
def test_everybody_is_answered_once_and_what_collides_is_never_sent_together(seconds: float) -> None:
    box, chance = Postbox(seconds), random.Random(7)
    writing = Writing(box)
    for _ in range(12):
        writing.start(*(command(chance.randrange(6)) for _ in range(40)))
    writing.end()
    assert not writing.errors
    sent = [each for group in box.groups for each in group]
    assert len(sent) == len(set(map(id, sent))) == len(writing.verdicts) == 12 * 40
    for group in box.groups:
        assert len({each.id for each in group}) == len(group)
    assert box.most_on_their_way <= MOST_LEADERS


@pytest.mark.parametrize(
    ("leading", "waiting", "together"),
    [
        pytest.param(((1, (9,)),), ((2, (9,)), (3, (9,))), {2, 3}, id="who only reads the same is taken along"),
        pytest.param(((1, (9,)),), ((9, ()), (3, (8,))), {3}, id="who changes what another one reads waits"),
        pytest.param(((9, ()),), ((2, (9,)), (3, ())), {3}, id="who reads what another one changes waits"),
        pytest.param(((1, ()),), ((2, (3,)), (3, ())), {2}, id="also among those who wait"),
        pytest.param(((1, ()),), ((1, (4,)), (4, ())), set(), id="nobody overtakes one that was there before"),
    ],
)
def test_reads_are_shared_and_writes_are_not(
    leading: tuple[tuple[int, tuple[int, ...]]], waiting: Sequence[tuple[int, tuple[int, ...]]], together: set[int]
) -> None:
    box = Postbox()
    box._queue = [command(number, reads=reads) for number, reads in waiting]
    for each in box._queue:
        each.turn.acquire()
    box._leaders = MOST_LEADERS
    own = command(leading[0][0], reads=leading[0][1])
    group = box._group_of(own)
    assert {each.id.int for each in group[1:]} == together


def test_an_interrupted_leader_tells_its_group_and_the_others_are_written() -> None:
    box = Postbox()
    box.open.clear()
    writing, sending = Writing(box), box._send

    def send(group: Sequence[Append]) -> list[Verdict]:
        if len(group) > 1 and not writing.errors:
            raise KeyboardInterrupt
        return sending(group)

    box._send = send  # type: ignore[method-assign]
    try:
        for number in range(12):
            writing.start(command(number))
        until(lambda: len(box._queue) == 10)
    finally:
        box.open.set()
    writing.end()
    interrupted = [error for error in writing.errors if isinstance(error, KeyboardInterrupt)]
    told = [error for error in writing.errors if isinstance(error, DatabaseAway)]
    assert len(interrupted) == 1
    assert len(told) >= 1
    assert len(writing.errors) + len(writing.verdicts) == 12
    assert len(interrupted) + len(told) == len(writing.errors)


def test_an_interruption_after_the_answer_is_not_lost() -> None:
    box = Postbox()
    settling = box._settle

    def settle(group: Sequence[Append]) -> None:
        settling(group)
        raise KeyboardInterrupt

    box._settle = settle  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        box.append(command(1))
    assert box._leaders == box._writers == 0


def test_a_command_that_cannot_be_sent_fails_alone() -> None:
    box = Postbox()
    box.open.clear()
    writing, sending = Writing(box), box._send

    def send(group: Sequence[Append]) -> list[Verdict]:
        if any(each.id.int == 5 for each in group):
            raise TypeError("five cannot be packed")
        return sending(group)

    box._send = send  # type: ignore[method-assign]
    try:
        for number in range(12):
            writing.start(command(number))
            until(lambda number=number: box._writers == number + 1 - len(writing.errors))  # type: ignore[misc]
    finally:
        box.open.set()
    writing.end()
    assert [type(error) for error in writing.errors] == [TypeError]
    assert len(writing.verdicts) == 11


class Snapping:
    """A turn that is waited for in vain: once something is true, the wait is interrupted."""

    def __init__(self, when: Callable[[], bool]) -> None:
        self._when = when
        self._waits = 0

    def acquire(self) -> None:
        self._waits += 1
        if self._waits > 1:
            until(self._when)
            raise KeyboardInterrupt

    def release(self) -> None:
        pass


def test_whoever_is_interrupted_while_waiting_leaves_its_place() -> None:
    box = Postbox()
    box.open.clear()
    writing, waiting = Writing(box), command(99)
    waiting.turn = cast(Lock, Snapping(lambda: len(box._queue) == 4))
    try:
        for number in range(MOST_LEADERS):
            writing.start(command(number))
        until(lambda: len(box.groups) == MOST_LEADERS)
        for each in (waiting, *map(command, range(10, 13))):
            writing.start(each)
        until(lambda: len(writing.errors) == 1)
        assert waiting not in box._queue
    finally:
        box.open.set()
    writing.end()
    assert len(writing.verdicts) == MOST_LEADERS + 3


def test_an_heir_that_is_interrupted_lets_the_next_one_lead() -> None:
    box = Postbox()
    box.open.clear()
    writing, heir = Writing(box), command(99)
    heir.turn = cast(Lock, Snapping(lambda: heir.is_heir))
    try:
        for number in range(MOST_LEADERS):
            writing.start(command(number))
        until(lambda: len(box.groups) == MOST_LEADERS)
        writing.start(heir)
        until(lambda: len(box._queue) == 1)
        for each in map(command, range(10, 13)):
            writing.start(each)
        until(lambda: len(box._queue) == 4)
    finally:
        box.open.set()
    writing.end()
    assert [type(error) for error in writing.errors] == [KeyboardInterrupt]
    assert len(writing.verdicts) == MOST_LEADERS + 3
