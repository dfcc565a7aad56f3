"""Reads of the receivables: lists, what is overdue, aging, statuses, punctuality and statements."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from api.answers.shapes.common import AnyObject, page_of
from api.answers.shapes.receivables import Aging, Punctuality, Statement, Statuses
from api.requests.asking import ID, MOMENT, Asked, Parameter, grouped_by
from api.requests.reading import add_read, looking_at, one_record, paged
from api.services import Services
from ledger.errors import NotFound
from projections import receivables

BY = grouped_by(receivables.DIMENSIONS, "country")
CUSTOMER = Parameter(
    "customer_id", "uuid", "Whose statement it is.", "0192f0c1-7d5a-7cc3-a1b2-0123456789ab", required=True
)
FROM_ON = Parameter(
    "from_on", "date", "The first day; what lies before it is the opening balance.", "2026-01-01", required=True
)
UNTIL_ON = Parameter("until_on", "date", "The last day; the day asked about when left out.", "2026-03-31")


def list_receivables(crm: Services, asked: Asked) -> Any:
    """Receivables as they stood at the end of a day."""
    with looking_at(crm, "receivables", asked) as moment:
        return paged(receivables.page(moment.connection, asked.query, moment.on), moment)


def list_overdue(crm: Services, asked: Asked) -> Any:
    """What was open and past due at the end of a day, the most overdue first."""
    with looking_at(crm, "receivables", asked) as moment:
        return paged(receivables.overdue(moment.connection, asked.query, moment.on), moment)


def read_receivable(crm: Services, asked: Asked) -> Any:
    """One receivable at the end of a day, with its payments, disputes and reminders by then."""
    with looking_at(crm, "receivables", asked) as moment:
        found = receivables.one(moment.connection, asked.id, moment.on)
        return one_record("receivable", asked.id, found, moment)


def read_aging(crm: Services, asked: Asked) -> Any:
    """What was invoiced, collected, open and overdue at the end of a day, the open by days past due."""
    with looking_at(crm, "receivables", asked) as moment:
        return receivables.aging(moment.connection, moment.on, asked.get("by", ())) | {"position": moment.position}


def read_statuses(crm: Services, asked: Asked) -> Any:
    """How many customers and receivables have which payment status at the end of a day."""
    with looking_at(crm, "receivables", asked) as moment:
        return receivables.by_status(moment.connection, moment.on) | {"position": moment.position}


def read_punctuality(crm: Services, asked: Asked) -> Any:
    """Of what was paid by a day: how much was paid late, and how many days late."""
    with looking_at(crm, "receivables", asked) as moment:
        found = receivables.punctuality(moment.connection, moment.on, asked.get("by", ()))
        return found | {"position": moment.position}


def read_statement(crm: Services, asked: Asked) -> Any:
    """A customer's statement of account in a period, both days included, in each currency."""
    with looking_at(crm, "receivables", asked) as moment:
        until_on = asked.get("until_on") or moment.on
        customer_id = asked.get("customer_id")
        found = receivables.statement(moment.connection, customer_id, asked.get("from_on"), until_on)
        if found is None:
            raise NotFound("customer", customer_id)
        return found | {"position": moment.position}


def add_receivable_reads(router: APIRouter) -> None:
    """Puts these reads on the router; the reports stand before `{id}`, which would take their names for ids."""
    lists: list[tuple[str, Any, str, Any]] = [
        ("/receivables", list_receivables, "Receivable", receivables.RECEIVABLES),
        ("/receivables/overdue", list_overdue, "Overdue", receivables.OVERDUE),
    ]
    for path, reading, name, listing in lists:
        add_read(
            router,
            path,
            reading,
            shows=page_of(name, listing),
            action="read-receivables",
            takes=MOMENT,
            listing=listing,
        )
    reports: list[tuple[str, Any, Any, tuple[Parameter, ...]]] = [
        ("/receivables/aging", read_aging, Aging, (BY,)),
        ("/receivables/statuses", read_statuses, Statuses, ()),
        ("/receivables/punctuality", read_punctuality, Punctuality, (BY,)),
        ("/receivables/statements", read_statement, Statement, (CUSTOMER, FROM_ON, UNTIL_ON)),
    ]
    for path, reading, shape, more in reports:
        add_read(router, path, reading, shows=shape, action="read-reports", takes=(*MOMENT, *more))
    add_read(
        router, "/receivables/{id}", read_receivable, shows=AnyObject, action="read-receivables", takes=(ID, *MOMENT)
    )
