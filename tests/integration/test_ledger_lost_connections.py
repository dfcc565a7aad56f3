"""A connection lost around COMMIT: the command is done exactly once, and its caller is told so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Thread
from typing import Any

import psycopg
import pytest

from aggregates.customer import Customer
from aggregates.team import Team
from integration.bookkeeping import all_at_once, customer, somebody, superuser, team
from ledger.database import Connection, Database
from ledger.errors import DatabaseAway
from ledger.ledger import Ledger
from ledger.outcome import Expecting, Idempotency
from ledger.proof.chain import verify_chain


class Cutting:
    """A database whose connections break a few times: before an append is sent, or after it was committed."""

    def __init__(self, database: Database, *, times: int, after_commit: bool) -> None:
        self._database = database
        self.left = times
        self.after_commit = after_commit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    @contextmanager
    def connection(self, *, autocommit: bool = False) -> Iterator[Any]:
        with self._database.connection(autocommit=autocommit) as connection:
            yield _Cut(connection, self) if self.left else connection


class _Cut:
    def __init__(self, connection: Connection, cutting: Cutting) -> None:
        self._connection = connection
        self._cutting = cutting

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, *args: Any, **rest: Any) -> Any:
        self._cutting.left -= 1
        if self._cutting.after_commit:
            self._connection.execute(*args, **rest)
        self._connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")


@pytest.mark.parametrize("after_commit", [True, False])
@pytest.mark.parametrize("with_key", [True, False])
@pytest.mark.parametrize("times", [1, 3])
def test_a_lost_answer_is_asked_for_again(ledger: Ledger, after_commit: bool, with_key: bool, times: int) -> None:
    writer = ledger.recorder._writer  # type: ignore[attr-defined]
    writer._database = Cutting(ledger.database, times=times, after_commit=after_commit)
    acme = customer(phone="1")
    key = Idempotency("ann", "k", 0, b"register") if with_key else None
    outcome = ledger.save(acme, idempotency=key)
    assert (outcome.id, outcome.version, outcome.position) == (acme.id, 1, 1)
    with somebody():
        acme.tag("a")
        acme.tag("b")
    writer._database.left = times
    outcome = ledger.save(acme, expecting=Expecting(acme.id, 1))
    assert (outcome.version, outcome.position) == (3, 3)
    assert ledger.load(Customer, acme.id).tags == {"a", "b"}
    assert ledger.head() == 3


def test_after_a_bounded_number_of_times_the_database_is_away(ledger: Ledger) -> None:
    writer = ledger.recorder._writer  # type: ignore[attr-defined]
    writer._database = Cutting(ledger.database, times=100, after_commit=False)
    with pytest.raises(DatabaseAway):
        ledger.save(team())
    writer._database.left = 0
    ledger.save(team())
    assert ledger.head() == 1


def test_backends_killed_at_random_lose_and_double_nothing(
    ledger: Ledger, database: Database, server: str, workspace: str
) -> None:
    """Eight writers, while every connection of the application is terminated again and again."""
    from threading import Event as Signal

    stop = Signal()

    def kill() -> None:
        with superuser(server, workspace) as connection:
            while not stop.wait(0.15):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND pid <> pg_backend_pid() AND query LIKE '%%append(%%'"
                )

    def write(name: str) -> int:
        mine = team(name)
        ledger.save(mine)
        for number in range(20):
            with somebody():
                mine.rename(f"{name}{number}")
            assert ledger.save(mine).version == number + 2
        return mine.version

    killer = Thread(target=kill)
    killer.start()
    try:
        versions = all_at_once([partial(write, name) for name in "abcdefgh"])
    finally:
        stop.set()
        killer.join(10)
    assert versions == [21] * 8
    assert ledger.head() == 8 * 21
    with database.connection() as connection:
        report = verify_chain(connection)
    assert report.is_intact
    assert report.checked == 168


def test_reading_survives_connections_that_the_server_closed(ledger: Ledger, server: str, workspace: str) -> None:
    north = team("North")
    ledger.save(north)
    with superuser(server, workspace) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    assert ledger.load(Team, north.id).name == "North"


def test_a_database_that_is_not_there_is_away() -> None:
    nowhere = Database("host=/nonexistent dbname=none", "none", min_size=0, timeout=0.2)
    try:
        with pytest.raises(DatabaseAway), nowhere.connection():
            pass
        with pytest.raises(DatabaseAway):
            nowhere.connect()
    finally:
        nowhere.close()
