"""Receivables one by one: a list to filter and sort, the overdue ones, and one with all that happened to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from projections.engine.lists.filtering import Column
from projections.engine.lists.listing import Listing, Page
from projections.engine.lists.query import Query
from projections.receivables.standing import (
    BUCKETS,
    CUSTOMER,
    CUSTOMER_FACTS,
    EACH_STANDING,
    MEMBER,
    MEMBER_TEAM,
    OVERDUE_STANDING,
    STANDING,
    STATUSES,
    TEAM,
    TEAM_REGION,
)

_SELECTED: LiteralString = """
    SELECT r.receivable_id AS id, r.version, r.customer_id, c.name AS customer, c.code AS customer_code,
        r.opportunity_id, r.order_no, r.instalment, r.invoice_no, r.description, r.amount, r.currency,
        r.issued_on, r.due_on, r.terms_days, r.requested_then AS requested,
        r.collected_then AS collected, r.written_off_then AS written_off, r.open_then AS open,
        r.status, r.is_overdue AS overdue, r.partly_paid, r.days_past_due, r.bucket,
        r.status IN ('awaiting', 'overdue', 'unpaid') AS reminder_expected,
        (SELECT max(n.occurred_on) FROM reminders n
            WHERE n.receivable_id = r.receivable_id AND n.occurred_on <= %(on)s) AS reminded_on,
        EXISTS (SELECT FROM disputes d WHERE d.receivable_id = r.receivable_id
            AND d.from_on <= %(on)s AND (d.until_on IS NULL OR d.until_on > %(on)s)) AS disputed,
        CASE WHEN r.status IN ('paid', 'written-off') THEN (
            SELECT max(v.occurred_on) FROM movements v
            WHERE v.receivable_id = r.receivable_id AND v.occurred_on <= %(on)s) END AS settled_on,
        cf.owner_id, m.name AS owner, mt.team_id, t.name AS team,
        coalesce(cf.region, tr.region) AS region, tr.region AS team_region,
        cf.industry, cf.region AS customer_region, cf.country, cf.source, r.recorded_at, r.changed_at
    FROM """

_JOINS: LiteralString = (
    " " + CUSTOMER + " " + CUSTOMER_FACTS + " " + MEMBER + " " + MEMBER_TEAM + " " + TEAM + " " + TEAM_REGION
)
_SOURCE: LiteralString = "(" + _SELECTED + STANDING + _JOINS + ") x"
_ONE: LiteralString = "(" + _SELECTED + EACH_STANDING + _JOINS + ") x"
_OVERDUE: LiteralString = "(" + _SELECTED + OVERDUE_STANDING + _JOINS + ") x"

RECEIVABLES = Listing(
    columns={
        "id": Column("x.id", "uuid", nullable=False, sortable=True),
        "version": Column("x.version", "number", nullable=False),
        "customer_id": Column("x.customer_id", "uuid", nullable=False),
        "customer": Column("x.customer", "text", sortable=True),
        "customer_code": Column("x.customer_code", "text", sortable=True),
        "opportunity_id": Column("x.opportunity_id", "uuid"),
        "order_no": Column("x.order_no", "text", sortable=True),
        "instalment": Column("x.instalment", "number", nullable=False),
        "invoice_no": Column("x.invoice_no", "text", sortable=True),
        "description": Column("x.description", "text"),
        "amount": Column("x.amount", "decimal", nullable=False, sortable=True),
        "currency": Column("x.currency", "text", nullable=False),
        "issued_on": Column("x.issued_on", "date", nullable=False, sortable=True),
        "due_on": Column("x.due_on", "date", nullable=False, sortable=True),
        "terms_days": Column("x.terms_days", "number"),
        "requested": Column("x.requested", "bool", nullable=False),
        "collected": Column("x.collected", "decimal", nullable=False, sortable=True),
        "written_off": Column("x.written_off", "decimal", nullable=False, sortable=True),
        "open": Column("x.open", "decimal", nullable=False, sortable=True),
        "status": Column("x.status", "enum", nullable=False, sortable=True, choices=STATUSES),
        "overdue": Column("x.overdue", "bool", nullable=False),
        "partly_paid": Column("x.partly_paid", "bool", nullable=False),
        "days_past_due": Column("x.days_past_due", "number", sortable=True),
        "bucket": Column("x.bucket", "enum", choices=BUCKETS),
        "reminder_expected": Column("x.reminder_expected", "bool", nullable=False),
        "reminded_on": Column("x.reminded_on", "date", sortable=True),
        "disputed": Column("x.disputed", "bool", nullable=False),
        "settled_on": Column("x.settled_on", "date", sortable=True),
        "owner_id": Column("x.owner_id", "uuid"),
        "owner": Column("x.owner", "text", sortable=True),
        "team_id": Column("x.team_id", "uuid"),
        "team": Column("x.team", "text", sortable=True),
        "region": Column("x.region", "text", sortable=True),
        "industry": Column("x.industry", "text"),
        "customer_region": Column("x.customer_region", "text"),
        "team_region": Column("x.team_region", "text"),
        "country": Column("x.country", "text"),
        "source": Column("x.source", "text"),
        "recorded_at": Column("x.recorded_at", "instant", nullable=False, sortable=True),
        "changed_at": Column("x.changed_at", "instant", nullable=False, sortable=True),
    },
    search=("x.invoice_no", "x.order_no", "x.customer", "x.customer_code", "x.description"),
    default_sort="due_on",
)
OVERDUE = replace(RECEIVABLES, default_sort="due_on,-open")

_MOVEMENTS: LiteralString = """
    SELECT seq, kind, occurred_on, amount, currency, payment_id, method, note, recorded_at
    FROM movements WHERE receivable_id = %(id)s AND occurred_on <= %(on)s ORDER BY occurred_on, seq"""
_DISPUTES: LiteralString = """
    SELECT from_on, CASE WHEN until_on <= %(on)s THEN until_on END AS until_on, note,
        CASE WHEN until_on <= %(on)s THEN settlement END AS settlement
    FROM disputes WHERE receivable_id = %(id)s AND from_on <= %(on)s ORDER BY seq"""
_REMINDERS: LiteralString = """
    SELECT occurred_on, channel, note, recorded_at
    FROM reminders WHERE receivable_id = %(id)s AND occurred_on <= %(on)s ORDER BY occurred_on, seq"""


def page(connection: Connection[Any], query: Query, on: date) -> Page:
    """A page of what was issued by a day, as it stood at the end of it. Raises QueryRefused."""
    return RECEIVABLES.page(connection, query, source=_SOURCE, params={"on": on})


def overdue(connection: Connection[Any], query: Query, on: date) -> Page:
    """A page of what was open and past due at the end of a day, the most overdue first. Raises QueryRefused."""
    return OVERDUE.page(connection, query, source=_OVERDUE, params={"on": on})


def one(connection: Connection[Any], id: UUID, on: date) -> dict[str, Any] | None:
    """One receivable at the end of a day, with its movements, disputes and reminders by then; None if not issued."""
    asked = {"id": id, "on": on}
    found = RECEIVABLES.page(connection, Query(limit=1), source=_ONE, where="x.id = %(id)s", params=asked).items
    if not found:
        return None
    with connection.cursor(row_factory=dict_row) as cursor:
        movements = cursor.execute(_MOVEMENTS, asked).fetchall()
        disputes = cursor.execute(_DISPUTES, asked).fetchall()
        reminders = cursor.execute(_REMINDERS, asked).fetchall()
    return found[0] | {"movements": movements, "disputes": disputes, "reminders": reminders}
