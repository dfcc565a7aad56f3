"""Moments and positions: one moment always means the same position, whoever writes meanwhile."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from threading import Thread

import pytest

from aggregates.team import Team
from integration.bookkeeping import somebody, superuser, team
from ledger import questions
from ledger.errors import FutureMoment, NotFound
from ledger.ledger import Ledger


def now(ledger: Ledger) -> datetime:
    """The clock of the server."""
    row = ledger.database.read(lambda connection: connection.execute("SELECT clock_timestamp()").fetchone())
    assert row is not None
    moment: datetime = row[0]
    return moment


def test_before_the_first_event_there_was_nothing(ledger: Ledger) -> None:
    assert ledger.position_at(datetime(2020, 1, 1, tzinfo=UTC)) == 0
    ledger.save(team())
    assert ledger.position_at(datetime(2020, 1, 1, tzinfo=UTC)) == 0
    assert ledger.position_at(now(ledger)) == 1


def test_every_recorded_moment_leads_to_its_last_position(ledger: Ledger) -> None:
    for number in range(20):
        mine = team(str(number))
        with somebody():
            mine.rename(f"{number}!")
        ledger.save(mine)
    for position in range(1, 41):
        moment = ledger.recorded_at(position)
        last = position if position % 2 == 0 else position + 1
        assert ledger.position_at(moment) == last
        assert ledger.position_at(moment - timedelta(microseconds=1)) == last - 2
    with pytest.raises(NotFound):
        ledger.recorded_at(41)


def test_a_moment_to_come_has_no_position(ledger: Ledger) -> None:
    with pytest.raises(FutureMoment):
        ledger.position_at(now(ledger) + timedelta(minutes=1))


def test_nothing_is_recorded_at_a_moment_that_was_answered(ledger: Ledger, server: str, workspace: str) -> None:
    """Even when the clock of the server is set back: here the answered moment is moved ahead of it instead."""
    answered = now(ledger)
    assert ledger.position_at(answered) == 0
    ahead = answered + timedelta(hours=1, microseconds=7)
    with superuser(server, workspace) as connection:
        connection.execute("SELECT setval('answered_moment', (extract(epoch FROM %s) * 1000000)::bigint)", [ahead])
    position = ledger.save(team()).position
    assert ledger.recorded_at(position) == ahead + timedelta(microseconds=1)
    later = ledger.save(team()).position
    assert ledger.recorded_at(later) >= ledger.recorded_at(position)


def test_the_same_moment_gives_the_same_position_while_others_write(ledger: Ledger) -> None:
    stop = Signal()

    def write() -> None:
        mine = team()
        while not stop.is_set():
            with somebody():
                mine.rename(str(time.monotonic_ns()))
            ledger.save(mine)

    writers = [Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    try:
        answers = []
        for _ in range(60):
            moment = now(ledger)
            answers.append((moment, ledger.position_at(moment)))
    finally:
        stop.set()
        for writer in writers:
            writer.join(30)
    assert len({position for _, position in answers}) > 2
    assert [ledger.position_at(moment) for moment, _ in answers] == [position for _, position in answers]


def test_settling_waits_for_a_writer_in_flight(ledger: Ledger, server: str, workspace: str) -> None:
    ledger.save(team())
    settled: list[int] = []
    with superuser(server, workspace) as writer:
        writer.autocommit = False
        writer.execute("SELECT lock_ledger()")
        waiting = Thread(target=lambda: settled.append(questions.settle(ledger.database)))
        waiting.start()
        time.sleep(0.2)
        assert not settled
        writer.rollback()
        waiting.join(10)
    assert settled == [1]


def test_loading_as_of_a_moment(ledger: Ledger) -> None:
    north = team("North")
    ledger.save(north)
    moment = now(ledger)
    with somebody():
        north.rename("South")
    ledger.save(north)
    assert ledger.load(Team, north.id, position=ledger.position_at(moment)).name == "North"
