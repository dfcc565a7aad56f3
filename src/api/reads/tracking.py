"""Reads of the tracking table: customers as a salesperson's sheet shows them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.answers.problems import FieldFault, invalid
from api.answers.shapes.common import page_of
from api.answers.shapes.tracking import WonCustomers
from api.requests.asking import AFTER, AS_OF, MOMENT, Asked, Parameter
from api.requests.reading import add_read, looking_at, paged
from api.services import Services
from projections.tracking import queries
from projections.tracking.columns import LISTING

FROM_ON = Parameter("from_on", "date", "The first day.", "2026-01-01")
UNTIL_ON = Parameter("until_on", "date", "The last day.", "2026-03-31")


def list_customers(crm: Services, asked: Asked) -> Any:
    """Customers, to filter, sort and search (part of a name in Chinese, in pinyin or its initials, a code, a number).

    Five digits or more are found in telephone numbers, too. Balances and other sums are filtered and sorted by what
    they are in the workspace's currency: 0 where there is nothing in it.
    """
    return list_tracking(crm, asked)


def list_tracking(crm: Services, asked: Asked) -> Any:
    """The tracking table: one row a customer, with last and next contact, open business, balances and flags.

    What is overdue, due or late is so on the day asked about.
    """
    with looking_at(crm, "tracking", asked) as moment:
        return paged(queries.page(moment.connection, asked.query, moment.on), moment)


def list_due(crm: Services, asked: Asked) -> Any:
    """Whom to contact on or before a day, the most overdue first."""
    with looking_at(crm, "tracking", asked) as moment:
        return paged(queries.due(moment.connection, asked.query, moment.on), moment)


def list_won(crm: Services, asked: Asked) -> Any:
    """The customers with whom a deal was made in a follow-up, its day within a period."""
    missing = [name for name in ("from_on", "until_on") if asked.get(name) is None]
    if missing:
        raise invalid(*(FieldFault("query", f"/{name}", "missing") for name in missing))
    with looking_at(crm, "tracking", asked) as moment:
        found = queries.won_customers(moment.connection, asked.get("from_on"), asked.get("until_on"))
        return found | {"position": moment.position}


def add_tracking_reads(router: APIRouter) -> None:
    """Puts these reads on the router."""
    for path, reading, name in (
        ("/customers", list_customers, "Customer"),
        ("/tracking", list_tracking, "Tracked"),
        ("/tracking/due", list_due, "Due"),
    ):
        shape = page_of(name, LISTING, style=(dict[str, Any], ...))
        add_read(router, path, reading, shows=shape, action="read-tracking", takes=MOMENT, listing=LISTING)
    takes = (AS_OF, AFTER, FROM_ON, UNTIL_ON)
    add_read(router, "/tracking/won", list_won, shows=WonCustomers, action="read-tracking", takes=takes)
