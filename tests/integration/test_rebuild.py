"""A read model is built anew beside the live one, by any number of processes and with any amount of memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import uuid4

import pytest

from integration.engine_help import (
    applier_on,
    begin,
    catch_up,
    everything_in,
    progress_of,
    wait_for_job,
    wait_until,
    working,
)
from integration.shops import Delicate, Lines, Shops, Takings, Trade
from integration.shops import working as acting
from projections.engine.build import jobs
from projections.engine.build.building import Builder, RebuildRunning
from projections.engine.failures import Cancelled, Overtaken, Undigested
from projections.engine.ground import Connection, Ground
from projections.engine.locks import lock_key, try_lock
from projections.engine.model.declaration import Projection
from projections.engine.reader import Reader
from projections.engine.tables import builds
from projections.engine.tables.builds import Build
from projections.engine.tables.sights import ALL, SOME
from projections.engine.verifying import verify
from projections.engine.work import housekeeping, leading
from projections.engine.work.housekeeping import Limits


def live_of(connection: Connection, projection: type[Projection]) -> Build:
    found = builds.live_build(connection, projection)
    assert found is not None
    return found


@pytest.mark.parametrize("projection", [Shops, Takings, Lines])
@pytest.mark.parametrize(("processes", "rows_in_memory"), [(0, None), (0, 3), (2, None), (2, 3)])
def test_rebuilt_says_what_live_says(
    ground: Ground,
    connection: Connection,
    trade: Trade,
    projection: type[Projection],
    processes: int,
    rows_in_memory: int | None,
) -> None:
    before = begin(ground, projection)
    trade.steps(150)
    catch_up(applier_on(ground, connection, projection), connection, projection)
    builder = Builder(ground, processes=processes, rows_in_memory=rows_in_memory)
    build = builder.rebuild(projection, progress_of(connection, "rebuild", projection))
    live = live_of(connection, projection)
    assert live.schema_name == build.schema_name != before.schema_name
    assert live.position == trade.ledger.head()
    assert everything_in(connection, live, projection) == everything_in(connection, before, projection)
    assert verify(ground, projection).differences == []


def test_a_rebuilt_table_has_its_key_and_its_indexes(ground: Ground, connection: Connection, trade: Trade) -> None:
    trade.steps(30)
    build = Builder(ground, processes=0).rebuild(Shops, progress_of(connection, "rebuild", Shops))
    found = connection.execute(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = %s AND tablename = 'shops' ORDER BY 1", [build.schema_name]
    ).fetchall()
    texts = [text.split(" USING ")[1] for (text,) in found]
    assert sorted(texts) == ["btree (customer_id, shop_id)", "btree (sales DESC) WHERE (sales > 0)", "btree (shop_id)"]


def test_a_rebuild_goes_on_while_things_happen_and_nobody_reads_backwards(ground: Ground, trade: Trade) -> None:
    reader = Reader(ground.database, [Shops])
    with working(ground, Shops):
        trade.steps(30)
        with ground.connection() as connection:
            wait_until(lambda: builds.live_build(connection, Shops))
            first = live_of(connection, Shops).schema_name
            job = jobs.request(connection, "rebuild", "shops", 1)
            seen = 0
            while not (found := jobs.find(connection, job.job_id)) or not found.is_over:
                after = trade.step().position
                with reader.at("shops", after=after) as view:
                    assert view.position >= max(seen, after)
                    seen = view.position
        assert found.state == "done", found.error
        with ground.connection() as connection:
            assert live_of(connection, Shops).schema_name != first
        trade.steps(10)
        with reader.at("shops", after=trade.ledger.head()):
            pass
    assert verify(ground, Shops).differences == []


def test_a_rebuild_without_any_worker_makes_the_switch_itself(
    ground: Ground, connection: Connection, trade: Trade
) -> None:
    trade.steps(10)
    build = Builder(ground, processes=0).rebuild(Takings, progress_of(connection, "rebuild", Takings))
    assert live_of(connection, Takings).schema_name == build.schema_name


def test_a_job_tells_how_far_it_is(ground: Ground, connection: Connection, trade: Trade) -> None:
    head = trade.steps(40)
    progress = progress_of(connection, "rebuild", Shops)
    Builder(ground, processes=0).rebuild(Shops, progress)
    job = jobs.latest(connection, "rebuild", "shops")[0]
    assert job.events_total == head
    assert job.events_done == head
    assert job.schema_name == live_of(connection, Shops).schema_name


def test_a_cancelled_rebuild_leaves_nothing_behind(ground: Ground, connection: Connection, trade: Trade) -> None:
    trade.steps(20)
    live = begin(ground, Shops)
    progress = progress_of(connection, "rebuild", Shops)
    jobs.cancel(connection, jobs.latest(connection)[0].job_id)
    with pytest.raises(Cancelled):
        Builder(ground, processes=2).rebuild(Shops, progress)
    assert live_of(connection, Shops).schema_name == live.schema_name
    assert _schemas(connection, ground) == {live.schema_name}


def test_a_queued_job_is_cancelled_at_once(connection: Connection) -> None:
    job = jobs.request(connection, "rebuild", "shops", 1)
    assert jobs.request(connection, "rebuild", "shops", 1).job_id == job.job_id
    cancelled = jobs.cancel(connection, job.job_id)
    assert cancelled is not None
    assert cancelled.state == "cancelled"
    assert jobs.request(connection, "rebuild", "shops", 1).job_id != job.job_id


def test_only_one_rebuild_of_a_projection_at_a_time(ground: Ground, connection: Connection) -> None:
    assert try_lock(connection, lock_key(ground.schema, "rebuild", "shops", 1))
    with pytest.raises(RebuildRunning):
        Builder(ground, processes=0).rebuild(Shops, progress_of(connection, "rebuild", Shops))


def test_a_rebuild_that_broke_off_is_run_again_and_cleared_up(ground: Ground, trade: Trade) -> None:
    """Its worker is gone: the job says running, its half-filled schema stands there, and nobody holds its lock."""
    trade.steps(20)
    with ground.connection() as connection:
        left = builds.begin_build(connection, ground.schema, Shops)
        job = jobs.request(connection, "rebuild", "shops", 1)
        connection.execute(
            "UPDATE projection_jobs SET state = 'running', worker = 'gone', attempts = 1, schema_name = %s",
            [left.schema_name],
        )
    with working(ground, Shops):
        done = wait_for_job(ground, job)
    assert (done.state, done.attempts) == ("done", 2)
    with ground.connection() as connection:
        assert left.schema_name not in _schemas(connection, ground)
    assert verify(ground, Shops).differences == []


def test_whoever_leads_is_told_that_a_build_is_ready(
    ground: Ground, connection: Connection, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leading, "LOOK_ROUND", 3600.0)
    trade.steps(20)
    with working(ground, Shops):
        first = wait_until(lambda: builds.live_build(connection, Shops))
        assert wait_for_job(ground, jobs.request(connection, "rebuild", "shops", 1)).state == "done"
        assert live_of(connection, Shops).schema_name != first.schema_name


def test_what_becomes_live_is_not_cleared_up_as_left_over(ground: Ground, connection: Connection) -> None:
    build = builds.begin_build(connection, ground.schema, Shops)
    with ground.connection() as leading, leading.transaction():
        builds.make_live(leading, build)
        assert not builds.drop_build(connection, build.schema_name)
    assert not builds.drop_build(connection, build.schema_name)
    assert live_of(connection, Shops).schema_name == build.schema_name
    assert build.schema_name in _schemas(connection, ground)


def test_what_was_cleared_up_does_not_become_live(ground: Ground, connection: Connection) -> None:
    live = begin(ground, Shops)
    build = builds.begin_build(connection, ground.schema, Shops)
    assert builds.drop_build(connection, build.schema_name)
    with pytest.raises(Overtaken):
        builds.make_live(connection, build)
    assert live_of(connection, Shops).schema_name == live.schema_name


def test_a_read_model_begins_empty_while_it_is_rebuilt_over_and_over(ground: Ground, trade: Trade) -> None:
    """Whatever the one leaves is not cleared up by the other while it is at work."""
    trade.steps(20)
    stop = Event()

    def rebuild() -> None:
        with ground.connection() as connection:
            while not stop.is_set():
                Builder(ground, processes=0).rebuild(Shops, progress_of(connection, "rebuild", Shops))

    with ThreadPoolExecutor(1) as pool:
        rebuilding = pool.submit(rebuild)
        for _ in range(20):
            begin(ground, Shops)
        stop.set()
        rebuilding.result()
    assert verify(ground, Shops).differences == []


def test_a_rebuild_fails_loudly_at_an_event_it_cannot_digest(ground: Ground, trade: Trade) -> None:
    with acting():
        shop = trade.open()
        shop.poison()
        poisoned = trade.ledger.save(shop).position
    with ground.connection() as connection:
        job = jobs.request(connection, "rebuild", "delicate", 1)
    with working(ground, Delicate, builder=Builder(ground, processes=2)):
        done = wait_for_job(ground, job)
    assert done.state == "failed"
    assert f"event {poisoned} (test-shop.poisoned" in (done.error or "")


def test_what_stopped_a_projection_is_forgotten_once_it_was_rebuilt(
    ground: Ground, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poison(self: Delicate, event: Any) -> None:
        if not repaired.is_set():
            raise ValueError("this is poison")

    repaired = Event()
    monkeypatch.setattr(Delicate, "poisoned", poison)
    with working(ground, Delicate):
        with acting():
            shop = trade.open()
            shop.poison()
            head = trade.ledger.save(shop).position
        with ground.connection() as connection:
            wait_until(lambda: connection.execute("SELECT 1 FROM projections WHERE failed_at IS NOT NULL").fetchone())
            repaired.set()
            job = jobs.request(connection, "rebuild", "delicate", 1)
            assert wait_for_job(ground, job).state == "done"
            assert connection.execute("SELECT FROM projections WHERE failed_at IS NOT NULL").fetchone() is None
            assert live_of(connection, Delicate).position == head


def test_an_undigested_event_names_itself_from_another_process(
    ground: Ground, connection: Connection, trade: Trade
) -> None:
    with acting():
        shop = trade.open(uuid4())
        shop.poison()
        poisoned = trade.ledger.save(shop).position
    with pytest.raises(Undigested) as raised:
        Builder(ground, processes=2).rebuild(Delicate, progress_of(connection, "rebuild", Delicate))
    assert raised.value.position == poisoned


def test_the_old_schema_is_dropped_after_its_grace_and_not_before(
    ground: Ground, connection: Connection, trade: Trade
) -> None:
    trade.steps(5)
    old = begin(ground, Shops)
    Builder(ground, processes=0).rebuild(Shops, progress_of(connection, "rebuild", Shops))
    housekeeping.keep_house(connection, ground.schema, [Shops], Limits(grace_seconds=3600))
    assert old.schema_name in _schemas(connection, ground)
    housekeeping.keep_house(connection, ground.schema, [Shops], Limits(grace_seconds=0))
    assert _schemas(connection, ground) == {live_of(connection, Shops).schema_name}


def test_a_new_version_is_built_beside_the_old_one_which_goes_when_nobody_leads_it(
    ground: Ground, connection: Connection, trade: Trade
) -> None:
    class Newer(Takings):
        version = 2

    trade.steps(10)
    old = begin(ground, Takings)
    Builder(ground, processes=0).rebuild(Newer, progress_of(connection, "rebuild", Newer))
    assert live_of(connection, Takings).schema_name == old.schema_name
    housekeeping.keep_house(connection, ground.schema, [Newer], Limits())
    housekeeping.keep_house(connection, ground.schema, [Newer], Limits(grace_seconds=0))
    assert _schemas(connection, ground) == {live_of(connection, Newer).schema_name}


def test_an_erasure_has_the_read_models_built_anew(ground: Ground, connection: Connection, trade: Trade) -> None:
    with acting():
        shop = trade.open()
        trade.ledger.save(shop)
    begin(ground, Shops)
    catch_up(applier_on(ground, connection, Shops), connection, Shops)
    ground.keyring.destroy(shop.customer_id)
    housekeeping.keep_house(connection, ground.schema, [Shops], Limits())
    assert [(job.kind, job.projection) for job in jobs.latest(connection)] == [("rebuild", "shops")]


def _schemas(connection: Connection, ground: Ground) -> set[str]:
    """The schemas of builds; each stands for its schemas of views, which come and go with it."""
    found = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", [f"{ground.schema}_"]
    ).fetchall()
    names = {name for (name,) in found}
    builds = {name for name in names if not name.endswith((SOME, ALL))}
    assert names == {name + suffix for name in builds for suffix in ("", SOME, ALL)}
    return builds


def test_the_reader_role_may_read_what_was_built(ground: Ground, connection: Connection, trade: Trade) -> None:
    trade.steps(5)
    build = Builder(ground, processes=0).rebuild(Shops, progress_of(connection, "rebuild", Shops))
    found = connection.execute(
        "SELECT has_schema_privilege('genjin_reader', %s, 'USAGE'), has_table_privilege('genjin_reader', %s, 'SELECT')",
        [build.schema_name, f"{build.schema_name}.shops"],
    ).fetchone()
    assert found == (True, True)
