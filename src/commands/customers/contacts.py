"""The persons to speak to at a customer."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from aggregates.customer import Customer
from commands.base import Changed, Command, Work
from commands.fields import Email, Line, Mobile, Phone

CONTACT_FIELDS = ("name", "title", "mobile", "phone", "email", "is_main", "is_decision_maker")


class NewContact(BaseModel):
    """A person to speak to (CON-1)."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    name: Line = Field(description="The person's name.", examples=["王经理"])
    title: Line | None = Field(None, description="The position held.", examples=["采购主管"])
    mobile: Mobile | None = Field(None, description="A mobile number: 11 digits, or a foreign one in E.164.")
    phone: Phone | None = Field(None, description="An office or home number, with its area code.")
    email: Email | None = None
    is_main: bool | None = Field(None, description="The main contact; the first one is, unless it is said otherwise.")
    is_decision_maker: bool = Field(False, description="Whether this person decides.")

    def add_to(self, customer: Customer, contact_id: UUID) -> None:
        """Make it a contact of the customer."""
        customer.add_contact(contact_id, **{name: getattr(self, name) for name in CONTACT_FIELDS})


class AddContact(NewContact, Command):
    """Add a person to speak to."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "王经理", "title": "技术负责人", "mobile": "13812345678"}]}
    )

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Add the contact to the customer."""
        customer = work.load(Customer, to)
        self.add_to(customer, work.new_id())
        return (customer,)


class ReviseContact(Command):
    """Change what is known of a contact: only what is given, null clears it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"contact_id": "0192f0c1-7d5a-7cc3-a1b2-0123456789ab", "title": "副总经理", "is_main": True}]
        }
    )

    contact_id: UUID
    name: Line | None = Field(None, description="The person's name; it can be changed, not cleared.")
    title: Line | None = None
    mobile: Mobile | None = None
    phone: Phone | None = None
    email: Email | None = None
    is_main: bool | None = None
    is_decision_maker: bool | None = None

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Revise the contact of the customer."""
        customer = work.load(Customer, to)
        customer.revise_contact(self.contact_id, **self.given(*CONTACT_FIELDS))
        return (customer,)


class RemoveContact(Command):
    """Take a contact off the customer."""

    contact_id: UUID

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Remove the contact of the customer."""
        customer = work.load(Customer, to)
        customer.remove_contact(self.contact_id)
        return (customer,)
