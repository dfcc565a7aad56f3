"""Putting customers away and taking them out again."""

from __future__ import annotations

from uuid import UUID

from aggregates.customer import Customer
from commands import owners
from commands.base import Changed, Command, Work


class ArchiveCustomer(Command):
    """Put the customer away: nothing changes until it is reopened."""

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Archive it."""
        customer = work.load(Customer, to)
        customer.archive()
        return (customer,)


class ReopenCustomer(Command):
    """Take the customer out of the archive; where its owner has left or is suspended, you own it from then on."""

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Reopen it."""
        customer = work.load(Customer, to)
        customer.reopen()
        owners.replace_inactive_owner_of_customer(customer, work)
        return (customer,)
