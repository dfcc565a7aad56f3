"""Conversion: how many that entered a stage went on from it, and how many customers of a source were won.

OPP-4, OPP-5, RPT-8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any, LiteralString

from psycopg import Connection, sql

from projections.dimensions import grouping, in_order
from projections.pipeline.funnel import Stages, mean, median, pipeline_stages
from projections.pipeline.standing import DIMENSIONS

# One line for each opportunity and stage it entered by the day. It went on when it was afterwards won or entered a
# stage that stands later in the pipeline. Won and lost entries bear the stage they happened in.
_PASSAGES = sql.SQL("""
    WITH entered AS (
        SELECT s.opportunity_id, s.stage, s.outcome, s.entered_on, s.left_on, ps.seq AS place,
            max(CASE s.outcome WHEN 'won' THEN 1000000 WHEN 'open' THEN ps.seq END) OVER (
                PARTITION BY s.opportunity_id ORDER BY s.seq DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS furthest_later
        FROM stages s JOIN opportunities o ON o.opportunity_id = s.opportunity_id
            LEFT JOIN pipeline_stages ps ON ps.pipeline_id = o.pipeline_id AND ps.key = s.stage
        WHERE s.entered_on <= %(on)s
    ), passages AS (
        SELECT opportunity_id, stage,
            coalesce(bool_or(furthest_later > coalesce(place, -1)) FILTER (WHERE outcome = 'open'), FALSE) AS went_on,
            bool_or(outcome = 'lost' AND (left_on IS NULL OR left_on > %(on)s)) AS is_lost,
            sum(left_on - entered_on) FILTER (WHERE outcome = 'open' AND left_on <= %(on)s) AS days
        FROM entered GROUP BY opportunity_id, stage
    )
    SELECT {columns}, o.pipeline_id, s.stage, s.went_on, s.is_lost, s.days, count(*)
    FROM passages s JOIN opportunities o ON o.opportunity_id = s.opportunity_id
        JOIN opportunity_facts f ON f.opportunity_id = s.opportunity_id
            AND f.from_on <= %(on)s AND (f.until_on IS NULL OR f.until_on > %(on)s)
        {joins}
    GROUP BY {grouped}, o.pipeline_id, s.stage, s.went_on, s.is_lost, s.days""")


def conversion(connection: Connection[Any], on: date, by: Sequence[str] = ()) -> dict[str, Any]:
    """For each stage up to a day: how many entered it, went on to a later one (or were won), or were lost from it.

    `days` are those spent in the stage by the opportunities that left it. By any of DIMENSIONS, always by currency.
    Raises UnknownGrouping.
    """
    grouped = grouping(by, DIMENSIONS, "f.currency")
    statement = _PASSAGES.format(columns=grouped.columns, grouped=grouped.grouped, joins=grouped.joins)
    groups: dict[tuple[Any, ...], _Passages] = {}
    for row in connection.execute(statement, {"on": on}):
        key = row[: len(grouped.names)]
        groups.setdefault(key, _Passages(grouped.key(key))).take(*row[len(grouped.names) :])
    stages = pipeline_stages(connection)
    return {"on": on, "groups": in_order({key: group.shown(stages) for key, group in groups.items()})}


class _Passages:
    """What one group of the conversion report adds up to."""

    def __init__(self, key: dict[str, str | None]) -> None:
        self.key = key
        self.pipelines: set[Any] = set()
        self.entered: Counter[str] = Counter()
        self.went_on: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        self.days: dict[str, Counter[int]] = {}

    def take(self, pipeline_id: Any, stage: str, went_on: bool, lost: bool, days: int | None, count: int) -> None:
        """Adds one line of the result."""
        self.pipelines.add(pipeline_id)
        self.entered[stage] += count
        self.went_on[stage] += count if went_on else 0
        self.lost[stage] += count if lost else 0
        if days is not None:
            self.days.setdefault(stage, Counter())[days] += count

    def shown(self, stages: Stages) -> dict[str, Any]:
        """The group as the answer shows it."""
        known = [stage for pipeline, keys in stages.items() if pipeline in self.pipelines for stage in keys]
        return {
            "key": self.key,
            "stages": [self._stage(stage) for stage in dict.fromkeys([*known, *sorted(self.entered)])],
        }

    def _stage(self, stage: str) -> dict[str, Any]:
        entered, days = self.entered[stage], self.days.get(stage, Counter())
        return {
            "stage": stage,
            "entered": entered,
            "went_on": self.went_on[stage],
            "lost": self.lost[stage],
            "rate": self.went_on[stage] / entered if entered else None,
            "days": {"mean": mean(days), "median": median(days)},
        }


_SOURCES: LiteralString = """
    WITH won AS (
        SELECT DISTINCT o.customer_id FROM stages s JOIN opportunities o USING (opportunity_id)
        WHERE s.outcome = 'won' AND s.entered_on <= %(on)s AND (s.left_on IS NULL OR s.left_on > %(on)s)
    )
    SELECT cf.source, count(*), count(*) FILTER (WHERE w.customer_id IS NOT NULL OR c.won_on <= %(on)s)
    FROM customers c LEFT JOIN won w ON w.customer_id = c.customer_id
        JOIN customer_facts cf ON cf.customer_id = c.customer_id
            AND cf.from_on <= %(on)s AND (cf.until_on IS NULL OR cf.until_on > %(on)s)
    WHERE NOT c.placeholder AND c.came_on <= %(on)s
        AND (%(from_on)s::date IS NULL OR c.came_on >= %(from_on)s)
        AND (%(until_on)s::date IS NULL OR c.came_on <= %(until_on)s)
    GROUP BY cf.source ORDER BY cf.source NULLS LAST"""


def sources(
    connection: Connection[Any], on: date, from_on: date | None = None, until_on: date | None = None
) -> dict[str, Any]:
    """Where the customers that came in a period (both days included) came from, and how many were won by a day."""
    rows = connection.execute(_SOURCES, {"on": on, "from_on": from_on, "until_on": until_on}).fetchall()
    customers = sum(count for _, count, _ in rows)
    return {
        "on": on,
        "from_on": from_on,
        "until_on": until_on,
        "groups": [
            {
                "key": {"source": source},
                "customers": count,
                "share": count / customers,
                "won": won,
                "conversion": won / count,
            }
            for source, count, won in rows
        ],
    }
