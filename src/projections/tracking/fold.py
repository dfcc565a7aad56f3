"""How each event changes the tracking table."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.receivable import Receivable
from aggregates.team import Team
from aggregates.workspace import Settings, Workspace
from projections.dimensions import day_of
from projections.engine import Projection, folds, table
from projections.engine.model.derived import derived, personal
from projections.tracking.cadence import follow_up_due
from projections.tracking.follow_ups import apply_follow_up
from projections.tracking.rows import (
    ContactRow,
    CustomerRow,
    DealingRow,
    DealRow,
    MemberRow,
    NamesRow,
    OpportunityRow,
    ReceivableRow,
    SettingsRow,
    TeamRow,
)
from projections.tracking.spelling import digits_text, pairs_text, search_text, sort_key
from projections.tracking.sums import added

CUSTOMER_PERSONAL = ("name", "address", "phone", "email", "need", "budget", "notes")
LAST_SAID = ("last_subject", "last_content", "last_feedback", "next_action")
NOT_SHOWN = frozenset({"distance", "business_category", "unsuitable_visiting_time", "personality"})
"""What the profile says beside what a sheet has room for; the customer's record and the history have it."""
CONTACT_PERSONAL = ("name", "mobile", "phone", "email")
CONTACT_FIELDS = ("name", "title", "mobile", "phone", "email")
DEFAULT_TIME_ZONE = Settings().time_zone
ONLY = 1
"""The key of the one row of settings."""


