"""A small ledger is folded where the question is answered: starting processes would take longer than folding."""

from __future__ import annotations

from typing import Any

import pytest

from integration.engine_help import everything_in, progress_of
from integration.shops import Shops, Trade
from projections.engine.build import building, parts
from projections.engine.build.building import PROCESSES, Builder
from projections.engine.ground import Connection, Ground


def test_processes_are_started_only_for_ledgers_that_are_worth_it(
    ground: Ground, connection: Connection, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []

    def noting(ground: Ground, stretch: Any, processes: int, report: Any) -> None:
        used.append(processes)
        parts.fill(ground, stretch, processes, report)

    monkeypatch.setattr(building, "fill", noting)
    head = trade.steps(60)
    copy = Builder(ground).copy_as_of(Shops, head, progress_of(connection, "as-of", Shops, head))
    monkeypatch.setattr(building, "WORTH_PROCESSES", head)
    rebuilt = Builder(ground).rebuild(Shops, progress_of(connection, "rebuild", Shops))
    assert used == [0, PROCESSES]
    assert everything_in(connection, rebuilt, Shops) == everything_in(connection, copy, Shops)
