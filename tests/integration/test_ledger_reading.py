"""Reading in bulk and following: every event once, in order, and the new ones at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event as Signal
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest

from integration.bookkeeping import all_at_once, customer, product, somebody, superuser, tampering, team
from ledger.database import Database
from ledger.encoded.codec import to_event
from ledger.errors import Malformed, UnknownTopic
from ledger.follow.reading import read
from ledger.follow.tailing import Bell, follow
from ledger.ledger import Ledger


@pytest.fixture
def recorded(ledger: Ledger) -> Ledger:
    """Forty events: twelve customers with two each, fourteen teams, two products."""
    for number in range(12):
        mine = customer(f"C{number:03}")
        with somebody():
            mine.tag("vip")
        ledger.save(mine)
    for number in range(14):
        ledger.save(team(str(number)))
    ledger.save(product("Valve"), product("Pump"))
    assert ledger.head() == 40
    return ledger


def positions(database: Database, *args: Any, **rest: Any) -> list[list[int]]:
    with database.connection() as connection:
        return [[event.position for event in batch] for batch in read(connection, *args, **rest)]


def test_everything_is_read_in_batches(recorded: Ledger, database: Database) -> None:
    assert positions(database, 0) == [list(range(1, 41))]
    assert positions(database, 10, 20) == [list(range(11, 21))]
    assert positions(database, 0, None, batch=15) == [list(range(1, 16)), list(range(16, 31)), list(range(31, 41))]
    assert positions(database, 0, 40, batch=20) == [list(range(1, 21)), list(range(21, 41))]
    assert positions(database, 5, limit=7) == [list(range(6, 13))]
    assert positions(database, 40) == []


def test_topics_leave_out_all_others(recorded: Ledger, database: Database) -> None:
    assert positions(database, 0, topics={"product.added"}) == [[39, 40]]
    assert positions(database, 0, topics=()) == []
    (found,) = positions(database, 0, topics=["customer.tagged", "product.added"], limit=5)
    assert found == [2, 4, 6, 8, 10]


def test_parts_divide_the_customers_and_share_the_rest(recorded: Ledger, database: Database) -> None:
    parts = [{p for batch in positions(database, 0, part=(k, 3)) for p in batch} for k in range(3)]
    shared = set(range(25, 41))
    assert set.union(*parts) == set(range(1, 41))
    for k in range(3):
        assert shared <= parts[k]
        for other in range(k):
            assert parts[k] & parts[other] == shared


def test_fast_events_say_what_the_librarys_events_say(recorded: Ledger, database: Database) -> None:
    with database.connection() as connection:
        (events,) = read(connection, 0)
    notifications = recorded.recorder.select_notifications(1, 100)
    assert [each.id for each in notifications] == [each.position for each in events]
    for event, notification in zip(events, notifications, strict=True):
        assert to_event(event, recorded.keyring) == recorded.mapper.to_domain_event(notification)


def test_an_unknown_topic_is_named(recorded: Ledger, database: Database, server: str, workspace: str) -> None:
    with tampering(server, workspace) as connection:
        connection.execute("UPDATE events SET topic = 'customer.teleported' WHERE position = 3")
    with pytest.raises(UnknownTopic, match=r"customer\.teleported"):
        positions(database, 0)


def test_a_state_that_cannot_be_read_is_named(
    recorded: Ledger, database: Database, server: str, workspace: str
) -> None:
    with tampering(server, workspace) as connection:
        connection.execute("UPDATE events SET state = '{}' WHERE position = 3")
    with pytest.raises(Malformed, match="position 3"):
        positions(database, 0)


def test_a_follower_misses_nothing_among_many_writers(ledger: Ledger, database: Database) -> None:
    seen: list[int] = []
    stop = Signal()

    def tail() -> None:
        for batch in follow(database, 0, poll=0.2, stop=stop):
            seen.extend(event.position for event in batch)

    tailing = Thread(target=tail)
    tailing.start()

    def write(name: str) -> None:
        for number in range(25):
            ledger.save(team(f"{name}{number}"))

    try:
        all_at_once([partial(write, name) for name in "abcdefgh"])
        deadline = time.monotonic() + 10
        while len(seen) < 200 and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        stop.set()
        tailing.join(10)
    assert seen == list(range(1, 201))


def test_a_follower_hears_of_an_event_at_once(ledger: Ledger, database: Database) -> None:
    heard: list[float] = []
    stop = Signal()
    ready = Signal()

    def tail() -> None:
        for batch in follow(database, 0, poll=5, stop=stop):
            if batch and batch[-1].position == 1:
                ready.set()
            elif batch:
                heard.append(time.monotonic())
                return

    ledger.save(team())
    tailing = Thread(target=tail)
    tailing.start()
    assert ready.wait(5)
    time.sleep(0.2)
    written = time.monotonic()
    ledger.save(team())
    tailing.join(10)
    assert heard
    assert heard[0] - written < 1


def test_a_follower_goes_on_after_its_connections_were_cut(
    ledger: Ledger, database: Database, server: str, workspace: str
) -> None:
    ledger.save(team())
    batches = follow(database, 0, poll=0.3)
    assert [event.position for event in next(batches)] == [1]
    with superuser(server, workspace) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN%%'"
        )
    ledger.save(team())
    found: list[int] = []
    deadline = time.monotonic() + 10
    while not found and time.monotonic() < deadline:
        found = [event.position for event in next(batches)]
    assert found == [2]
    batches.close()


def test_a_follower_of_some_topics_hears_those_only(recorded: Ledger, database: Database) -> None:
    batches = follow(database, 0, topics={"product.added"}, poll=0.05)
    assert [event.position for event in next(batches)] == [39, 40]
    recorded.save(team())
    recorded.save(product("Third"))
    found: list[int] = []
    while not found:
        found = [event.position for event in next(batches)]
    assert found == [42]
    batches.close()


def test_the_bell_rings_with_the_position(ledger: Ledger, database: Database) -> None:
    with Bell(database) as bell:
        assert bell.wait(0.01) is None
        ledger.save(team())
        assert bell.wait(5) == 1


def test_who_waits_for_the_bell_can_be_told_not_to(ledger: Ledger, database: Database) -> None:
    with Bell(database) as bell, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(bell.wait, 3600)
        bell.wake()
        assert waiting.result(timeout=30) is None


def test_the_librarys_subscription_follows_too(ledger: Ledger) -> None:
    ledger.save(team())
    with ledger.recorder.subscribe(gt=0) as subscription:
        assert next(subscription).id == 1
        ledger.save(team(), product("Valve"))
        assert [next(subscription).topic, next(subscription).topic] == ["team.formed", "product.added"]
        subscription.stop()
        assert list(subscription) == []


def test_the_librarys_notification_log_reads_it(recorded: Ledger) -> None:
    found = recorded.notification_log.select(start=31, limit=10)
    assert [each.id for each in found] == list(range(31, 41))
    assert recorded.recorder.max_notification_id() == 40
    assert list(recorded.events.get(uuid4())) == []
