"""The columns of the tracking table that can be shown, filtered and sorted."""

from __future__ import annotations

from typing import LiteralString

from aggregates.choices import Attitude, Category, Inclination, Intent, Kind, Lifecycle, Market, Method, Result, Tier
from projections.engine.lists.filtering import Column
from projections.engine.lists.listing import Listing
from projections.tracking.finding import found
from projections.tracking.flags import FLAGS

SOURCE: LiteralString = """customers c
    LEFT JOIN members m ON m.member_id = c.owner_id
    LEFT JOIN members f ON f.member_id = c.last_follower_id
    LEFT JOIN teams t ON t.team_id = m.team_id
    LEFT JOIN contacts p ON p.customer_id = c.customer_id AND p.contact_id = c.contact_id"""

FLAGS_SHOWN: LiteralString = (
    "array_remove(ARRAY["
    + ", ".join(f"CASE WHEN {condition} THEN '{name}' END" for name, condition in FLAGS.items())
    + "], NULL)"
)

OVERDUE_BALANCE: LiteralString = """
    CASE WHEN c.open_receivables = 0 THEN '{}'::jsonb ELSE coalesce(
        (SELECT jsonb_object_agg(owed.currency, owed.total) FROM
            (SELECT r.currency, to_char(sum(r.open_amount), 'FM999999999999990.00') AS total FROM receivables r
             WHERE r.customer_id = c.customer_id AND r.open_amount > 0 AND r.due_on < %(on)s::date
             GROUP BY r.currency) owed), '{}'::jsonb) END"""


def _choice(sql: LiteralString, *choices: str, sortable: bool = False) -> Column:
    return Column(sql, "enum", choices=tuple(map(str, choices)), sortable=sortable)


OWN_CURRENCY: LiteralString = "coalesce((SELECT s.currency FROM settings s), 'CNY')"
"""The workspace's currency: amounts of several currencies are never added, so they are compared in this one."""

OVERDUE_IN_OWN_CURRENCY: LiteralString = """
    CASE WHEN c.open_receivables = 0 THEN 0 ELSE coalesce(
        (SELECT sum(r.open_amount) FROM receivables r
         WHERE r.customer_id = c.customer_id AND r.open_amount > 0 AND r.due_on < %(on)s::date
             AND r.currency = coalesce((SELECT s.currency FROM settings s), 'CNY')), 0) END"""


def _sums(sql: LiteralString) -> Column:
    """Sums by currency; filters and sorting take the one in the workspace's currency, 0 where there is none."""
    compared = f"coalesce(({sql} ->> {OWN_CURRENCY})::numeric, 0)"
    return Column(f"coalesce({sql}, '{{}}'::jsonb)", "decimal", sortable=True, nullable=False, compared=compared)


COLUMNS: dict[str, Column] = {
    "customer_id": Column("c.customer_id", "uuid", nullable=False, sortable=True),
    "code": Column("c.code", "text", nullable=False, sortable=True),
    "legacy_code": Column("c.legacy_code", "text", sortable=True),
    "name": Column("c.name", "text", sortable=True, order="c.name_key"),
    "kind": _choice("c.kind", *Kind),
    "industry": Column("c.industry", "text", sortable=True),
    "market": _choice("c.market", *Market),
    "tier": _choice("c.tier", *Tier),
    "source": Column("c.lead_source", "text", sortable=True),
    "region": Column("c.region", "text", sortable=True),
    "country": Column("c.country", "text", sortable=True),
    "company_size": Column("c.company_size", "text"),
    "category": _choice("c.category", *Category, sortable=True),
    "lifecycle": _choice("c.lifecycle", *Lifecycle, sortable=True),
    "lifecycle_on": Column("c.lifecycle_on", "date", sortable=True),
    "churn_reason": Column("c.churn_reason", "text"),
    "intent": _choice("c.intent", *Intent, sortable=True),
    "call_backs": Column("c.call_backs", "number", nullable=False, sortable=True),
    "tags": Column("coalesce(c.tags, '{}')", "tags"),
    "owner_id": Column("c.owner_id", "uuid"),
    "owner": Column("m.name", "text", sortable=True),
    "team_id": Column("m.team_id", "uuid"),
    "team": Column("t.name", "text", sortable=True),
    "team_region": Column("t.region", "text", sortable=True),
    "contact_id": Column("c.contact_id", "uuid"),
    "contact_name": Column("p.name", "text"),
    "contact_title": Column("p.title", "text"),
    "contact_mobile": Column("p.mobile", "text", masked=True),
    "contact_phone": Column("p.phone", "text", masked=True),
    "contact_email": Column("p.email", "text", masked=True),
    "contacts": Column("c.contacts", "number", nullable=False),
    "phone": Column("c.phone", "text", masked=True),
    "email": Column("c.email", "text", masked=True),
    "address": Column("c.address", "text", masked=True),
    "need": Column("c.need", "text"),
    "budget": Column("c.budget", "text"),
    "notes": Column("c.notes", "text"),
    "first_contact_on": Column("c.first_contact_on", "date", sortable=True),
    "registered_at": Column("c.registered_at", "instant", nullable=False, sortable=True),
    "follow_ups": Column("c.follow_ups", "number", nullable=False, sortable=True),
    "last_followed_up_at": Column("c.last_followed_up_at", "instant", sortable=True, nulls="smallest"),
    "last_follower_id": Column("c.last_follower_id", "uuid"),
    "last_follower": Column("f.name", "text", sortable=True),
    "last_method": _choice("c.last_method", *Method),
    "last_subject": Column("c.last_subject", "text"),
    "last_content": Column("c.last_content", "text"),
    "last_feedback": Column("c.last_feedback", "text"),
    "last_attitude": _choice("c.last_attitude", *Attitude),
    "last_inclination": _choice("c.last_inclination", *Inclination),
    "last_progress": Column("c.last_progress", "number", sortable=True, nulls="smallest"),
    "last_result": _choice("c.last_result", *Result),
    "unanswered": Column("c.unanswered", "number", nullable=False, sortable=True),
    "follow_up_due_on": Column("c.follow_up_due_on", "date", sortable=True),
    "next_contact_on": Column("c.next_contact_on", "date", sortable=True),
    "next_action": Column("c.next_action", "text"),
    "opportunities": Column("c.opportunities", "number", nullable=False),
    "open_opportunities": Column("c.open_opportunities", "number", nullable=False, sortable=True),
    "open_amount": _sums("c.open_amount"),
    "won_opportunities": Column("c.won_opportunities", "number", nullable=False, sortable=True),
    "won_amount": _sums("c.won_amount"),
    "receivables": Column("c.receivables", "number", nullable=False),
    "open_receivables": Column("c.open_receivables", "number", nullable=False, sortable=True),
    "open_balance": _sums("c.open_balance"),
    "overdue_balance": Column(
        OVERDUE_BALANCE, "decimal", sortable=True, nullable=False, compared=OVERDUE_IN_OWN_CURRENCY
    ),
    "placeholder": Column("c.placeholder", "bool", nullable=False),
    "version": Column("c.version", "number", nullable=False, ops=()),
    "position": Column("c.position", "number", nullable=False),
    "updated_at": Column("c.updated_at", "instant", nullable=False, sortable=True),
    "flags": Column(FLAGS_SHOWN, "tags"),
    **{name: Column(condition, "bool", nullable=False, shown=name == "archived") for name, condition in FLAGS.items()},
}

LISTING = Listing(
    columns=COLUMNS,
    search=found,
    default_sort="-last_followed_up_at",
    tie_break="customer_id",
)
