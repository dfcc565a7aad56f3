"""The proof finds every difference between a read model and its events, and names it."""

from __future__ import annotations

from threading import Event, Thread
from typing import LiteralString

import pytest
from psycopg import sql

from integration.engine_help import applier_on, begin, catch_up, working
from integration.shops import Shops, Trade
from projections.engine.failures import NotBuilt
from projections.engine.ground import Connection, Ground
from projections.engine.tables import builds
from projections.engine.tables.builds import Build
from projections.engine.verifying import verify


@pytest.fixture
def build(ground: Ground, connection: Connection, trade: Trade) -> Build:
    """Shops, up to date."""
    begin(ground, Shops)
    trade.steps(60)
    applier = applier_on(ground, connection, Shops)
    catch_up(applier, connection, Shops)
    return applier.build


def tamper(connection: Connection, build: Build, statement: LiteralString) -> None:
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(build.schema_name)))
        assert connection.execute(statement).rowcount == 1


@pytest.mark.parametrize("rows_in_memory", [None, 2])
def test_an_honest_read_model_is_clean(ground: Ground, build: Build, rows_in_memory: int | None) -> None:
    found = verify(ground, Shops, rows_in_memory=rows_in_memory)
    assert found.is_clean
    assert found.position == build.position
    assert found.rows > 60


def test_a_changed_value_is_named(ground: Ground, connection: Connection, build: Build) -> None:
    tamper(
        connection, build, "UPDATE shops SET sales = 999 WHERE shop_id = (SELECT min(shop_id::text)::uuid FROM shops)"
    )
    found = verify(ground, Shops)
    assert not found.is_clean
    assert found.differing_rows == 1
    (difference,) = found.differences
    assert (difference.table, difference.column, difference.live) == ("shops", "sales", 999)
    assert difference.rebuilt != 999


def test_a_missing_row_is_named(ground: Ground, connection: Connection, build: Build) -> None:
    tamper(connection, build, "DELETE FROM owners WHERE ctid = (SELECT min(ctid) FROM owners)")
    (difference,) = verify(ground, Shops).differences
    assert (difference.table, difference.column, difference.live) == ("owners", None, None)
    assert difference.rebuilt["customer_id"] == difference.key["customer_id"]


def test_a_row_too_many_is_named(ground: Ground, connection: Connection, build: Build) -> None:
    tamper(connection, build, "INSERT INTO lines VALUES (1000000, NULL, 'test-shop.invented')")
    (difference,) = verify(ground, Shops).differences
    assert (difference.table, difference.key, difference.rebuilt) == ("lines", {"position": 1000000}, None)


def test_a_position_that_was_skipped_shows(ground: Ground, connection: Connection, trade: Trade, build: Build) -> None:
    head = trade.steps(5)
    connection.execute("UPDATE projection_builds SET position = %s WHERE schema_name = %s", [head, build.schema_name])
    assert not verify(ground, Shops).is_clean


def test_it_proves_while_things_go_on_happening(ground: Ground, trade: Trade) -> None:
    stop = Event()
    with working(ground, Shops):
        writing = Thread(target=lambda: [trade.step() for _ in iter(stop.is_set, True)])
        writing.start()
        try:
            with ground.connection() as connection:
                while builds.live_build(connection, Shops) is None:
                    pass
            proofs = [verify(ground, Shops) for _ in range(5)]
        finally:
            stop.set()
            writing.join()
    assert all(proof.is_clean for proof in proofs)
    assert proofs[-1].position > proofs[0].position


def test_where_nothing_is_built_nothing_is_proven(ground: Ground) -> None:
    with pytest.raises(NotBuilt):
        verify(ground, Shops)
