"""A customer as its events have made it, and what may happen to it next."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import event

from aggregates.base import Aggregate
from aggregates.business_days import Calendar
from aggregates.changes import changes
from aggregates.choices import Basis, Intent, Lifecycle, Result
from aggregates.customer.events import CONTACT_FLAGS
from aggregates.customer.events import CustomerEvents as Happened
from aggregates.customer.lifecycle import BASES_OF_WON, MOST_CALL_BACKS, USUAL_MOVES, is_decided, silent_until
from aggregates.customer.refusals import (
    CallBackIntentMissing,
    CallBackIntentUncalledFor,
    CallBacksEnded,
    ChurnReasonMissing,
    ChurnReasonUncalledFor,
    ChurnTooEarly,
    ContactUnknown,
    CustomerArchived,
    CustomerNotArchived,
    DealDateMissing,
    FollowUpInFuture,
    IntentUndecided,
    LifecycleAlready,
    LifecycleMovedLater,
    LifecycleMoveUnusual,
    NameMissing,
    NextContactTooEarly,
    WonWithoutBasis,
)
from aggregates.refusals import SubjectErased, require_past, require_reason


class Customer(Happened, Aggregate):
    """Somebody we sell to: a company or a person, its contacts, and how far we have come with it."""

    TOPIC = "customer"

    @classmethod
    def register(
        cls,
        id: UUID,
        *,
        code: str,
        kind: str,
        name: str,
        lifecycle: str = Lifecycle.POTENTIAL,
        churn_reason: str | None = None,
        **rest: Any,
    ) -> Self:
        """Enter a customer under a code of its own, with what else is known of it; one lost already says why."""
        if lifecycle == Lifecycle.CHURNED and not churn_reason:
            raise ChurnReasonMissing
        if lifecycle != Lifecycle.CHURNED and churn_reason:
            raise ChurnReasonUncalledFor
        said = {"lifecycle": str(lifecycle), "churn_reason": churn_reason, **rest}
        return cls.begin(cls.Registered, id=id, customer_id=id, code=code, kind=kind, name=name, **said)

    def __init__(
        self, code: str, legacy_code: str | None, owner_id: UUID | None, lifecycle: str, category: str | None
    ) -> None:
        self.code = code
        self.legacy_code = legacy_code
        self.owner_id = owner_id
        self.lifecycle = lifecycle
        self.lifecycle_moved_on: date | None = None
        self.won_on: date | None = None
        self.last_deal_on: date | None = None
        self.last_answered_at: datetime | None = None
        self.category = category
        self.intent: str | None = None
        self.call_backs = 0
        self.tags: frozenset[str] = frozenset()
        self.contacts: dict[UUID, dict[str, Any]] = {}
        self.profile: dict[str, Any] = {}
        self.is_archived = False
        self.erased = False
        self.people: tuple[UUID, ...] = ()
        self.erased_people: tuple[UUID, ...] = ()

    @property
    def customer_id(self) -> UUID:
        """Its own id: its history is its own."""
        return self.id

    def require_active(self) -> None:
        """Refuse what is not done with a customer in the archive, or with one that was erased."""
        self._require_kept()
        if self.is_archived:
            raise CustomerArchived(customer=self.code)

    def revise_profile(self, **given: Any) -> None:
        """Change the fields that are given and differ from what is known; None clears one."""
        self.require_active()
        if "name" in given and given["name"] is None:
            raise NameMissing
        changed = changes(self.profile, given)
        if changed:
            self.trigger_event(self.ProfileRevised, changed=tuple(changed), **changed)

    def add_contact(self, contact_id: UUID, *, is_main: bool | None = None, **given: Any) -> None:
        """Add a person to speak to; the first one is the main contact unless it is said otherwise."""
        self.require_active()
        becomes_main = not self.contacts if is_main is None else is_main
        if becomes_main:
            self._step_down(except_for=contact_id)
        self.trigger_event(self.ContactAdded, contact_id=contact_id, is_main=becomes_main, **given)

    def revise_contact(self, contact_id: UUID, **given: Any) -> None:
        """Change what is given and differs; a new main contact takes the place of the one before."""
        self.require_active()
        if "name" in given and given["name"] is None:
            raise NameMissing
        given = {name: value for name, value in given.items() if value is not None or name not in CONTACT_FLAGS}
        changed = changes(self._contact(contact_id), given)
        if changed.get("is_main"):
            self._step_down(except_for=contact_id)
        if changed:
            self.trigger_event(self.ContactRevised, contact_id=contact_id, changed=tuple(changed), **changed)

    def remove_contact(self, contact_id: UUID) -> None:
        """No longer speak to this person."""
        self.require_active()
        self._contact(contact_id)
        self._contact_removed(contact_id)

    def assign_owner(self, owner_id: UUID | None) -> None:
        """Make one member responsible, or nobody (SEC-7)."""
        self.require_active()
        if owner_id != self.owner_id:
            self._owner_assigned(owner_id)

    def hand_over(self, owner_id: UUID) -> None:
        """Make another member responsible in place of a leaver: in the archive too, and for what an erased one owes."""
        if owner_id != self.owner_id:
            self._owner_assigned(owner_id)

    def categorise(self, category: str | None) -> None:
        """Put it into a category, or into none."""
        self.require_active()
        if category != self.category:
            self._categorised(category)

    def tag(self, tag: str) -> None:
        """Put a tag on it."""
        self.require_active()
        if tag not in self.tags:
            self._tagged(tag)

    def untag(self, tag: str) -> None:
        """Take a tag off it."""
        self.require_active()
        if tag in self.tags:
            self._untagged(tag)

    def move_lifecycle(
        self,
        lifecycle: str,
        occurred_on: date,
        calendar: Calendar,
        *,
        basis: str | None = None,
        churn_reason: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Move it along potential, interested, won and churned; any other way only as a correction, with a reason.

        A reason is also needed for a customer that is given up although it dealt with us or answered lately (LIF-2).
        """
        self.require_active()
        if lifecycle == self.lifecycle:
            raise LifecycleAlready(lifecycle=lifecycle)
        usual = USUAL_MOVES[self.lifecycle]
        if lifecycle not in usual and not reason:
            raise LifecycleMoveUnusual(lifecycle=lifecycle, current=self.lifecycle, possible=usual)
        if lifecycle == Lifecycle.WON and basis not in BASES_OF_WON and not reason:
            raise WonWithoutBasis
        if lifecycle == Lifecycle.CHURNED and not churn_reason:
            raise ChurnReasonMissing
        if lifecycle != Lifecycle.CHURNED and churn_reason:
            raise ChurnReasonUncalledFor
        require_past("occurred_on", occurred_on, calendar.today)
        earlier = self.lifecycle_moved_on
        if earlier is not None and occurred_on < earlier and not reason:
            raise LifecycleMovedLater(occurred_on=occurred_on, earliest=earlier)
        if lifecycle == Lifecycle.CHURNED and not reason:
            self._require_silence(occurred_on, calendar)
        self._move(lifecycle, occurred_on, churn_reason=churn_reason, basis=basis)

    def become_won(self, occurred_on: date, basis: str) -> None:
        """Let a deal or a first payment win the customer, unless it is won, in the archive, or was lost after that day.

        What we learn late may lie before the last move: the move is then dated like that one, so that moves stay in
        order.
        """
        moved_on = self.lifecycle_moved_on or occurred_on
        was_lost_since = self.lifecycle == Lifecycle.CHURNED and occurred_on <= moved_on
        if self.lifecycle != Lifecycle.WON and not self.is_archived and not was_lost_since:
            self._move(Lifecycle.WON, max(occurred_on, moved_on), basis=basis)

    def set_intent(self, intent: str, today: date, *, is_call_back: bool = True, reason: str | None = None) -> None:
        """Note whether it wants something, found out by calling back or otherwise (LIF-4, LIF-5).

        At most three call-backs, the third of which may not end pending; with a decision they end. Who wants something
        has expressed it, and is no longer merely potential (LIF-2). Back to pending is a correction.
        """
        self.require_active()
        if is_call_back and is_decided(self.intent):
            raise CallBacksEnded(intent=str(self.intent), call_backs=self.call_backs)
        call_backs = self.call_backs + is_call_back
        if intent == Intent.PENDING:
            if call_backs >= MOST_CALL_BACKS:
                raise IntentUndecided(call_backs=call_backs)
            if is_decided(self.intent):
                require_reason(reason)
        if is_call_back or intent != self.intent:
            self._intent_set(intent, call_backs)
        if intent == Intent.YES and self.lifecycle == Lifecycle.POTENTIAL:
            day = max(today, self.lifecycle_moved_on or today)
            self._move(Lifecycle.INTERESTED, day, basis=Basis.INTENT_EXPRESSED)

    def log_follow_up(
        self,
        follow_up_id: UUID,
        occurred_at: datetime,
        calendar: Calendar,
        *,
        method: str,
        category: str | None = None,
        call_back_intent: str | None = None,
        is_call_back: bool = False,
        contact_id: UUID | None = None,
        next_contact_on: date | None = None,
        result: str | None = None,
        deal_on: date | None = None,
        **said: Any,
    ) -> None:
        """Note a conversation, or the attempt at one, and what follows from it.

        A category given here is the re-evaluation that every follow-up asks for (FUP-3); a call-back sets the intent;
        a deal wins the customer on its day.
        """
        self.require_active()
        day = calendar.day_of(occurred_at)
        if occurred_at > calendar.now:
            raise FollowUpInFuture(occurred_at=occurred_at, now=calendar.now)
        if next_contact_on is not None and next_contact_on < day:
            raise NextContactTooEarly(next_contact_on=next_contact_on, earliest=day)
        if contact_id is not None:
            self._contact(contact_id)
        if is_call_back and call_back_intent is None:
            raise CallBackIntentMissing
        if call_back_intent is not None and not is_call_back:
            raise CallBackIntentUncalledFor
        if result == Result.WON and deal_on is None:
            raise DealDateMissing
        if result == Result.WON and deal_on is not None:
            require_past("deal_on", deal_on, calendar.today)
        self.trigger_event(
            self.FollowUpLogged,
            follow_up_id=follow_up_id,
            occurred_at=occurred_at,
            method=method,
            contact_id=contact_id,
            next_contact_on=next_contact_on,
            result=result,
            deal_on=deal_on,
            is_call_back=is_call_back,
            **said,
        )
        if category is not None:
            self.categorise(category)
        if call_back_intent is not None:
            self.set_intent(call_back_intent, day)
        if result == Result.WON and deal_on is not None:
            self.become_won(deal_on, Basis.FOLLOW_UP.value)

    def archive(self) -> None:
        """Put it away."""
        self.require_active()
        self._archived()

    def reopen(self) -> None:
        """Take it out of the archive."""
        self._require_kept()
        if not self.is_archived:
            raise CustomerNotArchived(customer=self.code)
        self._reopened()

    def erase_contact(self, contact_id: UUID) -> None:
        """Make everything about one person unreadable for good, be it a former contact; doing so again does nothing."""
        if contact_id not in self.people:
            raise ContactUnknown(contact_id=contact_id)
        if contact_id not in self.erased_people:
            self.trigger_event(self.ContactErased, contact_id=contact_id, subjects=(contact_id,))

    def erase(self) -> None:
        """Make everything about the customer and its contacts unreadable for good; doing so again does nothing."""
        if not self.erased:
            contacts = tuple(one for one in self.people if one not in self.erased_people)
            self.trigger_event(self.Erased, subjects=(self.id, *contacts))

    def is_known(self, contact_id: UUID) -> bool:
        """Whether this person is or was a contact, erased or not."""
        return contact_id in self.people

    def _require_kept(self) -> None:
        if self.erased:
            raise SubjectErased(subject=self.id)

    def _require_silence(self, occurred_on: date, calendar: Calendar) -> None:
        dealt_on = max(filter(None, (self.won_on, self.last_deal_on)), default=None)
        answered_on = self.last_answered_at and calendar.day_of(self.last_answered_at)
        earliest = max((silent_until(day) for day in (dealt_on, answered_on) if day is not None), default=occurred_on)
        if earliest > occurred_on:
            days = {"dealt_on": dealt_on, "answered_on": answered_on}
            raise ChurnTooEarly(occurred_on=occurred_on, earliest=earliest, **days)

    def _move(self, lifecycle: str, occurred_on: date, *, basis: str | None, churn_reason: str | None = None) -> None:
        said = {"basis": basis and str(basis), "churn_reason": churn_reason}
        self.trigger_event(self.LifecycleMoved, lifecycle=str(lifecycle), occurred_on=occurred_on, **said)

    def _contact(self, contact_id: UUID) -> dict[str, Any]:
        if contact_id not in self.contacts:
            raise ContactUnknown(contact_id=contact_id)
        if contact_id in self.erased_people:
            raise SubjectErased(subject=contact_id)
        return self.contacts[contact_id]

    def _step_down(self, except_for: UUID) -> None:
        for contact_id, known in self.contacts.items():
            if known["is_main"] and contact_id != except_for:
                self.trigger_event(self.ContactRevised, contact_id=contact_id, changed=("is_main",), is_main=False)

    @event(Happened.ContactRemoved)
    def _contact_removed(self, contact_id: UUID) -> None:
        self.contacts = {one: known for one, known in self.contacts.items() if one != contact_id}

    @event(Happened.OwnerAssigned)
    def _owner_assigned(self, owner_id: UUID | None) -> None:
        self.owner_id = owner_id

    @event(Happened.Categorised)
    def _categorised(self, category: str | None) -> None:
        self.category = category

    @event(Happened.LifecycleMoved)
    def _lifecycle_moved(self, lifecycle: str, occurred_on: date) -> None:
        self.lifecycle = lifecycle
        self.lifecycle_moved_on = occurred_on
        if lifecycle == Lifecycle.WON:
            self.won_on = occurred_on

    @event(Happened.FollowUpLogged)
    def _follow_up_logged(
        self, occurred_at: datetime, answered: bool, result: str | None, deal_on: date | None
    ) -> None:
        if answered:
            self.last_answered_at = max(occurred_at, self.last_answered_at or occurred_at)
        if result == Result.WON and deal_on is not None:
            self.last_deal_on = max(deal_on, self.last_deal_on or deal_on)

    @event(Happened.IntentSet)
    def _intent_set(self, intent: str, call_back: int | None) -> None:
        self.intent = intent
        self.call_backs = call_back or self.call_backs

    @event(Happened.Tagged)
    def _tagged(self, tag: str) -> None:
        self.tags = self.tags | {tag}

    @event(Happened.Untagged)
    def _untagged(self, tag: str) -> None:
        self.tags = self.tags - {tag}

    @event(Happened.Archived)
    def _archived(self) -> None:
        self.is_archived = True

    @event(Happened.Reopened)
    def _reopened(self) -> None:
        self.is_archived = False
