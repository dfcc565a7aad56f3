"""The chain: nothing is changed, removed, inserted or swapped without being found, and nothing by the application."""

from __future__ import annotations

from typing import LiteralString

import psycopg
import pytest
from psycopg import sql

from integration.bookkeeping import customer, product, somebody, superuser, tampering, team
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.proof.chain import Anchor, ChainReport, verify_chain


@pytest.fixture
def recorded(ledger: Ledger) -> Ledger:
    """Ten events of several aggregates."""
    acme = customer()
    with somebody():
        acme.tag("vip")
        acme.revise_profile(phone="1", industry="钢")
    ledger.save(acme)
    for number in range(5):
        ledger.save(team(str(number)))
    ledger.save(product("Valve"), product("Pump"))
    assert ledger.head() == 10
    return ledger


def checked(database: Database, start: int = 1, upto: int | None = None, noted: Anchor | None = None) -> ChainReport:
    with database.connection() as connection:
        return verify_chain(connection, start, upto, noted=noted)


def test_an_untouched_ledger_is_intact(recorded: Ledger, database: Database) -> None:
    report = checked(database)
    assert report.is_intact
    assert report.checked == 10
    assert report.head.position == 10
    assert checked(database, start=4).checked == 7
    assert checked(database, start=4, upto=6).head.position == 6
    assert checked(database, noted=report.head).is_intact


def test_an_empty_ledger_is_intact(database: Database) -> None:
    assert checked(database) == ChainReport(0, checked(database).head)


TAMPERING: dict[str, tuple[LiteralString, int, str]] = {
    "a byte of the state": (
        "UPDATE events SET state = set_byte(state, 5, get_byte(state, 5) # 1) WHERE position = 4",
        4,
        "changed",
    ),
    "the topic": ("UPDATE events SET topic = 'customer.untagged' WHERE position = 2", 2, "changed"),
    "the time": (
        "UPDATE events SET recorded_at = recorded_at + interval '1 microsecond' WHERE position = 7",
        7,
        "changed",
    ),
    "the customer": ("UPDATE events SET customer_id = gen_random_uuid() WHERE position = 3", 3, "changed"),
    "no customer any more": ("UPDATE events SET customer_id = NULL WHERE position = 1", 1, "changed"),
    "the aggregate": ("UPDATE events SET originator_id = gen_random_uuid() WHERE position = 5", 5, "changed"),
    "the version": ("UPDATE events SET originator_version = 9 WHERE position = 2", 2, "changed"),
    "the chain itself": ("UPDATE events SET chain = sha256(chain) WHERE position = 6", 6, "changed"),
    "one removed": ("DELETE FROM events WHERE position = 5", 5, "missing"),
    "the first removed": ("DELETE FROM events WHERE position = 1", 1, "missing"),
    "one removed and the rest moved up": (
        "WITH gone AS (DELETE FROM events WHERE position = 5)"
        " SELECT 1; UPDATE events SET position = position - 1000 WHERE position > 5;"
        " UPDATE events SET position = position + 999 WHERE position < 0",
        5,
        "changed",
    ),
    "one inserted": (
        "UPDATE events SET position = -position WHERE position > 4;"
        " UPDATE events SET position = 1 - position WHERE position < 0;"
        " INSERT INTO events SELECT 5, gen_random_uuid(), 1, topic, state, recorded_at, customer_id, chain"
        " FROM events WHERE position = 4",
        5,
        "changed",
    ),
    "two swapped": (
        "UPDATE events SET position = -position WHERE position IN (5, 6);"
        " UPDATE events SET position = 11 + position WHERE position < 0",
        5,
        "changed",
    ),
    "the newest removed": ("DELETE FROM events WHERE position > 8", 9, "cut-off"),
    "the ledger's id": ("UPDATE meta SET ledger_id = gen_random_uuid()", 1, "changed"),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_tampering_is_found_where_it_was_done(
    what: str, recorded: Ledger, database: Database, server: str, workspace: str
) -> None:
    statements, position, fault = TAMPERING[what]
    with tampering(server, workspace) as connection:
        for statement in statements.split(";"):
            connection.execute(sql.SQL(statement))
    report = checked(database)
    assert (report.first_bad, report.fault) == (position, fault)
    assert not report.is_intact


def test_a_rewritten_ledger_does_not_fit_a_noted_head(
    recorded: Ledger, database: Database, server: str, workspace: str
) -> None:
    """Whoever may do everything can compute the whole chain anew; a head noted elsewhere still gives it away."""
    noted = checked(database).head
    with tampering(server, workspace) as connection:
        connection.execute("DELETE FROM events WHERE position = 10")
    assert checked(database, noted=noted).fault == "cut-off"
    recorded.save(team("instead"))
    assert checked(database).is_intact
    assert (checked(database, noted=noted).first_bad, checked(database, noted=noted).fault) == (10, "changed")


def test_time_that_goes_back_is_found(recorded: Ledger, database: Database, server: str, workspace: str) -> None:
    with tampering(server, workspace) as connection:
        connection.execute(
            "UPDATE events SET recorded_at = recorded_at - interval '1 day', chain = sha256("
            " (SELECT chain FROM events WHERE position = 9)"
            " || '\\x00000008' || int8send(position) || '\\x00000010' || uuid_send(originator_id)"
            " || '\\x00000008' || int8send(originator_version) || int4send(octet_length(topic)) || topic::bytea"
            " || '\\x00000008' || timestamptz_send(recorded_at - interval '1 day') || '\\xffffffff'"
            " || int4send(octet_length(state)) || state) WHERE position = 10"
        )
    report = checked(database)
    assert (report.first_bad, report.fault) == (10, "time-goes-back")


REFUSED: tuple[LiteralString, ...] = (
    "UPDATE events SET topic = 'x'",
    "UPDATE events SET topic = 'x' WHERE false",
    "DELETE FROM events",
    "TRUNCATE events",
)


@pytest.mark.parametrize("statement", REFUSED)
@pytest.mark.parametrize("role", ["genjin_owner", "superuser"])
def test_changing_the_ledger_is_refused_even_to_its_owner(
    statement: LiteralString, role: str, recorded: Ledger, server: str, workspace: str
) -> None:
    with superuser(server, workspace) as connection:
        if role == "genjin_owner":
            connection.execute("SET ROLE genjin_owner")
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement)
        connection.execute("SET session_replication_role = replica") if role == "superuser" else None
        with pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute(statement)
    assert recorded.head() == 10


