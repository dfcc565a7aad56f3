"""Histories as data: what is asked for, of which of the things there are by then, so that they can be made smaller."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from aggregates.base import Aggregate, DomainError
from aggregates.choices import Role
from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_PIPELINE_ID, DEFAULT_STAGES, Pipeline
from aggregates.product import Product
from aggregates.receivable import Receivable
from aggregates.team import Team
from commands import customers, members, opportunities, products, receivables, settings
from commands.base import Command, execute
from commands.door import Door
from ledger.ledger import Ledger
from policy import Actor

ANN = Actor(id="member:ann", member_id=None, name="Ann", source="api", roles=frozenset({"administrator"}))
LONG_AGO = 60
"""Days back, from which things may be told."""


@dataclass(frozen=True)
class Day:
    """A day, told by how long ago it was."""

    ago: int


@dataclass(frozen=True)
class One:
    """One of the things of a kind that there are by then; none where there are none."""

    kind: type[Aggregate] | str
    place: int


@dataclass(frozen=True)
class Ask:
    """A command that is asked for, with things and days in it that are only known when it is."""

    command: type[Command]
    to: One | None
    body: dict[str, Any] = field(default_factory=dict)


Parts = dict[str, st.SearchStrategy[Any]]
days = st.integers(0, LONG_AGO).map(Day)
maybe_days = st.none() | days
moments = st.none() | st.tuples(days, st.integers(0, 23))
amounts = st.sampled_from([Decimal("0.01"), Decimal(40), Decimal(60), Decimal(100), Decimal("999.99")])
maybe_amounts = st.none() | amounts
currencies = st.sampled_from([None, None, "CNY", "USD"])
words = st.sampled_from(["a", "张伟", "重庆 单先生", "ABC科技", "x\\n%_"])
maybe_words = st.none() | words
industries = st.sampled_from([None, "互联网", "零售"])
regions = st.sampled_from([None, "华东", "华南"])
sources = st.sampled_from([None, "exhibition", "referral"])
mobiles = st.sampled_from([None, "13812345678", "13987654321"])
phones = st.sampled_from([None, "010-62345678", "13600001111"])
stages = st.sampled_from([stage.key for stage in DEFAULT_STAGES])
lifecycles = st.sampled_from(["potential", "interested", "won", "churned"])
intents = st.sampled_from(["none", "yes", "pending"])
categories = st.sampled_from([None, "hot", "ordinary_potential"])
zones = st.sampled_from(["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])


def one(kind: type[Aggregate] | str) -> st.SearchStrategy[One]:
    """Any of the things of a kind."""
    return st.integers(0, 3).map(lambda place: One(kind, place))


def maybe(kind: type[Aggregate]) -> st.SearchStrategy[One | None]:
    """Any of them, or none."""
    return st.none() | one(kind)


def asked(command: type[Command], to: type[Aggregate] | None = None, **parts: st.SearchStrategy[Any]) -> Any:
    """A command with any of these values; a reason is always given."""
    body = st.fixed_dictionaries({}, optional=parts)
    return st.builds(Ask, st.just(command), st.none() if to is None else one(to), body)


def needed(command: type[Command], to: type[Aggregate], needs: Parts, **parts: st.SearchStrategy[Any]) -> Any:
    """The same, with values that it cannot do without."""
    return st.builds(Ask, st.just(command), one(to), st.fixed_dictionaries(needs, optional=parts))


profile: Parts = {
    "industry": industries,
    "lead_source": sources,
    "region": regions,
    "phone": phones,
    "need": maybe_words,
    "first_contact_on": maybe_days,
}
customer_kinds = st.sampled_from(["company", "person"])

registered = st.builds(
    Ask,
    st.just(customers.RegisterCustomer),
    st.none(),
    st.fixed_dictionaries(
        {"name": words, "kind": customer_kinds},
        optional=profile | {"owner_id": maybe(Member), "lifecycle": lifecycles, "category": categories},
    ),
)
contact: Parts = {"title": maybe_words, "mobile": mobiles, "phone": phones, "is_main": st.sampled_from([None, True])}
about_customers = st.one_of(
    asked(customers.ReviseProfile, Customer, name=words, **profile),
    needed(customers.AddContact, Customer, {"name": words}, **contact),
    needed(customers.ReviseContact, Customer, {"contact_id": one("contact")}, name=words, **contact),
    needed(customers.RemoveContact, Customer, {"contact_id": one("contact")}),
    needed(customers.AssignOwner, Customer, {"owner_id": maybe(Member)}),
    needed(customers.Categorise, Customer, {"category": categories}),
    needed(
        customers.MoveLifecycle,
        Customer,
        {"lifecycle": lifecycles, "basis": st.just("contract"), "churn_reason": st.just("价格")},
        occurred_on=days,
    ),
    needed(customers.SetIntent, Customer, {"intent": intents}, is_call_back=st.booleans()),
    needed(customers.Tag, Customer, {"tag": st.sampled_from(["a", "b"])}),
    needed(customers.Untag, Customer, {"tag": st.sampled_from(["a", "b"])}),
    asked(customers.ArchiveCustomer, Customer),
    asked(customers.ReopenCustomer, Customer),
)
follow_ups = needed(
    customers.LogFollowUp,
    Customer,
    {"method": st.sampled_from(["phone", "wechat", "on_site"])},
    occurred_at=moments,
    subject=maybe_words,
    content=maybe_words,
    progress=st.none() | st.integers(0, 100),
    answered=st.booleans(),
    result=st.sampled_from([None, "not_won", "won"]),
    deal_on=maybe_days,
    next_contact_on=maybe_days,
    next_action=maybe_words,
    category=categories,
)
details: Parts = {"product_id": maybe(Product), "lead_source": sources, "plan": maybe_words, "competitors": maybe_words}
about_deals = st.one_of(
    needed(
        opportunities.OpenOpportunity,
        Customer,
        {"name": words},
        amount=maybe_amounts,
        currency=currencies,
        stage=stages,
        owner_id=maybe(Member),
        expected_close_on=maybe_days,
        occurred_on=maybe_days,
        **details,
    ),
    needed(opportunities.AdvanceStage, Opportunity, {"stage": stages}, occurred_on=maybe_days),
    needed(opportunities.AdvanceStage, Opportunity, {"stage": stages}),
    needed(opportunities.MoveStageBack, Opportunity, {"stage": stages}, occurred_on=maybe_days),
    needed(opportunities.CorrectStageDate, Opportunity, {"entry": st.integers(0, 3), "occurred_on": days}),
    needed(opportunities.ReviseAmount, Opportunity, {"amount": maybe_amounts}, currency=currencies),
    needed(opportunities.ReviseExpectedClose, Opportunity, {"expected_close_on": maybe_days}),
    asked(opportunities.ReviseDetails, Opportunity, name=words, **details),
    needed(opportunities.AssignOpportunityOwner, Opportunity, {"owner_id": maybe(Member)}),
    needed(opportunities.WinOpportunity, Opportunity, {"amount": amounts}, occurred_on=days, currency=currencies),
    needed(opportunities.LoseOpportunity, Opportunity, {"loss_reason": st.just("价格")}, occurred_on=days),
    asked(opportunities.ReopenOpportunity, Opportunity, stage=stages, occurred_on=maybe_days),
    asked(opportunities.ReopenOpportunity, Opportunity),
)
about_money = st.one_of(
    needed(
        receivables.IssueReceivable,
        Customer,
        {"amount": amounts, "terms_days": st.integers(0, 40)},
        issued_on=days,
        currency=currencies,
        description=maybe_words,
    ),
    needed(receivables.ReceivePayment, Receivable, {"amount": amounts}, occurred_on=days, note=maybe_words),
    needed(receivables.ReceivePayment, Receivable, {"amount": amounts}),
    needed(receivables.ReversePayment, Receivable, {"payment_id": one("payment")}),
    needed(receivables.MoveDueDate, Receivable, {"due_on": days}),
    needed(receivables.RecordReminder, Receivable, {"channel": st.just("phone")}, occurred_on=days, note=maybe_words),
    asked(receivables.DisputeReceivable, Receivable, occurred_on=days, note=maybe_words),
    asked(receivables.SettleDispute, Receivable, note=maybe_words),
    asked(receivables.WriteOff, Receivable, amount=amounts, occurred_on=days),
)
about_us = st.one_of(
    needed(members.AssignTeam, Member, {"team_id": maybe(Team)}, occurred_on=maybe_days),
    needed(members.RenameMember, Member, {"name": words}),
    needed(members.GiveRoles, Member, {"roles": st.lists(st.sampled_from(Role), max_size=3)}),
    asked(members.SuspendMember, Member),
    asked(members.ResumeMember, Member),
    needed(members.PlaceTeam, Team, {"parent_id": maybe(Team)}),
    needed(members.RenameTeam, Team, {"name": words}),
    needed(members.AssignRegion, Team, {"region": regions}, occurred_on=maybe_days),
    asked(products.ReviseProduct, Product, series=maybe_words, price=maybe_amounts),
    st.builds(Ask, st.just(settings.ConfigureWorkspace), st.none(), st.fixed_dictionaries({"time_zone": zones})),
    st.builds(
        Ask,
        st.just(settings.ReviseStages),
        st.just(One(Pipeline, 0)),
        st.permutations([stage.key for stage in DEFAULT_STAGES]).map(
            lambda keys: {"stages": [{"key": key, "zh": key, "en": key.title()} for key in keys]}
        ),
    ),
)
BEGINNING = (
    *(Ask(members.FormTeam, None, {"name": name, "region": region}) for name, region in (("A", "华东"), ("B", None))),
    *(Ask(members.RegisterMember, None, {"name": name, "team_id": One(Team, 0)}) for name in ("张三", "李四")),
    Ask(products.AddProduct, None, {"name": "云服务器", "series": "云"}),
    Ask(customers.RegisterCustomer, None, {"name": "科技有限公司", "kind": "company", "owner_id": One(Member, 0)}),
    Ask(customers.RegisterCustomer, None, {"name": "单女士", "kind": "person", "region": "华东"}),
    *(
        Ask(customers.AddContact, One(Customer, place), {"name": name})
        for place, name in ((0, "王经理"), (1, "李女士"))
    ),
    Ask(opportunities.OpenOpportunity, One(Customer, 0), {"name": "云", "amount": 100, "occurred_on": Day(LONG_AGO)}),
    Ask(receivables.IssueReceivable, One(Customer, 0), {"amount": 100, "terms_days": 7, "issued_on": Day(LONG_AGO)}),
)
"""What there always is."""

some_asked = st.one_of(about_customers, follow_ups, about_deals, about_deals, about_money, about_money, registered)
histories = st.lists(
    st.lists(st.one_of(some_asked, some_asked, some_asked, about_us), max_size=12), min_size=3, max_size=8
)
"""What is asked for, in pieces: after each of them the read models are brought up to date."""


class Company:
    """Does what is asked for; what the rules refuse does not happen."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.door = Door(ledger)
        self.made: dict[type[Aggregate] | str, list[Any]] = {Pipeline: [DEFAULT_PIPELINE_ID]}
        self.done = self.refused = 0
        for ask in BEGINNING:
            self.ask(ask)
        assert not self.refused

    def ask(self, ask: Ask) -> None:
        """Ask for it, with a reason."""
        to = None if ask.to is None else self._found(ask.to, None)
        body = {name: self._filled(value, to) for name, value in ask.body.items()}
        if ask.command in NEEDS_A_REASON:
            body["reason"] = "录入错误"
        try:
            outcome = execute(ask.command.model_validate(body), to=to, by=ANN, door=self.door)
        except DomainError:
            self.refused += 1
            return
        self.done += 1
        kind = MAKES.get(ask.command)
        if kind is not None:
            self.made.setdefault(kind, []).append(outcome.id)

    def _filled(self, value: Any, to: UUID | None) -> Any:
        match value:
            case Day(ago):
                return self._day(ago)
            case (Day(ago), int(hour)):
                return min(datetime.combine(self._day(ago), datetime.min.time(), UTC) + timedelta(hours=hour), _now())
            case One():
                return self._found(value, to)
        return value

    def _found(self, wanted: One, to: UUID | None) -> UUID | None:
        """Contacts and payments are those of what the command is said to."""
        known = self.made.get(wanted.kind, [])
        if wanted.kind == "contact" and to is not None:
            known = list(self.ledger.load(Customer, to).contacts)
        elif wanted.kind == "payment" and to is not None:
            known = list(self.ledger.load(Receivable, to).payments)
        return known[wanted.place % len(known)] if known else UUID(int=0)

    def _day(self, ago: int) -> date:
        return self.door.work().today - timedelta(days=ago)


def _now() -> datetime:
    return datetime.now(UTC)


MAKES: dict[type[Command], type[Aggregate]] = {
    customers.RegisterCustomer: Customer,
    opportunities.OpenOpportunity: Opportunity,
    receivables.IssueReceivable: Receivable,
    members.FormTeam: Team,
    members.RegisterMember: Member,
    products.AddProduct: Product,
}
NEEDS_A_REASON: frozenset[type[Command]] = frozenset(
    {
        customers.MoveLifecycle,
        customers.SetIntent,
        opportunities.MoveStageBack,
        opportunities.CorrectStageDate,
        opportunities.ReopenOpportunity,
        receivables.ReversePayment,
        receivables.WriteOff,
    }
)
