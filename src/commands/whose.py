"""Whose something new is to be."""

from __future__ import annotations

from uuid import UUID

from aggregates.customer import Customer
from aggregates.opportunity.refusals import CustomerUnclear
from commands.work import Work


def customer_of(to: UUID | None, customer_id: UUID | None, work: Work) -> Customer:
    """The active customer that the command is done to, or that it names; one of them, or both the same.

    Raises CustomerUnclear, CustomerArchived, NotFound.
    """
    named = {one for one in (to, customer_id) if one is not None}
    if len(named) != 1:
        raise CustomerUnclear
    return work.customer(named.pop())