class Tracking(Projection):
    """The tracking table: one row a customer, with the last word, the next date, what is open and what is owed."""

    name, version = "tracking", 1

    customers = table(
        "customers",
        CustomerRow,
        key="customer_id",
        seen_by="customer_id",
        masked=("phone", "email", "address"),
        indexes=(
            "name_key, customer_id",
            "next_contact_on, customer_id",
            "last_followed_up_at NULLS FIRST, customer_id",
            "registered_at, customer_id",
            "follow_up_due_on, customer_id",
            "code, customer_id",
            "lifecycle, last_followed_up_at NULLS FIRST, customer_id",
            "owner_id, last_followed_up_at NULLS FIRST, customer_id",
            "owner_id, next_contact_on, customer_id",
            "owner_id, name_key, customer_id",
        ),
    )
    names = table(
        "names",
        NamesRow,
        key="customer_id",
        seen_by="customer_id",
        hidden=("digits",),
        indexes=(r"USING gin (string_to_array(pairs, E'\n')) WITH (fastupdate = off)",),
    )
    contacts = table(
        "contacts",
        ContactRow,
        key=("customer_id", "contact_id"),
        seen_by="customer_id",
        masked=("mobile", "phone", "email"),
    )
    opportunities = table("opportunities", OpportunityRow, key="opportunity_id", seen_by="customer_id")
    receivables = table(
        "receivables",
        ReceivableRow,
        key="receivable_id",
        seen_by="customer_id",
        indexes=("customer_id, due_on WHERE open_amount > 0",),
    )
    dealings = table(
        "dealings", DealingRow, key="dealing_id", seen_by="customer_id", indexes=("customer_id, occurred_on",)
    )
    deals = table(
        "deals",
        DealRow,
        key="position",
        append_only=True,
        seen_by="customer_id",
        indexes=("deal_on, customer_id",),
    )
    members = table("members", MemberRow, key="member_id", shared=True)
    teams = table("teams", TeamRow, key="team_id", shared=True)
    settings = table("settings", SettingsRow, key="settings_id", shared=True)

    @folds(Workspace.Configured)
    def configured(self, event: Workspace.Configured) -> None:
        """The business time zone says on which day a conversation took place."""
        row = self.settings.get(ONLY)
        if row is None:
            self.settings.add(SettingsRow(ONLY, event.time_zone, event.currency))
        else:
            row.time_zone, row.currency = event.time_zone, event.currency

    @folds(Team.Formed)
    def team_formed(self, event: Team.Formed) -> None:
        """Owners may belong to it."""
        self.teams.add(TeamRow(event.originator_id, event.name, event.region))

    @folds(Team.Renamed)
    def team_renamed(self, event: Team.Renamed) -> None:
        """The sheet shows the present name."""
        self.teams[event.originator_id].name = event.name

    @folds(Team.RegionAssigned)
    def region_assigned(self, event: Team.RegionAssigned) -> None:
        """The sheet shows the present region."""
        self.teams[event.originator_id].region = event.region

    @folds(Member.Registered)
    def member_registered(self, event: Member.Registered) -> None:
        """Somebody may own customers."""
        self.members.add(MemberRow(event.originator_id, event.name, event.team_id))

    @folds(Member.Renamed)
    def member_renamed(self, event: Member.Renamed) -> None:
        """The sheet shows the present name."""
        self.members[event.originator_id].name = event.name

    @folds(Member.Erased)
    def member_erased(self, event: Member.Erased) -> None:
        """The sheet shows no name."""
        self.members[event.originator_id].name = None

    @folds(Member.TeamAssigned)
    def team_assigned(self, event: Member.TeamAssigned) -> None:
        """The sheet shows the present team."""
        self.members[event.originator_id].team_id = event.team_id

    @folds(Customer.Registered)
    def registered(self, event: Customer.Registered) -> None:
        """A new row; until the first conversation the cadence counts from the first contact."""
        recorded_at = _recorded_at(event)
        day = self._day(recorded_at)
        name, address, phone, email, need, budget, notes = personal(event, CUSTOMER_PERSONAL)
        row = CustomerRow(
            customer_id=event.originator_id,
            code=event.code,
            legacy_code=event.legacy_code,
            kind=event.kind,
            placeholder=event.placeholder,
            registered_at=recorded_at,
            registered_on=day,
            position=_position(event),
            updated_at=recorded_at,
            version=event.originator_version,
            lifecycle=event.lifecycle,
            name=name,
            industry=event.industry,
            market=event.market,
            tier=event.tier,
            lead_source=event.lead_source,
            region=event.region,
            country=event.country,
            company_size=event.company_size,
            address=address,
            phone=phone,
            email=email,
            need=need,
            budget=budget,
            notes=notes,
            first_contact_on=event.first_contact_on,
            churn_reason=event.churn_reason,
            category=event.category,
            owner_id=event.owner_id,
            follow_up_due_on=follow_up_due(event.lifecycle, event.first_contact_on or day),
        )
        row.name_key = derived(sort_key, row.kind == "person", row.name)
        self.customers.add(row)
        self.names.add(NamesRow(row.customer_id, *_names_of(row, None)))

    @folds(Customer.ProfileRevised)
    def profile_revised(self, event: Customer.ProfileRevised) -> None:
        """The named fields are these now."""
        row = self._touched(event)
        for field in event.changed:
            if field not in NOT_SHOWN:
                setattr(row, field, getattr(event, field))
        if "name" in event.changed:
            row.name_key = derived(sort_key, row.kind == "person", row.name)
        if "name" in event.changed or "phone" in event.changed:
            shown = None if row.contact_id is None else self.contacts[(row.customer_id, row.contact_id)]
            self._found_by(row, shown)
        if "first_contact_on" in event.changed:
            self._set_cadence(row)

    @folds(Customer.ContactAdded)
    def contact_added(self, event: Customer.ContactAdded) -> None:
        """One more person; the first or the main one is shown."""
        row = self._touched(event)
        name, mobile, phone, email = personal(event, CONTACT_PERSONAL)
        contact = ContactRow(
            row.customer_id,
            event.contact_id,
            _position(event),
            bool(event.is_main),
            name,
            event.title,
            mobile,
            phone,
            email,
        )
        self.contacts.add(contact)
        row.contacts += 1
        if contact.is_main or row.contact_id is None:
            self._show_contact(row, contact)

    @folds(Customer.ContactRevised)
    def contact_revised(self, event: Customer.ContactRevised) -> None:
        """The named fields of the person are these now."""
        row = self._touched(event)
        contact = self.contacts[(row.customer_id, event.contact_id)]
        for field in event.changed:
            if field == "is_main":
                contact.is_main = bool(event.is_main)
            elif field in CONTACT_FIELDS:
                setattr(contact, field, getattr(event, field))
        self._show_main_contact(row)

    @folds(Customer.ContactRemoved)
    def contact_removed(self, event: Customer.ContactRemoved) -> None:
        """Another person is shown, if there is one."""
        row = self._touched(event)
        self.contacts.remove((row.customer_id, event.contact_id))
        row.contacts -= 1
        self._show_main_contact(row)

    @folds(Customer.OwnerAssigned)
    def owner_assigned(self, event: Customer.OwnerAssigned) -> None:
        """Somebody else is responsible, or nobody."""
        self._touched(event).owner_id = event.owner_id

    @folds(Customer.Categorised)
    def categorised(self, event: Customer.Categorised) -> None:
        """It is in another category."""
        self._touched(event).category = event.category

    @folds(Customer.LifecycleMoved)
    def lifecycle_moved(self, event: Customer.LifecycleMoved) -> None:
        """Another stage, with a cadence of its own."""
        row = self._touched(event)
        row.lifecycle, row.lifecycle_on, row.churn_reason = event.lifecycle, event.occurred_on, event.churn_reason
        self._set_cadence(row)

    @folds(Customer.IntentSet)
    def intent_set(self, event: Customer.IntentSet) -> None:
        """The outcome of a call-back."""
        row = self._touched(event)
        row.intent = event.intent
        if event.call_back is not None:
            row.call_backs = event.call_back

    @folds(Customer.Tagged)
    def tagged(self, event: Customer.Tagged) -> None:
        """One tag more."""
        row = self._touched(event)
        row.tags = tuple(sorted({*(row.tags or ()), event.tag}))

    @folds(Customer.Untagged)
    def untagged(self, event: Customer.Untagged) -> None:
        """One tag less."""
        row = self._touched(event)
        row.tags = tuple(tag for tag in row.tags or () if tag != event.tag) or None

    @folds(Customer.FollowUpLogged)
    def follow_up_logged(self, event: Customer.FollowUpLogged) -> None:
        """The last word and the next date, unless a later conversation was already noted; a deal is kept as a fact."""
        row, day = self._touched(event), self._day(event.occurred_at)
        apply_follow_up(row, event, day)
        if event.result == "won":
            self.dealings.add(DealingRow(event.follow_up_id, row.customer_id, event.deal_on or day))
            self.deals.add(
                DealRow(
                    _position(event),
                    row.customer_id,
                    event.follow_up_id,
                    event.deal_on or day,
                    day,
                    event.method,
                    event.progress,
                    event.intent,
                    event.follower_id,
                )
            )

    @folds(Customer.Archived)
    def archived(self, event: Customer.Archived) -> None:
        """It is put away: no dates, no flags."""
        self._touched(event).archived = True

    @folds(Customer.Reopened)
    def reopened(self, event: Customer.Reopened) -> None:
        """It is back."""
        self._touched(event).archived = False

    @folds(Customer.ContactErased)
    def contact_erased(self, event: Customer.ContactErased) -> None:
        """Nobody is there to speak to any more; another person is shown, if there is one."""
        row = self._touched(event)
        key = (row.customer_id, event.contact_id)
        if self.contacts.get(key) is not None:
            self.contacts.remove(key)
            row.contacts -= 1
        self._show_main_contact(row)

    @folds(Customer.Erased)
    def erased(self, event: Customer.Erased) -> None:
        """It is put away, and found by its code alone."""
        row = self._touched(event)
        for contact in self.contacts.of(row.customer_id):
            self.contacts.remove((contact.customer_id, contact.contact_id))
        row.contacts, row.archived = 0, True
        for field in (*CUSTOMER_PERSONAL, *LAST_SAID):
            setattr(row, field, None)
        row.name_key = derived(sort_key, row.kind == "person", None)
        self._show_contact(row, None)

    @folds(Opportunity.Opened)
    def opportunity_opened(self, event: Opportunity.Opened) -> None:
        """One more open opportunity."""
        row = self._customer(event)
        opportunity = OpportunityRow(event.originator_id, row.customer_id, "open", event.amount, event.currency)
        self.opportunities.add(opportunity)
        row.opportunities += 1
        _count(row, opportunity, 1)

    @folds(Opportunity.AmountRevised)
    def amount_revised(self, event: Opportunity.AmountRevised) -> None:
        """It is worth something else."""
        self._recount(event, amount=event.amount, currency=event.currency)

    @folds(Opportunity.Won)
    def opportunity_won(self, event: Opportunity.Won) -> None:
        """It is no longer open, and its value is won."""
        row = self._recount(event, outcome="won", amount=event.amount, currency=event.currency)
        self.dealings.add(DealingRow(event.originator_id, row.customer_id, event.occurred_on))

    @folds(Opportunity.Lost)
    def opportunity_lost(self, event: Opportunity.Lost) -> None:
        """It is no longer open."""
        self._recount(event, outcome="lost")

    @folds(Opportunity.Reopened)
    def opportunity_reopened(self, event: Opportunity.Reopened) -> None:
        """It is open again, at its last value; there was no deal after all."""
        if self.opportunities[event.originator_id].outcome == "won":
            self.dealings.remove(event.originator_id)
        self._recount(event, outcome="open")

    @folds(
        Opportunity.StageAdvanced,
        Opportunity.StageMovedBack,
        Opportunity.StageDateCorrected,
        Opportunity.ExpectedCloseRevised,
        Opportunity.DetailsRevised,
        Opportunity.OwnerAssigned,
        Receivable.ReminderRecorded,
    )
    def touched(self, event: Any) -> None:
        """Something went on with the customer, though the sheet shows none of it."""
        self._customer(event)

    @folds(Receivable.Issued)
    def issued(self, event: Receivable.Issued) -> None:
        """The customer owes more."""
        row = self._customer(event)
        self.receivables.add(
            ReceivableRow(event.originator_id, row.customer_id, event.currency, event.due_on, event.amount)
        )
        row.receivables += 1
        row.open_receivables += event.amount > 0
        row.open_balance = added(row.open_balance, event.amount, event.currency)

    @folds(Receivable.PaymentReceived)
    def payment_received(self, event: Receivable.PaymentReceived) -> None:
        """The customer owes less, and still does business with us."""
        row = self._owe(event, -event.amount)
        self.dealings.add(DealingRow(event.payment_id, row.customer_id, event.occurred_on))

    @folds(Receivable.WrittenOff)
    def written_off(self, event: Receivable.WrittenOff) -> None:
        """It is no longer expected."""
        self._owe(event, -event.amount)

    @folds(Receivable.PaymentReversed)
    def payment_reversed(self, event: Receivable.PaymentReversed) -> None:
        """It is owed again."""
        self._owe(event, event.amount)
        self.dealings.remove(event.payment_id)

    @folds(Receivable.DueDateMoved)
    def due_date_moved(self, event: Receivable.DueDateMoved) -> None:
        """It is due on another day."""
        self._customer(event)
        self.receivables[event.originator_id].due_on = event.due_on

    @folds(Receivable.Disputed)
    def disputed(self, event: Receivable.Disputed) -> None:
        """A problem order (LIF-8)."""
        self._dispute(event, disputed=True)

    @folds(Receivable.DisputeSettled)
    def dispute_settled(self, event: Receivable.DisputeSettled) -> None:
        """No longer a problem order."""
        self._dispute(event, disputed=False)

    def _day(self, moment: datetime) -> date:
        settings = self.settings.get(ONLY)
        return day_of(moment, DEFAULT_TIME_ZONE if settings is None else settings.time_zone)

    def _touched(self, event: Any) -> CustomerRow:
        """The customer's row, for an event of its own."""
        row = self.customers[event.originator_id]
        row.position, row.updated_at, row.version = event.position, event.recorded_at, event.originator_version
        return row

    def _customer(self, event: Any) -> CustomerRow:
        """The customer's row, for an event of something that belongs to it."""
        row = self.customers[event.customer_id]
        row.position, row.updated_at = event.position, event.recorded_at
        return row

    def _set_cadence(self, row: CustomerRow) -> None:
        last = row.last_followed_up_on or row.first_contact_on or row.registered_on
        row.follow_up_due_on = follow_up_due(row.lifecycle, last)

    def _show_main_contact(self, row: CustomerRow) -> None:
        known = sorted(self.contacts.of(row.customer_id), key=lambda contact: (not contact.is_main, contact.position))
        self._show_contact(row, known[0] if known else None)

    def _show_contact(self, row: CustomerRow, contact: ContactRow | None) -> None:
        row.contact_id = None if contact is None else contact.contact_id
        self._found_by(row, contact)

    def _found_by(self, row: CustomerRow, contact: ContactRow | None) -> None:
        names = self.names[row.customer_id]
        names.search, names.pairs, names.digits = _names_of(row, contact)

    def _recount(self, event: Any, **changes: Any) -> CustomerRow:
        row, opportunity = self._customer(event), self.opportunities[event.originator_id]
        _count(row, opportunity, -1)
        for field, value in changes.items():
            setattr(opportunity, field, value)
        _count(row, opportunity, 1)
        return row

    def _owe(self, event: Any, amount: Any) -> CustomerRow:
        row, receivable = self._customer(event), self.receivables[event.originator_id]
        row.open_receivables -= receivable.open_amount > 0
        receivable.open_amount += amount
        row.open_receivables += receivable.open_amount > 0
        row.open_balance = added(row.open_balance, amount, receivable.currency)
        return row

    def _dispute(self, event: Any, *, disputed: bool) -> None:
        row, receivable = self._customer(event), self.receivables[event.originator_id]
        row.disputed_receivables += disputed - receivable.disputed
        receivable.disputed = disputed


def _names_of(row: CustomerRow, contact: ContactRow | None) -> tuple[Any, Any, Any]:
    name, contact_name, legacy_code = row.name, None if contact is None else contact.name, row.legacy_code
    text = derived(search_text, row.kind == "person", name, contact_name, row.code, legacy_code)
    numbers = (row.phone,) if contact is None else (row.phone, contact.mobile, contact.phone)
    return text, derived(pairs_text, name, contact_name, legacy_code), derived(digits_text, *numbers)


def _count(row: CustomerRow, opportunity: OpportunityRow, sign: int) -> None:
    amount = None if opportunity.amount is None else sign * opportunity.amount
    if opportunity.outcome == "open":
        row.open_opportunities += sign
        row.open_amount = added(row.open_amount, amount, opportunity.currency)
    elif opportunity.outcome == "won":
        row.won_opportunities += sign
        row.won_amount = added(row.won_amount, amount, opportunity.currency)


def _recorded_at(event: Any) -> datetime:
    moment: datetime = event.recorded_at
    return moment


def _position(event: Any) -> int:
    position: int = event.position
    return position
