"""Read models are kept up to date: each event exactly once, whoever runs, however it is interrupted."""

from __future__ import annotations

import random
from threading import Thread
from time import sleep
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from integration.engine_help import applier_on, begin, catch_up, rows_in, wait_until, working
from integration.shops import Delicate, Lines, OwnerRow, Shop, Shops, Takings, Trade
from integration.shops import working as acting
from projections.engine import folds, table
from projections.engine.events import next_events
from projections.engine.failures import Overtaken, Undigested
from projections.engine.ground import Connection, Ground
from projections.engine.live.switching import step
from projections.engine.model.declaration import Projection
from projections.engine.status import status
from projections.engine.tables import builds
from projections.engine.verifying import verify


@pytest.mark.parametrize("projection", [Shops, Takings, Lines])
def test_live_batches_of_any_size_say_what_a_fresh_fold_says(
    ground: Ground, connection: Connection, trade: Trade, projection: type[Projection]
) -> None:
    begin(ground, projection)
    applier = applier_on(ground, connection, projection)
    for number in (1, 1, 7, 30, 2, 60):
        trade.steps(number)
        catch_up(applier, connection, projection)
    found = verify(ground, projection)
    assert found.position == trade.ledger.head()
    assert found.rows > 0
    assert found.differences == []


def test_personal_fields_are_readable_in_the_table(ground: Ground, connection: Connection, trade: Trade) -> None:
    build = begin(ground, Shops)
    with acting():
        shop = trade.open()
        trade.ledger.save(shop)
    catch_up(applier_on(ground, connection, Shops), connection, Shops)
    assert "张三" in rows_in(connection, build.schema_name, "shops")[0][0]


def test_what_was_erased_is_empty_in_rows_written_afterwards(
    ground: Ground, connection: Connection, trade: Trade
) -> None:
    build = begin(ground, Shops)
    with acting():
        shop = trade.open()
        trade.ledger.save(shop)
    ground.keyring.destroy(shop.customer_id)
    catch_up(applier_on(ground, connection, Shops), connection, Shops)
    assert "张三" not in rows_in(connection, build.schema_name, "shops")[0][0]
    assert verify(ground, Shops).is_clean


def test_two_runners_on_one_projection_apply_nothing_twice(ground: Ground, trade: Trade) -> None:
    begin(ground, Shops)
    overtaken: list[Overtaken] = []
    going_on = True

    def keep_up() -> None:
        with ground.connection() as connection:
            applier = applier_on(ground, connection, Shops)
            while going_on:
                try:
                    step(applier, connection, Shops)
                except Overtaken as error:
                    overtaken.append(error)
                    applier = applier_on(ground, connection, Shops)

    runners = [Thread(target=keep_up) for _ in range(2)]
    for runner in runners:
        runner.start()
    head = trade.steps(150)
    wait_until(lambda: _position(ground, Shops) == head)
    going_on = False
    for runner in runners:
        runner.join()
    assert overtaken
    assert verify(ground, Shops).differences == []


def test_a_runner_that_was_overtaken_has_written_nothing(ground: Ground, connection: Connection, trade: Trade) -> None:
    begin(ground, Shops)
    late = applier_on(ground, connection, Shops)
    trade.steps(10)
    with ground.connection() as other:
        catch_up(applier_on(ground, other, Shops), other, Shops)
    with pytest.raises(Overtaken):
        step(late, connection, Shops)
    assert verify(ground, Shops).differences == []


def test_killed_at_random_points_it_goes_on_exactly(ground: Ground, trade: Trade, server: str) -> None:
    """The server ends its connection in the middle of loading, folding or writing, again and again."""
    begin(ground, Shops)
    chance = random.Random(4)
    head = trade.steps(120)
    kills = 0
    while _position(ground, Shops) < head:
        connection = ground.connect()
        killer = Thread(target=_kill_after, args=(server, connection.info.backend_pid, chance.random() * 0.02))
        killer.start()
        try:
            applier = applier_on(ground, connection, Shops)
            while _small_step(applier, connection):
                pass
        except (psycopg.OperationalError, psycopg.InterfaceError):
            kills += 1
        finally:
            killer.join()
            connection.close()
    assert kills
    assert verify(ground, Shops).differences == []


