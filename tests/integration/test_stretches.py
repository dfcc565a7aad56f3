"""The chain checked by several processes: the same answers as one reader gives, wherever the fault lies."""

from __future__ import annotations

import pytest

from integration.bookkeeping import superuser, tampering, team
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.proof import stretches
from ledger.proof.chain import ChainReport, verify_chain
from ledger.proof.stretches import StretchFailed, verify_in_stretches

EVENTS = 30


@pytest.fixture
def recorded(ledger: Ledger) -> Ledger:
    """Thirty events."""
    ledger.save(*(team(str(number)) for number in range(EVENTS)))
    return ledger


def both(database: Database, start: int = 1, upto: int | None = None, processes: int = 3) -> ChainReport:
    """What several processes find, which must be what one reader finds."""
    told: list[int] = []
    with database.connection() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        alone = verify_chain(connection, start, upto)
        together = verify_in_stretches(
            database, connection, start, upto, processes=processes, smallest=5, progress=told.append
        )
    assert (together.first_bad, together.fault, together.head) == (alone.first_bad, alone.fault, alone.head)
    assert together.checked == alone.checked
    assert told == sorted(told)
    return together


def test_an_untouched_ledger_is_intact_from_anywhere(recorded: Ledger, database: Database) -> None:
    assert both(database).checked == EVENTS
    assert both(database, start=8).checked == EVENTS - 7
    assert both(database, start=8, upto=27).head.position == 27
    assert both(database, upto=1_000).is_intact


@pytest.mark.parametrize("position", [1, 10, 11, 20, 21, 30])
def test_a_change_is_found_at_the_edges_of_stretches(
    position: int, recorded: Ledger, database: Database, server: str, workspace: str
) -> None:
    with tampering(server, workspace) as connection:
        connection.execute("UPDATE events SET chain = sha256(chain) WHERE position = %s", [position])
        connection.execute("UPDATE events SET topic = 'x' WHERE position = 25 AND %s < 25", [position])
    report = both(database)
    assert (report.first_bad, report.fault) == (position, "changed")


@pytest.mark.parametrize(("position", "fault"), [(10, "missing"), (11, "missing"), (1, "missing"), (20, "missing")])
def test_a_hole_is_found_at_the_edges_of_stretches(
    position: int, fault: str, recorded: Ledger, database: Database, server: str, workspace: str
) -> None:
    with tampering(server, workspace) as connection:
        connection.execute("DELETE FROM events WHERE position = %s", [position])
    report = both(database)
    assert (report.first_bad, report.fault) == (position, fault)


def test_a_tail_that_is_missing_before_a_position_asked_for_is_told(
    recorded: Ledger, database: Database, server: str, workspace: str
) -> None:
    with tampering(server, workspace) as connection:
        connection.execute("DELETE FROM events WHERE position BETWEEN 14 AND 18")
    with database.connection() as reading:
        assert (verify_chain(reading, 3, 16).first_bad, verify_chain(reading, 3, 16).fault) == (14, "missing")
        assert verify_chain(reading, 3, 13).is_intact


def test_time_that_goes_back_after_what_is_trusted_is_found(
    recorded: Ledger, database: Database, server: str, workspace: str
) -> None:
    with tampering(server, workspace) as connection:
        connection.execute("UPDATE events SET recorded_at = recorded_at + interval '1 day' WHERE position = 9")
    with database.connection() as reading:
        report = verify_chain(reading, 10)
    assert (report.first_bad, report.fault) == (10, "time-goes-back")


def test_steps_join_without_a_gap(recorded: Ledger, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches, "STEP", 7)
    for upto in (None, 6, 7, 8, 14, 30, 31):
        assert both(database, upto=upto, processes=1).head.position == min(upto or EVENTS, EVENTS)


def test_what_is_recorded_meanwhile_is_not_looked_at(recorded: Ledger, database: Database) -> None:
    with database.connection() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        verify_chain(connection)
        recorded.save(team("late"))
        report = verify_in_stretches(database, connection, processes=2, smallest=5)
    assert report.head.position == EVENTS


def test_a_process_that_cannot_read_is_told(
    recorded: Ledger, database: Database, server: str, workspace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with superuser(server, workspace), database.connection() as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        monkeypatch.setattr(database, "schema", "no_such_schema")
        with pytest.raises(StretchFailed, match="UndefinedTable"):
            verify_in_stretches(database, connection, processes=2, smallest=5)
