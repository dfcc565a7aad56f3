"""Pipeline and receivables kept up to date event by event say what a fresh fold says, in one part or in several."""

from __future__ import annotations

import pytest

from integration.engine_help import applier_on, begin, catch_up, everything_in, progress_of
from integration.trading import Company
from ledger.ledger import Ledger
from projections.engine.build.building import Builder
from projections.engine.ground import Connection, Ground
from projections.engine.model.declaration import Projection
from projections.engine.verifying import verify
from projections.pipeline import Pipeline
from projections.receivables import Receivables


@pytest.mark.parametrize("projection", [Pipeline, Receivables])
@pytest.mark.parametrize("seed", [1, 2])
def test_live_is_what_a_rebuild_says(
    ground: Ground, connection: Connection, ledger: Ledger, projection: type[Projection], seed: int
) -> None:
    company = Company(ledger, seed)
    live = begin(ground, projection)
    applier = applier_on(ground, connection, projection)
    for steps in (1, 1, 20, 1, 150, 3):
        company.works(steps)
        catch_up(applier, connection, projection)
    proof = verify(ground, projection)
    assert proof.position == ledger.head()
    assert proof.rows > 50
    assert proof.differences == []
    kept_up = everything_in(connection, live, projection)
    rebuilt = Builder(ground, processes=2).rebuild(projection, progress_of(connection, "rebuild", projection))
    assert everything_in(connection, rebuilt, projection) == kept_up
    assert [name for name, rows in kept_up.items() if not rows] == ["settings"]
