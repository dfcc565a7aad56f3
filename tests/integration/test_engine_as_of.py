"""A read model as of an earlier position is the one that a ledger cut off there would give."""

from __future__ import annotations

from threading import Thread

import pytest

from integration.engine_help import applier_on, begin, catch_up, everything_in, progress_of, wait_until, working
from integration.shops import Delicate, Lines, Shops, Takings, Trade
from integration.shops import working as acting
from ledger.follow.reading import read
from projections.engine.build import jobs
from projections.engine.build.building import Builder
from projections.engine.build.parts import Stretch, fill
from projections.engine.failures import BuildFailed, NotBuilt, StillBuilding
from projections.engine.ground import Connection, Ground
from projections.engine.reader import Reader
from projections.engine.tables import builds
from projections.engine.work import housekeeping
from projections.engine.work.housekeeping import Limits


@pytest.mark.parametrize("processes", [0, 2])
def test_a_copy_equals_the_truncated_history(
    ground: Ground, connection: Connection, trade: Trade, processes: int
) -> None:
    begin(ground, Shops)
    applier = applier_on(ground, connection, Shops)
    middle = trade.steps(80)
    catch_up(applier, connection, Shops)
    then = everything_in(connection, applier.build, Shops)
    trade.steps(40)
    catch_up(applier, connection, Shops)
    progress = progress_of(connection, "as-of", Shops, middle)
    copy = Builder(ground, processes=processes).copy_as_of(Shops, middle, progress)
    assert copy.position == middle
    assert everything_in(connection, copy, Shops) == then


@pytest.mark.parametrize("rows_in_memory", [None, 2])
def test_a_copy_is_continued_from_the_nearest_earlier_one(
    ground: Ground, connection: Connection, trade: Trade, rows_in_memory: int | None
) -> None:
    middle = trade.steps(100)
    later = trade.steps(20)
    builder = Builder(ground, processes=0, rows_in_memory=rows_in_memory)
    base = builder.copy_as_of(Shops, middle, progress_of(connection, "as-of", Shops, middle))
    kept = everything_in(connection, base, Shops)
    continued = builder.copy_as_of(Shops, later, progress_of(connection, "as-of", Shops, later))
    job = jobs.latest(connection, "as-of", "shops")[0]
    assert job.events_total == later - middle
    assert everything_in(connection, base, Shops) == kept
    afresh = builds.begin_build(connection, ground.schema, Shops)
    fill(ground, Stretch(Shops, afresh.schema_name, 0, later), 0, lambda position: None)
    assert everything_in(connection, continued, Shops) == everything_in(connection, afresh, Shops)


def test_who_asks_waits_for_the_copy_and_the_next_one_finds_it(ground: Ground, trade: Trade) -> None:
    reader = Reader(ground.database, [Shops])
    with working(ground, Shops):
        middle = trade.steps(20)
        trade.steps(20)
        expected = _lines_upto(ground, middle)
        for _ in range(2):
            with reader.at("shops", as_of_position=middle, timeout=20) as view:
                assert view.position == middle
                assert view.connection.execute("SELECT count(*), max(position) FROM lines").fetchone() == expected
    with ground.connection() as connection:
        assert len(jobs.latest(connection, "as-of")) == 1


