"""Eight writers on one aggregate and on many, round after round, while somebody follows what they write."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Event as Signal
from threading import Thread
from typing import Any

import pytest

from aggregates.customer import Customer
from integration.bookkeeping import all_at_once, customer, somebody, team
from keys import MASTER_KEY
from ledger.database import Database
from ledger.errors import VersionConflict
from ledger.follow.tailing import follow
from ledger.ledger import Ledger
from ledger.proof.chain import verify_chain
from ledger.proof.claims import verify_claims
from ledger.sealing import Keyring

WRITERS = 8
PROCESSES = 4
"""The writers share so many ledgers, as they would in so many processes: some are sent together, some compete."""
CHANGES = 3
FOLLOWING = 20.0


@pytest.fixture
def ledgers(database: Database) -> Iterator[list[Ledger]]:
    """The workspace's ledger, as several processes have it."""
    with ExitStack() as closing:
        opened = [Ledger(database, Keyring(database, MASTER_KEY)) for _ in range(PROCESSES)]
        for each in opened:
            closing.callback(each.close)
        yield opened


@contextmanager
def following(database: Database) -> Iterator[list[int]]:
    """The positions that somebody sees who follows the ledger from its beginning."""
    seen: list[int] = []
    stop = Signal()

    def tail() -> None:
        for batch in follow(database, 0, poll=0.2, stop=stop):
            seen.extend(event.position for event in batch)

    tailing = Thread(target=tail)
    tailing.start()
    try:
        yield seen
    finally:
        stop.set()
        tailing.join()


def write(ledger: Ledger, shared: Customer, name: str) -> list[int]:
    """Change the shared customer and something of one's own in turn; gives where each command ended."""
    positions = []
    mine = team(name)
    for number in range(CHANGES):
        positions.append(tag(ledger, shared, f"{name}{number}"))
        with somebody():
            mine.rename(f"{name}{number}")
        positions.append(ledger.save(mine).position)
    return positions


def tag(ledger: Ledger, shared: Customer, word: str) -> int:
    """Tag the customer as it is by now, however often somebody else is faster."""
    while True:
        found = ledger.load(Customer, shared.id)
        with somebody():
            found.tag(word)
        try:
            return ledger.save(found).position
        except VersionConflict:
            continue


@pytest.mark.parametrize("rounds", [5, pytest.param(400, marks=pytest.mark.torture)])
def test_nothing_is_lost_and_no_gap_is_missed(ledgers: list[Ledger], database: Database, rounds: int) -> None:
    names = [f"w{number}" for number in range(WRITERS)]
    with following(database) as seen:
        for turn in range(rounds):
            shared = customer(f"C{turn}")
            before = ledgers[0].save(shared).position
            works: list[Callable[[], Any]] = [
                partial(write, ledgers[at % PROCESSES], shared, name) for at, name in enumerate(names)
            ]
            answers = [position for positions in all_at_once(works) for position in positions]
            head = ledgers[0].head()

            found = ledgers[0].load(Customer, shared.id)
            assert found.tags == {f"{name}{number}" for name in names for number in range(CHANGES)}
            assert found.version == 1 + WRITERS * CHANGES
            assert len(set(answers)) == len(answers)
            assert head == before + WRITERS * (2 * CHANGES + 1) == max(answers)

            deadline = time.monotonic() + FOLLOWING
            while len(seen) < head and time.monotonic() < deadline:
                time.sleep(0.005)
            assert seen[before:] == list(range(before + 1, head + 1))
    check_soundness(database, ledgers[0])


def check_soundness(database: Database, ledger: Ledger) -> None:
    """Positions without gaps, times that never fall, an intact chain, and claims as the events have them."""
    with database.connection() as connection:
        rows = connection.execute("SELECT position, recorded_at FROM events ORDER BY position").fetchall()
        assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
        assert [row[1] for row in rows] == sorted(row[1] for row in rows)
        assert verify_chain(connection).is_intact
        assert verify_claims(connection, ledger.keyring).is_intact
