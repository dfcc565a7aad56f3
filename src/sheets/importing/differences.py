"""What a row says today that was recorded otherwise when it was imported, as far as the records still tell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from aggregates.base import Aggregate, personal_fields
from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.product import Product
from aggregates.receivable import Receivable
from aggregates.team import Team
from ledger.errors import NotFound
from sheets.importing.rehearsal import Shelf
from sheets.mapping.plan import Planned, Step

MADE: Mapping[str, type[Aggregate]] = {
    "AddProduct": Product,
    "FormTeam": Team,
    "IssueReceivable": Receivable,
    "OpenOpportunity": Opportunity,
    "RegisterCustomer": Customer,
    "RegisterMember": Member,
}
"""What is made by the commands that a row may begin with."""

PERSONAL: frozenset[str] = frozenset().union(
    *(
        personal_fields(event)
        for event in (Customer.Registered, Opportunity.Opened, Receivable.Issued, Member.Registered)
    )
)
"""Fields whose recorded values a report, which is kept, does not repeat."""

UNKNOWN = object()
Difference = dict[str, str | None]


def differences(ledger: Shelf, row: Planned) -> list[Difference]:
    """Column by column: what the file has (`found`) and what is recorded, null where that is not shown."""
    made = next((step for step in row.steps if type(step.command).__name__ in MADE), None)
    if made is None or made.new_id is None:
        return []
    try:
        aggregate = ledger.load(MADE[type(made.command).__name__], made.new_id)
    except NotFound:
        return []
    found: dict[str, Difference] = {}
    for step in row.steps:
        for field, column in step.columns.items():
            recorded, said = _recorded(aggregate, step, field), getattr(step.command, field)
            if recorded is not UNKNOWN and recorded != said:
                hidden = field in PERSONAL or isinstance(recorded, UUID) or isinstance(said, UUID)
                shown = None if hidden else "" if recorded is None else str(recorded)
                found.setdefault(column, {"column": column, "recorded": shown, "found": row.shown(column)})
    return list(found.values())


def _recorded(aggregate: Any, step: Step, field: str) -> Any:
    """What the aggregate has for a field of a command, where the two mean the same."""
    name = type(step.command).__name__
    if name in MADE:
        for known in (aggregate.__dict__, *(getattr(aggregate, more, {}) for more in ("profile", "details", "data"))):
            if field in known:
                return known[field]
    if name == "WinOpportunity" and aggregate.status == "won":
        return {"amount": aggregate.amount, "occurred_on": aggregate.entries[-1].closed_on}.get(field, UNKNOWN)
    if name == "ReceivePayment" and len(aggregate.payments) == 1:
        (payment,) = aggregate.payments.values()
        return {"amount": payment.amount, "occurred_on": payment.received_on}.get(field, UNKNOWN)
    return UNKNOWN
