"""Where a customer stands: its owner, category, lifecycle, intent and tags."""

from __future__ import annotations

from uuid import UUID

from pydantic import ConfigDict, Field

from aggregates.customer import Customer
from commands import owners
from commands.base import Changed, Command, Work
from commands.fields import BasisField, CategoryField, Day, IntentField, Label, LifecycleField, Line


class AssignOwner(Command):
    """Make one member responsible for the customer, or nobody."""

    owner_id: UUID | None = Field(description="The member; null for nobody.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Assign the owner of the customer."""
        customer = work.load(Customer, to)
        customer.assign_owner(owners.next_owner_of_customer(self.owner_id, work))
        return (customer,)


class Categorise(Command):
    """Put the customer into a category by need and decision power, or into none."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"category": "hot"}]})

    category: CategoryField | None

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Categorise the customer."""
        customer = work.load(Customer, to)
        customer.categorise(self.category)
        return (customer,)


class MoveLifecycle(Command):
    """Move the customer along potential, interested, won and churned.

    Won needs a basis (a contract or a first payment). Churned needs a churn_reason, and three calendar months without a
    deal and without an answer; sooner it is a deliberate exception, which needs a reason. So does any move other than
    the usual ones, which is a correction.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"lifecycle": "won", "basis": "contract", "occurred_on": "2026-01-31"},
                {"lifecycle": "churned", "churn_reason": "售后响应慢"},
            ]
        }
    )

    lifecycle: LifecycleField
    occurred_on: Day | None = Field(None, description="The day it happened; today when it is not said.")
    basis: BasisField | None = Field(None, description="What it rests on.")
    churn_reason: Line | None = Field(None, description="Why the customer was lost.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Move the lifecycle of the customer."""
        customer = work.load(Customer, to)
        customer.move_lifecycle(
            self.lifecycle,
            self.occurred_on or work.today,
            work.calendar,
            basis=self.basis,
            churn_reason=self.churn_reason,
            reason=self.reason,
        )
        return (customer,)


class SetIntent(Command):
    """Note whether the customer wants something, after calling back or otherwise.

    At most three call-backs, the third of which may not end pending; with an intent or without one they end.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"intent": "pending"}]})

    intent: IntentField
    is_call_back: bool = Field(True, description="Whether it was found out by calling back.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Set the intent of the customer."""
        customer = work.load(Customer, to)
        customer.set_intent(self.intent, work.today, is_call_back=self.is_call_back, reason=self.reason)
        return (customer,)


class Tag(Command):
    """Put a tag on the customer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tag": "高预算"}]})

    tag: Label

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Tag the customer."""
        customer = work.load(Customer, to)
        customer.tag(self.tag)
        return (customer,)


class Untag(Command):
    """Take a tag off the customer."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"tag": "高预算"}]})

    tag: Label

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Untag the customer."""
        customer = work.load(Customer, to)
        customer.untag(self.tag)
        return (customer,)
