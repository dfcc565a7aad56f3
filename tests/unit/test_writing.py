"""Writers that meet: who goes with whom, how many groups are on their way, and that nobody is left waiting."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Lock
from typing import cast
from uuid import UUID

import pytest

from ledger.append.command import Append, Verdict
from ledger.append.writing import MOST_LEADERS, Writer
from ledger.database import Database
from ledger.encoded.stored import StoredEvent
from ledger.errors import DatabaseAway


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


def command(number: int, version: int = 1) -> Append:
    """A command of the aggregate of that number."""
    own = UUID(int=number)
    return Append([StoredEvent(originator_id=own, originator_version=version, topic="t", state=b"")], own, version)


def until(condition: object) -> None:
    """Wait for what other threads are about to do."""
    for _ in range(2_000):
        if callable(condition) and condition():
            return
        time.sleep(0.005)
    raise AssertionError("it did not happen")


def test_two_groups_are_on_their_way_and_the_others_go_together_afterwards() -> None:
    box = Postbox()
    box.open.clear()
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(box.append, command(number)) for number in range(8)]
        until(lambda: len(box.groups) == MOST_LEADERS and len(box._queue) == 6)
        box.open.set()
        verdicts = [each.result(10) for each in asked]
    assert [each.id.int for each in verdicts] == list(range(8))
    assert max(len(group) for group in box.groups) >= 4
    assert len(box.groups) < 8


@pytest.mark.parametrize("seconds", [0.0, 0.0005, 0.004])
def test_everybody_is_answered_once_and_what_collides_is_never_sent_together(seconds: float) -> None:
    box, rounds = Postbox(seconds), 40

    def write(seed: int) -> int:
        chance = random.Random(seed)
        for _ in range(rounds):
            own = command(chance.randrange(6))
            assert box.append(own).id == own.id
            time.sleep(chance.choice((0, 0, 0.0002, 0.002)))
        return rounds

    with ThreadPoolExecutor(12) as threads:
        assert sum(threads.map(write, range(12))) == 12 * rounds
    sent = [each for group in box.groups for each in group]
    assert len(sent) == len(set(map(id, sent))) == 12 * rounds
    for group in box.groups:
        assert len({each.id for each in group}) == len(group)
    assert box.most_on_their_way <= MOST_LEADERS
    assert box._leaders == box._writers == 0
    assert not box._queue


def test_whoever_waited_behind_an_interrupted_leader_is_answered() -> None:
    box, rounds = Postbox(0.001), 25
    sending = box._send

    def send(group: Sequence[Append]) -> list[Verdict]:
        if random.random() < 0.2:
            raise KeyboardInterrupt
        return sending(group)

    box._send = send  # type: ignore[method-assign]

    def write(number: int) -> int:
        answered = 0
        for version in range(rounds):
            with suppress(KeyboardInterrupt, DatabaseAway):
                box.append(command(number, version))
            answered += 1
        return answered

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(write, range(8), timeout=30)) == [rounds] * 8
    assert box._leaders == box._writers == 0