def test_an_event_that_cannot_be_folded_stops_that_projection_and_no_other(ground: Ground, trade: Trade) -> None:
    with working(ground, Delicate, Takings):
        trade.steps(5)
        with acting():
            shop = trade.open()
            shop.poison()
            poisoned = trade.ledger.save(shop).position
        head = trade.steps(20)
        wait_until(lambda: _position(ground, Takings) == head)
        failure = wait_until(lambda: _status(ground, "delicate").failure)
        assert (failure.position, failure.topic) == (poisoned, "test-shop.poisoned")
        assert "this is poison" in failure.error
        assert _status(ground, "delicate").state == "stopped"
        assert _position(ground, Delicate) == poisoned - 1
        assert _status(ground, "takings").state == "running"
        assert _status(ground, "takings").events_behind == 0


def test_a_row_that_its_table_refuses_stops_the_projection_at_its_event(
    ground: Ground, connection: Connection, trade: Trade
) -> None:
    class Incomplete(Projection):
        name, version = "incomplete", 1
        counts = table("counts", OwnerRow, key="customer_id")

        @folds(Shop.Opened)
        def opened(self, event: Any) -> None:
            self.counts.add(OwnerRow(event.customer_id, 1))

        @folds(Shop.Poisoned)
        def poisoned(self, event: Any) -> None:
            self.counts[event.customer_id].shops = None  # type: ignore[assignment]

    begin(ground, Incomplete)
    with acting():
        for owner in (uuid4(), uuid4()):
            shop = trade.open(owner)
            trade.ledger.save(shop)
        shop.poison()
        poisoned = trade.ledger.save(shop).position
    applier = applier_on(ground, connection, Incomplete)
    with pytest.raises(Undigested) as raised:
        catch_up(applier, connection, Incomplete)
    assert raised.value.position == poisoned
    assert applier.position == poisoned - 1
    assert len(rows_in(connection, applier.build.schema_name, "counts")) == 2


def test_an_unknown_event_stops_a_projection_that_folds_every_event(
    ground: Ground, connection: Connection, trade: Trade, server: str, schema: str
) -> None:
    begin(ground, Lines)
    begin(ground, Takings)
    head = trade.steps(5)
    with psycopg.connect(server) as owner:
        owner.execute(f"SET search_path = {schema}")
        owner.execute(
            "INSERT INTO events SELECT position + 1, gen_random_uuid(), 1, 'test-shop.unheard-of', state, recorded_at, "
            "customer_id, chain FROM events WHERE position = %s",
            [head],
        )
    applier = applier_on(ground, connection, Lines)
    with pytest.raises(Undigested, match=r"unheard-of"):
        catch_up(applier, connection, Lines)
    assert applier.position == head
    catch_up(applier_on(ground, connection, Takings), connection, Takings)
    assert _position(ground, Takings) == head + 1


def test_a_worker_keeps_every_projection_up_to_date_from_nothing(ground: Ground, trade: Trade) -> None:
    trade.steps(20)
    with working(ground, Shops, Takings, Lines):
        head = trade.steps(20)
        wait_until(lambda: {_position(ground, each) for each in (Shops, Takings, Lines)} == {head})
    for projection in (Shops, Takings, Lines):
        assert verify(ground, projection).differences == []


def test_another_worker_takes_over_when_the_leader_is_gone(ground: Ground, trade: Trade, server: str) -> None:
    with working(ground, Takings), working(ground, Takings):
        trade.steps(5)
        wait_until(lambda: _status(ground, "takings").state == "running")
        with psycopg.connect(server) as owner:
            owner.execute(f"SET search_path = {ground.schema}")
            owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN projections ON "
                "(classid::bigint << 32 | objid::bigint) = leader_lock WHERE locktype = 'advisory'"
            )
        head = trade.steps(5)
        wait_until(lambda: _position(ground, Takings) == head)
    assert verify(ground, Takings).differences == []


def _small_step(applier: Any, connection: Connection) -> bool:
    events, position = next_events(connection, Shops, applier.position, limit=3)
    if position == applier.position:
        return False
    applier.apply(events, position)
    return True


def _kill_after(server: str, pid: int, seconds: float) -> None:
    with psycopg.connect(server) as owner:
        sleep(seconds)
        owner.execute("SELECT pg_terminate_backend(%s)", [pid])


def _position(ground: Ground, projection: type[Projection]) -> int:
    with ground.database.connection() as connection:
        live = builds.live_build(connection, projection)
    return -1 if live is None else live.position


def _status(ground: Ground, name: str) -> Any:
    with ground.database.connection() as connection:
        return next(each for each in status(connection) if each.projection == name)
