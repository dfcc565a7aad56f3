"""The funnel: how many opportunities stand in each stage on a day, what they are worth, and how the closed ones ended.

OPP-4, OPP-5, RPT-5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, LiteralString

from psycopg import Connection, sql

from projections.dimensions import amount, grouping, in_order
from projections.pipeline.fold import OPEN, WON
from projections.pipeline.standing import DIMENSIONS, STANDING, STANDS

NOTHING = Decimal("0.00")
Stages = Mapping[Any, list[str]]
"""The stages of each pipeline, in order."""

_FUNNEL = sql.SQL("""
    SELECT {columns}, o.pipeline_id, s.stage, s.outcome, count(*),
        sum(CASE s.outcome WHEN 'won' THEN s.amount WHEN 'open' THEN f.amount END),
        array_agg(s.entered_on - o.opened_on) FILTER (WHERE s.outcome = 'won')
    FROM {standing} {joins}
    WHERE {stands}
    GROUP BY {grouped}, o.pipeline_id, s.stage, s.outcome""")

_STAGES: LiteralString = """
    SELECT pl.pipeline_id, array_remove(array_agg(ps.key ORDER BY ps.seq), NULL)
    FROM pipelines pl LEFT JOIN pipeline_stages ps USING (pipeline_id)
    GROUP BY pl.pipeline_id, pl.name ORDER BY pl.name, pl.pipeline_id"""


def funnel(connection: Connection[Any], on: date, by: Sequence[str] = ()) -> dict[str, Any]:
    """The funnel on a day, by any of DIMENSIONS and always by currency. Raises UnknownGrouping."""
    grouped = grouping(by, DIMENSIONS, "coalesce(s.currency, f.currency)")
    standing, stands = sql.SQL(STANDING), sql.SQL(STANDS)
    statement = _FUNNEL.format(
        columns=grouped.columns, grouped=grouped.grouped, joins=grouped.joins, standing=standing, stands=stands
    )
    groups: dict[tuple[Any, ...], _Group] = {}
    for row in connection.execute(statement, {"on": on}):
        key = row[: len(grouped.names)]
        groups.setdefault(key, _Group(grouped.key(key))).take(*row[len(grouped.names) :])
    stages = pipeline_stages(connection)
    return {"on": on, "groups": in_order({key: group.shown(stages) for key, group in groups.items()})}


def pipeline_stages(connection: Connection[Any]) -> Stages:
    """The open stages of every pipeline, in order."""
    return dict(connection.execute(_STAGES).fetchall())


class _Group:
    """What one group of the funnel adds up to."""

    def __init__(self, key: dict[str, str | None]) -> None:
        self.key = key
        self.pipelines: set[Any] = set()
        self.standing: Counter[str] = Counter()
        self.amounts: dict[str, Decimal] = {}
        self.won = self.lost = 0
        self.won_amount: Decimal | None = None
        self.cycles: Counter[int] = Counter()

    def take(
        self, pipeline_id: Any, stage: str, outcome: str, count: int, worth: Decimal | None, cycles: list[int] | None
    ) -> None:
        """Adds one line of the result: so many opportunities of one pipeline, stage and outcome."""
        self.pipelines.add(pipeline_id)
        if outcome == OPEN:
            self.standing[stage] += count
            if worth is not None:
                self.amounts[stage] = self.amounts.get(stage, Decimal(0)) + worth
        elif outcome == WON:
            self.won += count
            self.cycles.update(cycles or ())
            if worth is not None:
                self.won_amount = (self.won_amount or Decimal(0)) + worth
        else:
            self.lost += count

    def shown(self, stages: Stages) -> dict[str, Any]:
        """The group as the answer shows it."""
        closed, standing = self.won + self.lost, self.standing.total()
        return {
            "key": self.key,
            "stages": [
                {
                    "stage": stage,
                    "count": self.standing[stage],
                    "share": self.standing[stage] / standing if standing else None,
                    "amount": summed(self.amounts.get(stage), self.standing[stage]),
                }
                for stage in self._stages(stages)
            ],
            "won": self.won,
            "lost": self.lost,
            "win_rate": self.won / closed if closed else None,
            "won_amount": summed(self.won_amount, self.won),
            "cycle_days": {"mean": mean(self.cycles), "median": median(self.cycles)},
        }

    def _stages(self, stages: Stages) -> list[str]:
        """The stages of the group's pipelines in order; at the end those that a pipeline no longer has."""
        known = [stage for pipeline, keys in stages.items() if pipeline in self.pipelines for stage in keys]
        return list(dict.fromkeys([*known, *sorted(self.standing)]))


def summed(worth: Decimal | None, count: int) -> str | None:
    """The sum over so many opportunities: that of none is known, that of amounts nobody knows is not."""
    return amount(worth if count else NOTHING)


def mean(days: Counter[int]) -> float | None:
    """The mean of so many days each counted; none of nothing."""
    return sum(day * count for day, count in days.items()) / days.total() if days else None


def median(days: Counter[int]) -> float | None:
    """The middle one, or the mean of the two in the middle; none of nothing."""
    if not days:
        return None
    upper, lower = days.total() // 2, (days.total() - 1) // 2
    return (_at(days, lower) + _at(days, upper)) / 2


def _at(days: Counter[int], place: int) -> int:
    for day in sorted(days):
        place -= days[day]
        if place < 0:
            return day
    raise IndexError(place)
