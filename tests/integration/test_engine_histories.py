"""However history is cut into batches, live, rebuilt and as-of tables are what a plain fold of it gives."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import astuple
from psycopg import sql

from integration.engine_help import applier_on, begin, progress_of
from integration.shops import Shops, Trade
from ledger.follow.reading import read
from ledger.ledger import Ledger
from projections.engine import fold
from projections.engine.build.building import Builder
from projections.engine.events import next_events
from projections.engine.ground import Connection, Ground
from projections.engine.tables import builds
from projections.engine.verifying import verify


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    rows_in_memory=st.sampled_from([None, 1, 5]),
    share=st.floats(0.1, 1.0),
)
def test_every_way_to_build_gives_what_a_plain_fold_gives(
    ground: Ground,
    ledger: Ledger,
    connection: Connection,
    seed: int,
    cuts: list[int],
    rows_in_memory: int | None,
    share: float,
) -> None:
    trade = Trade(ledger, seed)
    if builds.live_build(connection, Shops) is None:
        begin(ground, Shops)
    for cut in cuts:
        trade.steps(cut)
        follow(ground, connection, batch=cut)
    head = ledger.head()
    live = builds.live_build(connection, Shops)
    assert live is not None
    assert in_tables(connection, live.schema_name) == by_plain_fold(ground, connection, head)
    assert verify(ground, Shops, rows_in_memory=rows_in_memory).differences == []

    middle = max(1, int(head * share))
    builder = Builder(ground, processes=0, rows_in_memory=rows_in_memory)
    copy = builder.copy_as_of(Shops, middle, progress_of(connection, "as-of", Shops, middle))
    assert in_tables(connection, copy.schema_name) == by_plain_fold(ground, connection, middle)


def follow(ground: Ground, connection: Connection, batch: int) -> None:
    """Keep the live one up to date, in batches of that size."""
    applier = applier_on(ground, connection, Shops)
    while True:
        events, position = next_events(connection, Shops, applier.position, batch)
        if position == applier.position:
            return
        applier.apply(events, position)


def by_plain_fold(ground: Ground, connection: Connection, upto: int) -> dict[str, list[tuple[Any, ...]]]:
    """Every row, from a fold in memory, in the order of keys."""
    events = [event for batch in read(connection, 0, upto) for event in batch]
    folded = fold(Shops, events)
    return {
        name: sorted((tuple(map(ground.keyring.open, astuple(row))) for row in rows), key=repr)
        for name, rows in folded.rows.items()
    }


def in_tables(connection: Connection, schema_name: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a build, as a fold would have it."""
    found = {}
    for table in Shops.tables.values():
        relation = sql.Identifier(schema_name, table.name)
        rows = connection.execute(sql.SQL("SELECT * FROM {}").format(relation)).fetchall()
        arrays = [column.is_array for column in table.columns]
        found[table.name] = sorted(
            (tuple(tuple(value) if array else value for value, array in zip(row, arrays, strict=True)) for row in rows),
            key=repr,
        )
    return found
