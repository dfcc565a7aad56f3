"""What integration tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from integration.serving import Api
    from integration.shops import Trade
    from ledger.database import Database
    from ledger.ledger import Ledger
    from ledger.sealing import Keyring
    from projections.engine.ground import Connection, Ground


@pytest.fixture(scope="module")
def api(server: str) -> Iterator[Api]:
    """The service over HTTP on a fresh workspace, for all tests of a file."""
    from integration.serving import serving

    with serving(server) as served:
        yield served


@pytest.fixture
def ground(database: Database, keyring: Keyring) -> Ground:
    """The workspace, to build read models on."""
    from projections.engine.ground import Ground

    return Ground(database, keyring)


@pytest.fixture
def connection(ground: Ground) -> Iterator[Connection]:
    """A connection of one's own."""
    with ground.connection() as opened:
        yield opened


@pytest.fixture
def trade(ledger: Ledger) -> Trade:
    """Shops in which things happen."""
    from integration.shops import Trade

    return Trade(ledger)
