"""Erasing persons: what was known of them becomes unreadable for good, in every event and everywhere else."""

from __future__ import annotations

from uuid import UUID

from pydantic import ConfigDict, Field

from aggregates.customer import Customer
from commands.base import Changed, Command, Work
from commands.fields import Prose


class EraseContact(Command):
    """Erase a person: everything about this contact, be it a former one, becomes unreadable for good.

    What was noted about the customer (notes, follow-ups) stays, also where it speaks of the person.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"contact_id": "0192f0c1-7d5a-7cc3-a1b2-0123456789ab", "reason": "联系人要求删除个人信息"},
            ]
        }
    )

    contact_id: UUID
    reason: Prose = Field(description="Why, without saying who: it stays readable.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Erase the contact of the customer."""
        customer = work.load(Customer, to)
        customer.erase_contact(self.contact_id)
        return (customer,)


class EraseCustomer(Command):
    """Erase a customer: everything about it and all its contacts, former ones too, becomes unreadable for good.

    Its code, its dates and the amounts of its deals stay; nothing more can be done with it.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "客户要求删除个人信息"}]})

    reason: Prose = Field(description="Why, without saying who: it stays readable.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Erase the customer."""
        customer = work.load(Customer, to)
        customer.erase()
        return (customer,)
