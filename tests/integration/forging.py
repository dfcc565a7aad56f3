"""What somebody who may do everything in the database can do to the events, and where it must be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

import psycopg

EVENTS, SIGNED = 12, (4, 8, 12)
"""How many events there are to forge, and at which positions checkpoints were signed before."""


@dataclass(frozen=True)
class Forgery:
    """What is done; the first bad position and its fault by the chain, and the same by the checkpoints."""

    statements: tuple[LiteralString, ...]
    chain: tuple[int, str] | None = None
    checkpoints: tuple[int | None, str] | None = None


CHAIN_ANEW: LiteralString = """
DO $$
DECLARE
    link bytea := (SELECT uuid_send(ledger_id) FROM meta);
    e    events;
BEGIN
    FOR e IN SELECT * FROM events ORDER BY position LOOP
        link := sha256(link
            || '\\x00000008' || int8send(e.position)
            || '\\x00000010' || uuid_send(e.originator_id)
            || '\\x00000008' || int8send(e.originator_version)
            || int4send(octet_length(e.topic)) || convert_to(e.topic, 'UTF8')
            || '\\x00000008' || timestamptz_send(e.recorded_at)
            || coalesce('\\x00000010'::bytea || uuid_send(e.customer_id), '\\xffffffff')
            || int4send(octet_length(e.state)) || e.state);
        UPDATE events SET chain = link WHERE position = e.position;
    END LOOP;
END $$"""

FORGERIES: dict[str, Forgery] = {
    "a byte of the state": Forgery(
        ("UPDATE events SET state = set_byte(state, 5, get_byte(state, 5) # 1) WHERE position = 4",), (4, "changed")
    ),
    "the topic": Forgery(("UPDATE events SET topic = 'team.renamed' WHERE position = 7",), (7, "changed")),
    "the time": Forgery(
        ("UPDATE events SET recorded_at = recorded_at + interval '1 microsecond' WHERE position = 12",), (12, "changed")
    ),
    "the customer": Forgery(("UPDATE events SET customer_id = gen_random_uuid() WHERE position = 3",), (3, "changed")),
    "the chain itself": Forgery(("UPDATE events SET chain = sha256(chain) WHERE position = 6",), (6, "changed")),
    "the chain where it was signed": Forgery(
        ("UPDATE events SET chain = sha256(chain) WHERE position = 8",), (8, "changed"), (8, "rewritten")
    ),
    "one deleted": Forgery(("DELETE FROM events WHERE position = 5",), (5, "missing")),
    "one deleted that was signed": Forgery(("DELETE FROM events WHERE position = 8",), (8, "missing"), (8, "missing")),
    "one deleted, and the others moved up": Forgery(
        (
            "DELETE FROM events WHERE position = 6",
            "UPDATE events SET position = -position WHERE position > 6",
            "UPDATE events SET position = -position - 1 WHERE position < 0",
        ),
        (6, "changed"),
        (8, "rewritten"),
    ),
    "one inserted": Forgery(
        (
            "UPDATE events SET position = -position WHERE position > 4",
            "UPDATE events SET position = 1 - position WHERE position < 0",
            "INSERT INTO events SELECT 5, gen_random_uuid(), 1, topic, state, recorded_at, customer_id, chain"
            " FROM events WHERE position = 4",
        ),
        (5, "changed"),
        (8, "rewritten"),
    ),
    "one put before the first": Forgery(
        (
            "INSERT INTO events SELECT 0, gen_random_uuid(), 1, topic, state, recorded_at, customer_id, chain"
            " FROM events WHERE position = 1",
        ),
        (0, "changed"),
    ),
    "two swapped": Forgery(
        (
            "UPDATE events SET position = -position WHERE position IN (9, 10)",
            "UPDATE events SET position = 19 + position WHERE position < 0",
        ),
        (9, "changed"),
    ),
    "the order turned round in time": Forgery(
        ("UPDATE events SET recorded_at = recorded_at - interval '1 day' WHERE position = 11", CHAIN_ANEW),
        (11, "time-goes-back"),
        (12, "rewritten"),
    ),
    "the tail cut, and the side tables forgotten": Forgery(
        ("DELETE FROM events WHERE position > 9",), (10, "cut-off"), (10, "cut-off")
    ),
    "the tail cut, with the side tables": Forgery(
        (
            "DELETE FROM events WHERE position > 9",
            "DELETE FROM claims WHERE position > 9",
            "DELETE FROM idempotency_keys WHERE position > 9",
            "DELETE FROM snapshots WHERE position > 9",
        ),
        None,
        (10, "cut-off"),
    ),
    "everything from one event on, with a valid chain": Forgery(
        ("UPDATE events SET customer_id = gen_random_uuid() WHERE position = 6", CHAIN_ANEW),
        None,
        (8, "rewritten"),
    ),
    "everything, with a valid chain": Forgery(
        ("UPDATE events SET recorded_at = recorded_at + interval '1 second'", CHAIN_ANEW), None, (4, "rewritten")
    ),
    "a state that cannot be read, with a valid chain": Forgery(
        ("UPDATE events SET state = set_byte(state, 0, 0) WHERE position = 2", CHAIN_ANEW), None, (4, "rewritten")
    ),
    "everything, as another ledger": Forgery(
        ("UPDATE meta SET ledger_id = gen_random_uuid()", CHAIN_ANEW), None, (None, "other-ledger")
    ),
}


def forge(connection: psycopg.Connection, forgery: Forgery) -> None:
    """Do it; the connection must be a superuser's."""
    connection.execute("SET session_replication_role = replica")
    connection.execute("ALTER TABLE events DISABLE TRIGGER ALL")
    for statement in forgery.statements:
        connection.execute(statement)
    connection.execute("ALTER TABLE events ENABLE TRIGGER ALL")