@pytest.mark.parametrize(
    "statement",
    [
        *REFUSED,
        "INSERT INTO events SELECT 11, gen_random_uuid(), 1, topic, state, now(), NULL, chain FROM events LIMIT 1",
        "INSERT INTO claims VALUES ('a', 'b', gen_random_uuid(), NULL, 1)",
        "DELETE FROM claims",
        "UPDATE meta SET sealing_epoch = 0",
        "DELETE FROM sealing_keys",
        "UPDATE counters SET value = 0",
        "DELETE FROM idempotency_keys",
        "INSERT INTO snapshots SELECT",
        "SELECT setval('answered_moment', 1)",
    ],
)
def test_the_application_can_only_read_and_append(
    statement: LiteralString, recorded: Ledger, database: Database
) -> None:
    with database.connection() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM sealing_keys",
        "SELECT * FROM idempotency_keys",
        "SELECT * FROM snapshots",
        "SELECT position_at(now())",
        "SELECT append('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', " + "NULL, " * 16 + "'')",
        "INSERT INTO events SELECT * FROM events",
    ],
)
def test_a_reader_sees_events_and_no_keys(
    statement: LiteralString, recorded: Ledger, server: str, workspace: str
) -> None:
    with superuser(server, workspace) as connection:
        connection.execute("SET ROLE genjin_reader")
        rows = connection.execute("SELECT state->>'actor' FROM events_json").fetchall()
        assert rows == [("member:test",)] * 10
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_temporary_table_cannot_stand_in_for_the_ledger(recorded: Ledger, database: Database) -> None:
    with database.connection() as connection:
        connection.execute("CREATE TEMPORARY TABLE events (position bigint, recorded_at timestamptz)")
        connection.execute("INSERT INTO pg_temp.events VALUES (99, now())")
        row = connection.execute("SELECT position_at(now() - interval '1 second'), settle()").fetchone()
        connection.rollback()
    assert row is not None
    assert row[1] == 10
