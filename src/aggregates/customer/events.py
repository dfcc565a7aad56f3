"""What can happen to a customer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from aggregates.base import Claim, Created, Event, Personal, personal_fields


@dataclass(frozen=True, kw_only=True)
class ProfileFields:
    """What the master sheet says about a customer (CUS-1 to CUS-6, CUS-9, CUS-10, CUS-13)."""

    name: Personal[str | None] = None
    industry: str | None = None
    market: str | None = None
    tier: str | None = None
    lead_source: str | None = None
    region: str | None = None
    country: str | None = None
    company_size: str | None = None
    address: Personal[str | None] = None
    phone: Personal[str | None] = None
    email: Personal[str | None] = None
    distance: str | None = None
    business_category: str | None = None
    unsuitable_visiting_time: str | None = None
    personality: Personal[str | None] = None
    need: Personal[str | None] = None
    budget: Personal[str | None] = None
    notes: Personal[str | None] = None
    first_contact_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class ContactFields:
    """What is known of a person at the customer (CON-1)."""

    SUBJECT: ClassVar[str] = "contact_id"

    contact_id: UUID
    name: Personal[str | None] = None
    title: str | None = None
    mobile: Personal[str | None] = None
    phone: Personal[str | None] = None
    email: Personal[str | None] = None
    is_main: bool | None = None
    is_decision_maker: bool | None = None


PROFILE = tuple(field.name for field in fields(ProfileFields))
CONTACT = tuple(field.name for field in fields(ContactFields) if field.name != "contact_id")
CONTACT_FLAGS = ("is_main", "is_decision_maker")
ERASED_CONTACT = {**dict.fromkeys(CONTACT), **dict.fromkeys(CONTACT_FLAGS, False), "erased": True}
"""What is left of a contact."""


class CustomerEvents:
    """The events of a customer, from the first contact to the archive."""

    class Registered(ProfileFields, Created):
        """The customer was entered, with a code of its own."""

        TOPIC = "customer.registered"
        code: str
        kind: str
        legacy_code: str | None = None
        owner_id: UUID | None = None
        lifecycle: str = "potential"
        churn_reason: str | None = None
        category: str | None = None
        placeholder: bool = False

        def claims(self) -> Iterator[Claim]:
            """The code, and the code of an older system, belong to one customer each (CUS-8)."""
            yield Claim("customer-code", self.code)
            if self.legacy_code is not None:
                yield Claim("legacy-code", self.legacy_code)

        def apply(self, aggregate: Any) -> None:
            """This is what is known of it."""
            aggregate.profile = {name: getattr(self, name) for name in PROFILE}

    class ProfileRevised(ProfileFields, Event):
        """Some of the profile was changed: the fields that `changed` names take the values given here."""

        TOPIC = "customer.profile-revised"
        changed: tuple[str, ...]

        def apply(self, aggregate: Any) -> None:
            """The named fields are these now."""
            aggregate.profile = aggregate.profile | {name: getattr(self, name) for name in self.changed}

    class ContactAdded(ContactFields, Event):
        """A person to speak to was added."""

        TOPIC = "customer.contact-added"

        def apply(self, aggregate: Any) -> None:
            """There is one contact more."""
            known = {name: getattr(self, name) for name in CONTACT}
            aggregate.contacts = aggregate.contacts | {self.contact_id: known}
            aggregate.people = (*aggregate.people, self.contact_id)

    class ContactRevised(ContactFields, Event):
        """Some of what is known of a contact was changed: the fields that `changed` names."""

        TOPIC = "customer.contact-revised"
        changed: tuple[str, ...]

        def apply(self, aggregate: Any) -> None:
            """The named fields of the contact are these now."""
            revised = {name: getattr(self, name) for name in self.changed}
            aggregate.contacts = aggregate.contacts | {self.contact_id: aggregate.contacts[self.contact_id] | revised}

    class ContactRemoved(Event):
        """The contact is no longer somebody to speak to."""

        TOPIC = "customer.contact-removed"
        contact_id: UUID

    class OwnerAssigned(Event):
        """Another member became responsible, or nobody."""

        TOPIC = "customer.owner-assigned"
        owner_id: UUID | None

    class Categorised(Event):
        """The customer was put into a category by need and decision power (LIF-3, CUS-6)."""

        TOPIC = "customer.categorised"
        category: str | None

    class LifecycleMoved(Event):
        """The customer became potential, interested, won or churned (LIF-1, LIF-2)."""

        TOPIC = "customer.lifecycle-moved"
        lifecycle: str
        occurred_on: date
        churn_reason: str | None = None
        basis: str | None = None

    class IntentSet(Event):
        """It was found out whether the customer wants something; `call_back` counts the call-backs so far (LIF-4)."""

        TOPIC = "customer.intent-set"
        intent: str
        call_back: int | None = None

    class Tagged(Event):
        """A tag was put on the customer (GRD-8)."""

        TOPIC = "customer.tagged"
        tag: str

    class Untagged(Event):
        """A tag was taken off the customer."""

        TOPIC = "customer.untagged"
        tag: str

    class FollowUpLogged(Event):
        """Somebody, the follower, spoke with the customer or tried to (FUP-1 to FUP-10)."""

        TOPIC = "customer.follow-up-logged"
        follow_up_id: UUID
        occurred_at: datetime
        method: str
        follower_id: UUID | None = None
        participants: Personal[str | None] = None
        interaction: str | None = None
        subject: Personal[str | None] = None
        content: Personal[str | None] = None
        feedback: Personal[str | None] = None
        attitude: str | None = None
        progress: int | None = None
        intent: str | None = None
        result: str | None = None
        deal_on: date | None = None
        answered: bool = True
        contact_id: UUID | None = None
        next_contact_on: date | None = None
        next_action: Personal[str | None] = None
        is_call_back: bool = False

    class Archived(Event):
        """The customer was put away: nothing changes until it is reopened."""

        TOPIC = "customer.archived"
        CHANGES = ("is_archived",)

    class Reopened(Event):
        """The customer was taken out of the archive."""

        TOPIC = "customer.reopened"
        CHANGES = ("is_archived",)

    class ContactErased(Event):
        """What was known of one person at the customer was erased for good: nobody can read it any more."""

        TOPIC = "customer.contact-erased"
        CHANGES = ("contacts",)
        contact_id: UUID
        subjects: tuple[UUID, ...]

        def erases(self) -> tuple[UUID, ...]:
            """The person."""
            return self.subjects

        def apply(self, aggregate: Any) -> None:
            """There is nobody behind the contact any more; one of former times stays away."""
            aggregate.erased_people = (*aggregate.erased_people, *self.subjects)
            if self.contact_id in aggregate.contacts:
                aggregate.contacts = aggregate.contacts | {self.contact_id: dict(ERASED_CONTACT)}

    class Erased(Event):
        """What was known of the customer and of all its contacts, former ones too, was erased for good."""

        TOPIC = "customer.erased"
        CHANGES = (*PROFILE, "contacts", "erased", "is_archived")
        subjects: tuple[UUID, ...]

        def erases(self) -> tuple[UUID, ...]:
            """The customer, and everybody who ever was a contact of it."""
            return self.subjects

        def apply(self, aggregate: Any) -> None:
            """What is left is what is no personal data; nothing is done with it any more."""
            aggregate.erased_people = (*aggregate.erased_people, *self.subjects)
            aggregate.contacts = {one: dict(ERASED_CONTACT) for one in aggregate.contacts}
            unreadable = {name: None for name in PROFILE if name in personal_fields(type(aggregate).Registered)}
            aggregate.profile = aggregate.profile | unreadable
            aggregate.erased = aggregate.is_archived = True
