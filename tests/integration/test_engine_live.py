"""Read models are kept up to date: exactly once each event, whoever runs, however it is interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from integration.shops import Delicate, Lines, Shops, Takings, Trade, working

from ledger.database import Database
from ledger.ledger import Ledger
from ledger.sealing import Keyring
from projections.engine import builds
from projections.engine.applying import Applier
from projections.engine.builds import Build
from projections.engine.building import Builder
from projections.engine.declaration import Projection
from projections.engine.failures import Overtaken, Undigested
from projections.engine.ground import Connection, Ground
from projections.engine.switching import step
from projections.engine.verifying import verify


@pytest.fixture
def ground(database: Database, keyring: Keyring) -> Ground:
    return Ground(database, keyring)


@pytest.fixture
def connection(ground: Ground) -> Iterator[Connection]:
    with ground.connection() as opened:
        yield opened


@pytest.fixture
def trade(ledger: Ledger) -> Trade:
    return Trade(ledger)


def begin(ground: Ground, projection: type[Projection]) -> Build:
    """Empty tables that are served."""
    build = Builder(ground).empty(projection)
    with ground.connection() as connection:
        builds.make_live(connection, build)
    return build


def applier_on(ground: Ground, connection: Connection, projection: type[Projection]) -> Applier:
    """Somebody who keeps the live one up to date."""
    live = builds.live_build(connection, projection)
    assert live is not None
    return Applier(projection, live, connection, ground.keyring)


def catch_up(applier: Applier, connection: Connection, projection: type[Projection]) -> None:
    while step(applier, connection, projection):
        pass


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
