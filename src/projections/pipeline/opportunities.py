"""Opportunities one by one: a list to filter and sort, and one with its way through the stages (OPP-1 to 3)."""

from __future__ import annotations

from datetime import date
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from projections.engine.lists.filtering import Column
from projections.engine.lists.listing import Listing, Page
from projections.engine.lists.query import Query
from projections.pipeline.standing import (
    CUSTOMER,
    CUSTOMER_FACTS,
    MEMBER,
    MEMBER_TEAM,
    PIPELINE,
    PRODUCT,
    STANDING,
    STANDS,
    TEAM,
    TEAM_REGION,
)

_SELECTED: LiteralString = """
    SELECT o.opportunity_id AS id, o.version, o.number, o.name,
        o.customer_id, c.name AS customer, c.code AS customer_code, o.pipeline_id, pl.name AS pipeline,
        s.stage, s.outcome, s.entered_on AS stage_entered_on, %(on)s - s.entered_on AS days_in_stage,
        o.opened_on, CASE WHEN s.outcome <> 'open' THEN s.entered_on END AS closed_on,
        CASE s.outcome WHEN 'won' THEN s.amount ELSE f.amount END AS amount,
        coalesce(s.currency, f.currency) AS currency,
        f.owner_id, m.name AS owner, mt.team_id, t.name AS team,
        coalesce(cf.region, tr.region) AS region, tr.region AS team_region,
        f.product_id, p.name AS product, p.series AS product_series,
        cf.industry, cf.region AS customer_region, cf.country, coalesce(f.source, cf.source) AS source,
        o.expected_close_on, s.loss_reason, o.decision_maker, o.competitors, o.risks, o.plan, o.progress, o.flags,
        o.recorded_at, o.changed_at
    FROM """

_FROM: LiteralString = (
    STANDING
    + " "
    + CUSTOMER
    + " "
    + CUSTOMER_FACTS
    + " "
    + MEMBER
    + " "
    + MEMBER_TEAM
    + " "
    + TEAM
    + " "
    + TEAM_REGION
    + " "
    + PRODUCT
    + " "
    + PIPELINE
)
_SOURCE: LiteralString = "(" + _SELECTED + _FROM + " WHERE " + STANDS + ") x"

OPPORTUNITIES = Listing(
    columns={
        "id": Column("x.id", "uuid", nullable=False, sortable=True),
        "version": Column("x.version", "number", nullable=False),
        "number": Column("x.number", "text", sortable=True),
        "name": Column("x.name", "text", sortable=True),
        "customer_id": Column("x.customer_id", "uuid", nullable=False),
        "customer": Column("x.customer", "text", sortable=True),
        "customer_code": Column("x.customer_code", "text", sortable=True),
        "pipeline_id": Column("x.pipeline_id", "uuid", nullable=False),
        "pipeline": Column("x.pipeline", "text"),
        "stage": Column("x.stage", "text", nullable=False, sortable=True),
        "outcome": Column("x.outcome", "enum", nullable=False, sortable=True, choices=("open", "won", "lost")),
        "stage_entered_on": Column("x.stage_entered_on", "date", nullable=False, sortable=True),
        "days_in_stage": Column("x.days_in_stage", "number", nullable=False, sortable=True),
        "opened_on": Column("x.opened_on", "date", nullable=False, sortable=True),
        "closed_on": Column("x.closed_on", "date", sortable=True),
        "amount": Column("x.amount", "decimal", sortable=True),
        "currency": Column("x.currency", "text", nullable=False),
        "owner_id": Column("x.owner_id", "uuid"),
        "owner": Column("x.owner", "text", sortable=True),
        "team_id": Column("x.team_id", "uuid"),
        "team": Column("x.team", "text", sortable=True),
        "region": Column("x.region", "text", sortable=True),
        "product_id": Column("x.product_id", "uuid"),
        "product": Column("x.product", "text", sortable=True),
        "product_series": Column("x.product_series", "text"),
        "industry": Column("x.industry", "text"),
        "customer_region": Column("x.customer_region", "text"),
        "team_region": Column("x.team_region", "text"),
        "country": Column("x.country", "text"),
        "source": Column("x.source", "text"),
        "expected_close_on": Column("x.expected_close_on", "date", sortable=True),
        "loss_reason": Column("x.loss_reason", "text"),
        "decision_maker": Column("x.decision_maker", "text"),
        "competitors": Column("x.competitors", "text"),
        "risks": Column("x.risks", "text"),
        "plan": Column("x.plan", "text"),
        "progress": Column("x.progress", "number", sortable=True),
        "flags": Column("x.flags", "tags", nullable=False),
        "recorded_at": Column("x.recorded_at", "instant", nullable=False, sortable=True),
        "changed_at": Column("x.changed_at", "instant", nullable=False, sortable=True),
    },
    search=("x.name", "x.number", "x.customer", "x.customer_code"),
    default_sort="-changed_at",
)

_ENTRIES: LiteralString = """
    SELECT s.seq, s.stage, s.outcome, s.entered_on,
        CASE WHEN s.left_on <= %(on)s THEN s.left_on END AS left_on,
        least(s.left_on, %(on)s) - s.entered_on AS days, s.amount, s.currency, s.loss_reason, s.recorded_at
    FROM stages s WHERE s.opportunity_id = %(id)s AND s.entered_on <= %(on)s ORDER BY s.seq"""

_FACTS: LiteralString = """
    SELECT nullif(f.from_on, date '0001-01-01') AS from_on, f.until_on, f.amount, f.currency, f.owner_id,
        m.name AS owner, f.product_id, p.name AS product, f.source
    FROM opportunity_facts f LEFT JOIN members m ON m.member_id = f.owner_id
        LEFT JOIN products p ON p.product_id = f.product_id
    WHERE f.opportunity_id = %(id)s AND f.from_on <= %(on)s ORDER BY f.from_on"""


def page(connection: Connection[Any], query: Query, on: date) -> Page:
    """A page of the opportunities that existed on a day, with the facts of that day. Raises QueryRefused."""
    return OPPORTUNITIES.page(connection, query, source=_SOURCE, params={"on": on})


def one(connection: Connection[Any], id: UUID, on: date) -> dict[str, Any] | None:
    """One opportunity as of a day, the stages it went through by then and what it was worth; None if it is not there.

    `stages` holds every entry with the days spent in it (up to `on` for the present one); `facts` what held from
    when, the first one from the beginning (null).
    """
    asked = {"id": id, "on": on}
    found = OPPORTUNITIES.page(connection, Query(limit=1), source=_SOURCE, where="x.id = %(id)s", params=asked).items
    if not found:
        return None
    with connection.cursor(row_factory=dict_row) as cursor:
        entries = cursor.execute(_ENTRIES, asked).fetchall()
        return found[0] | {"stages": entries, "facts": cursor.execute(_FACTS, asked).fetchall()}
