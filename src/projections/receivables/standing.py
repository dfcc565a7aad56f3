"""The receivables as they stood at the end of a day: what was collected, given up and open by then, and the status.

Balances are today's sums less what moved after the day, so that the usual question (about today) reads no movements.
"""

from __future__ import annotations

from typing import LiteralString

from projections.dimensions import Dimension

# A write-off settles what is open without being a payment: with nothing collected it has a status of its own; with
# some collected the rest was forgiven, and it counts as paid (CATALOGUE ORD-2, 19.8).
_BALANCES: LiteralString = """
    SELECT r.*,
        r.amount - (r.collected - coalesce(l.collected, 0)) - (r.written_off - coalesce(l.written_off, 0)) AS open_then,
        r.collected - coalesce(l.collected, 0) AS collected_then,
        r.written_off - coalesce(l.written_off, 0) AS written_off_then,
        r.requested OR EXISTS (
            SELECT FROM reminders n WHERE n.receivable_id = r.receivable_id AND n.occurred_on <= %(on)s
        ) AS requested_then
    FROM receivables r """
_LATER_OF_ALL: LiteralString = """LEFT JOIN (
        SELECT receivable_id, sum(collected) AS collected, sum(written_off) AS written_off
        FROM movements WHERE occurred_on > %(on)s GROUP BY receivable_id
    ) l ON l.receivable_id = r.receivable_id"""
_LATER_OF_EACH: LiteralString = """LEFT JOIN LATERAL (
        SELECT sum(v.collected) AS collected, sum(v.written_off) AS written_off
        FROM movements v
        WHERE v.receivable_id = r.receivable_id AND v.occurred_on > %(on)s AND r.moved_on > %(on)s
    ) l ON TRUE"""
_ISSUED: LiteralString = " WHERE r.issued_on <= %(on)s"

_DERIVED: LiteralString = """
    SELECT b.*, b.open_then > 0 AND b.due_on < %(on)s AS is_overdue,
        CASE WHEN b.open_then > 0 AND b.due_on < %(on)s THEN %(on)s - b.due_on END AS days_past_due,
        b.open_then > 0 AND b.collected_then > 0 AS partly_paid,
        CASE
            WHEN b.open_then > 0 AND b.due_on < %(on)s THEN 'overdue'
            WHEN b.open_then > 0 AND b.collected_then > 0 THEN 'partial'
            WHEN b.open_then > 0 AND b.requested_then THEN 'awaiting'
            WHEN b.open_then > 0 THEN 'unpaid'
            WHEN b.collected_then > 0 THEN 'paid'
            WHEN b.written_off_then > 0 THEN 'written-off'
            ELSE 'unpaid'
        END AS status,
        CASE
            WHEN b.open_then <= 0 THEN NULL
            WHEN b.due_on >= %(on)s THEN 'current'
            WHEN b.due_on >= %(on)s - 30 THEN '1-30'
            WHEN b.due_on >= %(on)s - 60 THEN '31-60'
            WHEN b.due_on >= %(on)s - 90 THEN '61-90'
            ELSE '90+'
        END AS bucket
    FROM ("""

STANDING: LiteralString = "(" + _DERIVED + _BALANCES + _LATER_OF_ALL + _ISSUED + ") b) r"
"""For sums over all of them: what moved later is added up once."""
EACH_STANDING: LiteralString = "(" + _DERIVED + _BALANCES + _LATER_OF_EACH + _ISSUED + ") b) r"
"""For a few of them: what moved later is looked up for each."""
_MAY_BE_OVERDUE: LiteralString = " AND r.due_on < %(on)s AND (r.open > 0 OR r.moved_on > %(on)s)"
OVERDUE_STANDING: LiteralString = (
    "(" + _DERIVED + _BALANCES + _LATER_OF_EACH + _ISSUED + _MAY_BE_OVERDUE + ") b WHERE b.open_then > 0) r"
)
"""The overdue ones only, found by index: what is overdue on a day is open still, or moved later."""

STATUSES = ("paid", "awaiting", "partial", "overdue", "unpaid", "written-off")
REMINDED_STATUSES = ("awaiting", "overdue", "unpaid")
"""Those that a reminder is sent for (REM-9)."""
BUCKETS = ("current", "1-30", "31-60", "61-90", "90+")

CUSTOMER: LiteralString = "LEFT JOIN customers c ON c.customer_id = r.customer_id"
CUSTOMER_FACTS: LiteralString = """LEFT JOIN customer_facts cf ON cf.customer_id = r.customer_id
        AND cf.from_on <= %(on)s AND (cf.until_on IS NULL OR cf.until_on > %(on)s)"""
MEMBER: LiteralString = "LEFT JOIN members m ON m.member_id = cf.owner_id"
MEMBER_TEAM: LiteralString = """LEFT JOIN member_teams mt ON mt.member_id = cf.owner_id
        AND mt.from_on <= %(on)s AND (mt.until_on IS NULL OR mt.until_on > %(on)s)"""
TEAM: LiteralString = "LEFT JOIN teams t ON t.team_id = mt.team_id"
TEAM_REGION: LiteralString = """LEFT JOIN team_regions tr ON tr.team_id = mt.team_id
        AND tr.from_on <= %(on)s AND (tr.until_on IS NULL OR tr.until_on > %(on)s)"""

DIMENSIONS = {
    "customer": Dimension((("customer_id", "r.customer_id"),), (CUSTOMER,), label=("customer", "c.name")),
    "owner": Dimension((("owner_id", "cf.owner_id"),), (CUSTOMER_FACTS, MEMBER), label=("owner", "m.name")),
    "team": Dimension((("team_id", "mt.team_id"),), (CUSTOMER_FACTS, MEMBER_TEAM, TEAM), label=("team", "t.name")),
    "region": Dimension((("region", "coalesce(cf.region, tr.region)"),), (CUSTOMER_FACTS, MEMBER_TEAM, TEAM_REGION)),
    "team_region": Dimension((("team_region", "tr.region"),), (CUSTOMER_FACTS, MEMBER_TEAM, TEAM_REGION)),
    "customer_region": Dimension((("customer_region", "cf.region"),), (CUSTOMER_FACTS,)),
    "country": Dimension((("country", "cf.country"),), (CUSTOMER_FACTS,)),
    "industry": Dimension((("industry", "cf.industry"),), (CUSTOMER_FACTS,)),
    "source": Dimension((("source", "cf.source"),), (CUSTOMER_FACTS,)),
    "month": Dimension((("month", "to_char(r.issued_on, 'YYYY-MM')"),)),
}
"""How receivables may be grouped. The owner is the customer's on the day, and the team that owner's then; a region is
the customer's on the day, else that of the owner's team (`customer_region` and `team_region` are each alone); the month
is that of issue."""
