"""What can be asked of the tracking table, always for a day: what is overdue, due or late depends on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from projections.engine.lists.listing import Page
from projections.engine.lists.query import Query
from projections.tracking.columns import LISTING, SOURCE
from projections.tracking.finding import MET_ON_THE_WAY, ask_for_number, digits_part, few_found, part
from projections.tracking.flags import style

AMONG_THE_FOUND: LiteralString = "c.customer_id = ANY(%(found_ids)s)"
DUE: LiteralString = "NOT c.archived AND c.next_contact_on IS NOT NULL AND c.next_contact_on <= %(on)s::date"


def page(connection: Connection[Any], query: Query, on: date) -> Page:
    """One page of customers as they stand on the day, with `flags` and `style`. Raises QueryRefused."""
    return _page(connection, query, on)


def due(connection: Connection[Any], query: Query, on: date) -> Page:
    """Whom to contact on or before the day, the most overdue first unless sorted otherwise. Raises QueryRefused."""
    return _page(connection, replace(query, sort=query.sort or "next_contact_on"), on, where=DUE)


def one(connection: Connection[Any], customer_id: UUID, on: date) -> dict[str, Any] | None:
    """The row of one customer, or nothing."""
    found = LISTING.page(
        connection,
        Query(limit=1),
        source=SOURCE,
        where="c.customer_id = %(customer_id)s",
        params={"customer_id": customer_id, "on": on},
    )
    return _styled(found).items[0] if found.items else None


def won_customers(connection: Connection[Any], from_on: date, until_on: date) -> dict[str, Any]:
    """The customers with whom a deal was made in a follow-up, its day from the first to the last of these (FUP-6).

    `count` is the number of customers; `customers` has each of them once, with its first deal in the window and the
    salesperson who made it (`follower`).
    """
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            """
            SELECT * FROM (
                SELECT DISTINCT ON (d.customer_id) d.customer_id, c.code, c.legacy_code, c.name, c.tier, d.deal_on,
                       d.followed_up_on, d.method, d.progress, d.inclination, d.follower_id,
                       f.name AS follower, c.owner_id, m.name AS owner
                FROM deals d JOIN customers c USING (customer_id)
                LEFT JOIN members m ON m.member_id = c.owner_id
                LEFT JOIN members f ON f.member_id = d.follower_id
                WHERE d.deal_on BETWEEN %(from_on)s AND %(until_on)s
                ORDER BY d.customer_id, d.deal_on, d.position) won
            ORDER BY deal_on, customer_id
            """,
            {"from_on": from_on, "until_on": until_on},
        )
        customers = cursor.fetchall()
    return {"from": from_on, "until": until_on, "count": len(customers), "customers": customers}


def _page(connection: Connection[Any], query: Query, on: date, where: LiteralString | None = None) -> Page:
    params: dict[str, Any] = {"on": on}
    if query.q is not None:
        LISTING.check(query)
        ask_for_number(connection, query.q)
        ids = few_found(connection, query.q)
        search = MET_ON_THE_WAY if ids is None else AMONG_THE_FOUND
        params |= (
            {"found_part": part(query.q), "found_digits": digits_part(query.q)} if ids is None else {"found_ids": ids}
        )
        where = search if where is None else f"{where} AND {search}"
        query = replace(query, q=None, scope=f"{query.scope}\n{query.q}")
    return _styled(LISTING.page(connection, query, source=SOURCE, where=where, params=params))


def _styled(page: Page) -> Page:
    return replace(page, items=[{**item, "style": style(item["flags"])} for item in page.items])