def test_many_who_ask_at_once_get_one_copy(ground: Ground, trade: Trade) -> None:
    reader = Reader(ground.database, [Shops])
    seen: list[int] = []

    def ask() -> None:
        with reader.at("shops", as_of_position=middle, timeout=20) as view:
            seen.append(view.position)

    with working(ground, Shops):
        middle = trade.steps(20)
        trade.steps(5)
        asking = [Thread(target=ask) for _ in range(6)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
    assert seen == [middle] * 6
    with ground.connection() as connection:
        assert len(jobs.latest(connection, "as-of")) == 1


def test_without_a_worker_the_wait_is_bounded_and_names_the_job(ground: Ground, trade: Trade) -> None:
    begin(ground, Shops)
    middle = trade.steps(10)
    trade.steps(5)
    reader = Reader(ground.database, [Shops])
    with pytest.raises(StillBuilding) as raised, reader.at("shops", as_of_position=middle, timeout=0.3):
        pass
    with ground.connection() as connection:
        job = jobs.find(connection, raised.value.job_id)
    assert job is not None
    assert (job.state, job.as_of) == ("queued", middle)


def test_a_copy_that_cannot_be_built_says_so(ground: Ground, trade: Trade) -> None:
    with acting():
        shop = trade.open()
        shop.poison()
        poisoned = trade.ledger.save(shop).position
    trade.steps(3)
    reader = Reader(ground.database, [Delicate])
    with (
        working(ground, Delicate),
        pytest.raises(BuildFailed, match="poison"),
        reader.at("delicate", as_of_position=poisoned, timeout=20),
    ):
        pass


def test_the_newest_position_needs_no_copy(ground: Ground, trade: Trade) -> None:
    with working(ground, Takings):
        head = trade.steps(10)
        wait_until(lambda: _live_position(ground) == head)
        with Reader(ground.database, [Takings]).at("takings", as_of_position=head) as view:
            assert view.position == head
    with ground.connection() as connection:
        assert jobs.latest(connection) == []


def test_append_only_read_models_need_no_copy_either(ground: Ground, trade: Trade) -> None:
    with working(ground, Lines):
        middle = trade.steps(10)
        trade.steps(10)
        with Reader(ground.database, [Lines]).at("lines", as_of_position=middle) as view:
            assert view.position == middle
            found = view.connection.execute(
                "SELECT count(*), max(position) FROM lines WHERE position <= %s", [view.position]
            ).fetchone()
        assert found == _lines_upto(ground, middle)
    with ground.connection() as connection:
        assert jobs.latest(connection) == []


def test_ones_own_write_is_waited_for_but_not_for_ever(ground: Ground, trade: Trade) -> None:
    reader = Reader(ground.database, [Takings])
    with working(ground, Takings):
        for _ in range(5):
            position = trade.step().position
            with reader.at("takings", after=position) as view:
                assert view.position >= position
    position = trade.steps(3)
    with pytest.raises(NotBuilt) as raised, reader.at("takings", after=position, timeout=0.1):
        pass
    assert raised.value.wanted == position
    assert raised.value.position is not None


def test_a_view_is_one_snapshot(ground: Ground, connection: Connection, trade: Trade) -> None:
    begin(ground, Lines)
    applier = applier_on(ground, connection, Lines)
    trade.steps(5)
    catch_up(applier, connection, Lines)
    with Reader(ground.database, [Lines]).at("lines") as view:
        trade.steps(5)
        catch_up(applier, connection, Lines)
        found = view.connection.execute("SELECT max(position) FROM lines").fetchone()
    assert found == (view.position,)


def test_the_copy_used_longest_ago_goes_when_space_is_short(
    ground: Ground, connection: Connection, trade: Trade
) -> None:
    builder = Builder(ground, processes=0)
    positions = [trade.steps(5) for _ in range(3)]
    for position in positions:
        builder.copy_as_of(Takings, position, progress_of(connection, "as-of", Takings, position))
    connection.execute(
        "UPDATE projection_builds SET bytes = 100, used_at = now() - as_of * interval '1 hour' WHERE as_of <> %s",
        [positions[0]],
    )
    connection.execute("UPDATE projection_builds SET bytes = 100 WHERE as_of = %s", [positions[0]])
    housekeeping.keep_house(connection, ground.schema, [Takings], Limits(copies_bytes=250))
    assert [builds.copy_as_of(connection, Takings, position) is None for position in positions] == [False, False, True]


def test_copies_of_another_version_and_from_before_an_erasure_go(
    ground: Ground, connection: Connection, trade: Trade
) -> None:
    class Newer(Takings):
        version = 2

    with acting():
        shop = trade.open()
        position = trade.ledger.save(shop).position
    builder = Builder(ground, processes=0)
    builder.copy_as_of(Takings, position, progress_of(connection, "as-of", Takings, position))
    builder.copy_as_of(Newer, position, progress_of(connection, "as-of", Newer, position))
    housekeeping.keep_house(connection, ground.schema, [Newer], Limits())
    assert builds.copy_as_of(connection, Takings, position) is None
    assert builds.copy_as_of(connection, Newer, position) is not None
    ground.keyring.destroy(shop.customer_id)
    housekeeping.keep_house(connection, ground.schema, [Newer], Limits())
    assert builds.copy_as_of(connection, Newer, position) is None


def _lines_upto(ground: Ground, position: int) -> tuple[int, int]:
    with ground.connection() as connection:
        return sum(len(batch) for batch in read(connection, 0, position)), position


def _live_position(ground: Ground) -> int:
    with ground.connection() as connection:
        live = builds.live_build(connection, Takings)
    return -1 if live is None else live.position
