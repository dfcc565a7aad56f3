"""Whatever is asked for: kept up, rebuilt, in parts or as of a moment, read models say the same, and the truth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.settings import ConfigureWorkspace
from crm.migrate import migrate
from integration.engine_help import applier_on, begin, everything_in, progress_of
from integration.histories import Ask, Company, histories
from integration.reconciling import Truth
from keys import MASTER_KEY
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.sealing import Keyring
from projections import ALL
from projections.engine.build.building import Builder
from projections.engine.build.parts import Stretch, fill_part
from projections.engine.events import next_events
from projections.engine.ground import Connection, Ground
from projections.engine.model.declaration import Projection
from projections.engine.tables import builds
from projections.engine.tables.builds import Build
from projections.engine.verifying import verify
from projections.history import History
from projections.pipeline import Pipeline
from projections.receivables import Receivables
from projections.tracking import Tracking
from workspaces import dropped_afterwards

Told = dict[str, list[tuple[Any, ...]]]
few = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Place:
    """A workspace of its own, for one history."""

    ledger: Ledger
    ground: Ground
    connection: Connection


@contextmanager
def a_place(server: str) -> Iterator[Place]:
    """A fresh workspace."""
    with dropped_afterwards(server) as schema:
        migrate(server, schema)
        database = Database(server, schema, role="genjin_app", min_size=1, max_size=6)
        keyring = Keyring(database, MASTER_KEY)
        ledger, ground = Ledger(database, keyring), Ground(database, keyring)
        try:
            with ground.connection() as connection:
                yield Place(ledger, ground, connection)
        finally:
            ledger.close()
            database.close()


@few
@given(
    told=histories,
    batch=st.sampled_from([1, 3, 500]),
    rows_in_memory=st.sampled_from([None, 0, 4]),
    parts=st.integers(1, 4),
    at=st.integers(0, 7),
)
def test_every_read_model_says_the_same_however_it_was_built(
    server: str, told: list[list[Ask]], batch: int, rows_in_memory: int | None, parts: int, at: int
) -> None:
    with a_place(server) as place:
        company = Company(place.ledger)
        live = {projection: begin(place.ground, projection) for projection in ALL}
        then: dict[int, dict[type[Projection], Told]] = {}
        for piece in [[], *told]:
            for ask in piece:
                company.ask(ask)
            for projection in ALL:
                follow(place, projection, batch)
            head = place.ledger.head()
            then[head] = {each: everything_in(place.connection, live[each], each) for each in ALL}
        moment = sorted(then)[at % len(then)]
        for projection in ALL:
            now = then[head][projection]
            assert anew(place, projection, head, parts, rows_in_memory) == now
            assert anew(place, projection, moment, 1, None) == then[moment][projection]
            assert verify(place.ground, projection, rows_in_memory=rows_in_memory).differences == []
            if projection is not History:
                assert copied(place, projection, moment, rows_in_memory) == then[moment][projection]
                assert copied(place, projection, head, rows_in_memory) == now
        assert [row for row in then[head][History]["events"] if position_of(row) <= moment] == (
            then[moment][History]["events"]
        )


@pytest.mark.parametrize("processes", [1, 2])
@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(told=histories)
def test_processes_say_what_was_kept_up(server: str, told: list[list[Ask]], processes: int) -> None:
    with a_place(server) as place:
        company = Company(place.ledger)
        for projection in ALL:
            begin(place.ground, projection)
        for ask in [ask for piece in told for ask in piece]:
            company.ask(ask)
        for projection in ALL:
            live = follow(place, projection, 7)
            kept_up = everything_in(place.connection, live, projection)
            progress = progress_of(place.connection, "rebuild", projection)
            rebuilt = Builder(place.ground, processes=processes).rebuild(projection, progress)
            assert everything_in(place.connection, rebuilt, projection) == kept_up


@few
@given(told=histories)
def test_read_models_say_what_the_aggregates_say(server: str, told: list[list[Ask]]) -> None:
    with a_place(server) as place:
        company = Company(place.ledger)
        live = {projection: begin(place.ground, projection) for projection in (Tracking, Pipeline, Receivables)}
        for ask in [ask for piece in told for ask in piece if ask.command is not ConfigureWorkspace]:
            company.ask(ask)
        for projection in live:
            follow(place, projection, 10)
        truth = Truth(place.ledger, company.made, company.door.work().calendar)
        truth.tracking(place.connection, live[Tracking])
        truth.pipeline(place.connection, live[Pipeline])
        truth.receivables(place.connection, live[Receivables])


def follow(place: Place, projection: type[Projection], batch: int) -> Build:
    """Keep the live one up to date, so many events at a time."""
    applier = applier_on(place.ground, place.connection, projection)
    while True:
        events, position = next_events(place.connection, projection, applier.position, batch)
        if position == applier.position:
            return applier.build
        applier.apply(events, position)


def anew(place: Place, projection: type[Projection], upto: int, parts: int, rows_in_memory: int | None) -> Told:
    """Build it from the events up to a position, in so many parts, one after the other."""
    build = builds.begin_build(place.connection, place.ground.schema, projection)
    stretch = Stretch(projection, build.schema_name, 0, upto, rows_in_memory=rows_in_memory)
    for number in range(parts):
        fill_part(place.ground, stretch, (number, parts) if parts > 1 else None, lambda position: None)
    told = everything_in(place.connection, build, projection)
    builds.drop_build(place.connection, build.schema_name)
    return told


def copied(place: Place, projection: type[Projection], moment: int, rows_in_memory: int | None) -> Told:
    """What a copy as of a position says, continued from an earlier copy where there is one near enough."""
    progress = progress_of(place.connection, "as-of", projection, moment)
    builder = Builder(place.ground, processes=0, rows_in_memory=rows_in_memory)
    return everything_in(place.connection, builder.copy_as_of(projection, moment, progress), projection)


def position_of(row: tuple[Any, ...]) -> int:
    """The position in a row of the history, which begins with it."""
    return int(str(row[0]).partition(",")[0].removeprefix("("))
