"""Every command on the real ledger: done, repeated with its key, its key reused, and asked for on an older version."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from aggregates.base import Acting, Aggregate, DomainError, ImportedRow, acting
from aggregates.customer import Customer
from aggregates.customer.events import PROFILE
from aggregates.ids import new_id
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_PIPELINE_ID, Pipeline
from aggregates.product import Product
from aggregates.receivable import Receivable
from aggregates.receivable.refusals import PaymentAboveOpenAmount
from aggregates.team import Team
from aggregates.workspace import WORKSPACE_ID, Workspace
from commands import ALL
from commands.base import Command, CreatingCommand, execute
from commands.customers import RegisterCustomer, Tag
from commands.door import Door
from commands.members import RegisterMember
from commands.products import AddProduct, ReviseProduct
from commands.receivables import IssueReceivable
from commands.settings import ConfigureWorkspace
from commands.work import Alone, Owned
from crm.migrate import migrate
from ledger.database import Database
from ledger.errors import ClaimTaken, KeyReused, StaleVersion
from ledger.ledger import Ledger
from ledger.outcome import Outcome
from ledger.sealing import Keyring
from policy import Actor

STAGES = [{"key": "offer", "zh": "报价", "en": "Offer"}]


@dataclass
class Office:
    """A workspace with one of everything, to ask things of."""

    ledger: Ledger
    door: Door
    by: Actor
    ids: dict[str, UUID] = field(default_factory=dict)

    def do(self, command: Command, to: UUID | None = None, **how: Any) -> Outcome:
        """Ask for it."""
        return execute(command, to=to, by=self.by, door=self.door, **how)

    def make(self, called: str, command: type[Command], to: str | None = None, /, **body: Any) -> UUID:
        """Ask for something, and remember it by a name."""
        outcome = self.do(command.model_validate(body), self.ids[to] if to else None)
        self.ids[called] = outcome.id
        return outcome.id


ANN = Actor(id="member:ann", member_id=None, name="Ann", source="api", roles=frozenset({"administrator"}))


@pytest.fixture
def office(ledger: Ledger) -> Office:
    """An empty workspace."""
    return Office(ledger, Door(ledger), ANN)


@pytest.fixture(scope="module")
def shared(server: str) -> Iterator[Ledger]:
    """One workspace for many cases, each with customers of its own."""
    schema = f"t_{secrets.token_hex(4)}"
    migrate(server, schema)
    database = Database(server, schema, role="genjin_app", min_size=1, max_size=4)
    ledger = Ledger(database, Keyring(database, bytes(32)))
    yield ledger
    ledger.close()
    database.close()
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute("SET client_min_messages = warning")
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))


@pytest.fixture
def busy_office(shared: Ledger) -> Office:
    """A workspace in which other things have happened."""
    office = Office(shared, Door(shared), replace(ANN, id=f"member:{secrets.token_hex(4)}"))
    office.door.surroundings = Hands(office)
    return office


@dataclass
class Hands(Alone):
    """Whose the office's customer is, as the read models would know it."""

    office: Office

    def owned_by(self, member_id: UUID) -> Owned:
        """What is the member's own."""
        ledger, ids = self.office.ledger, self.office.ids
        customer = ledger.load(Customer, ids["customer"])
        return Owned([customer.id] if customer.owner_id == member_id else [])


@dataclass(frozen=True)
class Case:
    """A command, what has to be there first, and what it is done to."""

    command: str
    to: str | None
    body: dict[str, Any] = field(default_factory=dict)
    before: tuple[tuple[str, str | None, dict[str, Any]], ...] = ()
    refers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.command


Step = tuple[str, str | None, dict[str, Any]]

IN_EUROS: Step = ("ConfigureWorkspace", None, {"currency": "EUR"})
ARCHIVED: Step = ("ArchiveCustomer", "customer", {})
ADVANCED: Step = ("AdvanceStage", "opportunity", {"stage": "proposal"})
LOST: Step = ("LoseOpportunity", "opportunity", {"loss_reason": "价格"})
PAID: Step = ("ReceivePayment", "receivable", {"amount": "40"})
OWNED: Step = ("AssignOwner", "customer", {"owner_id": "member"})
SUSPENDED: Step = ("SuspendMember", "member", {})
REMOVED: Step = ("RemoveMember", "member", {})
DISPUTED: Step = ("DisputeReceivable", "receivable", {})

CASES = [
    Case("RegisterCustomer", None, {"kind": "company", "name": "B", "legacy_code": "A#", "contacts": [{"name": "x"}]}),
    Case("ReviseProfile", "customer", {"region": "华东"}),
    Case("AddContact", "customer", {"name": "Li", "is_main": True}),
    Case("ReviseContact", "customer", {"title": "Director"}, refers={"contact_id": "contact"}),
    Case("RemoveContact", "customer", refers={"contact_id": "contact"}),
    Case("EraseContact", "customer", {"reason": "x"}, refers={"contact_id": "contact"}),
    Case("EraseCustomer", "customer", {"reason": "x"}),
    Case("AssignOwner", "customer", refers={"owner_id": "member"}),
    Case("Categorise", "customer", {"category": "hot"}),
    Case("MoveLifecycle", "customer", {"lifecycle": "won", "basis": "contract"}),
    Case("SetIntent", "customer", {"intent": "yes"}),
    Case("Tag", "customer", {"tag": "a"}),
    Case("Untag", "customer", {"tag": "a"}, (("Tag", "customer", {"tag": "a"}),)),
    Case("LogFollowUp", "customer", {"method": "phone", "content": "你好", "next_contact_on": "2200-01-01"}),
    Case("ArchiveCustomer", "customer"),
    Case("ReopenCustomer", "customer", {}, (ARCHIVED,)),
    Case("OpenOpportunity", "customer", {"name": "Second"}, refers={"product_id": "product", "owner_id": "member"}),
    Case("AdvanceStage", "opportunity", {"stage": "方案"}),
    Case("MoveStageBack", "opportunity", {"stage": "need", "reason": "x"}, (ADVANCED,)),
    Case("CorrectStageDate", "opportunity", {"entry": 0, "occurred_on": "2020-01-01", "reason": "x"}),
    Case("ReviseAmount", "opportunity", {"amount": "12.50"}),
    Case("ReviseExpectedClose", "opportunity", {"expected_close_on": "2030-01-01"}),
    Case("ReviseDetails", "opportunity", {"risks": "x"}),
    Case("AssignOpportunityOwner", "opportunity", refers={"owner_id": "member"}),
    Case("WinOpportunity", "opportunity", {"amount": "9"}),
    Case("LoseOpportunity", "opportunity", {"loss_reason": "x"}),
    Case("ReopenOpportunity", "opportunity", {}, (LOST,)),
    Case("IssueReceivable", "customer", {"amount": "1", "invoice_no": "7#"}, refers={"opportunity_id": "opportunity"}),
    Case("ReceivePayment", "receivable", {"amount": "60"}),
    Case("ReversePayment", "receivable", {"reason": "x"}, (PAID,), {"payment_id": "payment"}),
    Case("MoveDueDate", "receivable", {"due_on": "2030-01-01"}),
    Case("RecordReminder", "receivable", {"channel": "phone"}),
    Case("DisputeReceivable", "receivable"),
    Case("SettleDispute", "receivable", {}, (DISPUTED,)),
    Case("WriteOff", "receivable", {"reason": "x"}),
    Case("FormTeam", None, {"name": "North"}),
    Case("RenameTeam", "team", {"name": "North"}),
    Case("AssignRegion", "team", {"region": "华南"}),
    Case("PlaceTeam", "team", refers={"parent_id": "other_team"}),
    Case("RegisterMember", None, {"name": "Bob"}, refers={"team_id": "team"}),
    Case("RenameMember", "member", {"name": "Anna"}),
    Case("AssignTeam", "member", refers={"team_id": "team"}),
    Case("InviteMember", "member", {"email": "zhao@example.com"}),
    Case("GiveRoles", "member", {"roles": ["sales"]}),
    Case("SuspendMember", "member"),
    Case("ResumeMember", "member", {}, (SUSPENDED,)),
    Case("RemoveMember", "member"),
    Case("EraseMember", "member", {"reason": "x"}, (REMOVED,)),
    Case("HandOver", "member", {}, (OWNED,), {"member_id": "other_member"}),
    Case("AddProduct", None, {"name": "GTX Plus #", "price": "5"}),
    Case("ReviseProduct", "product", {"name": "GTX Plus #"}),
    Case("DefinePipeline", None, {"name": "x", "stages": STAGES}),
    Case("ReviseStages", "pipeline", {"stages": STAGES}),
    Case("ConfigureWorkspace", None, {"currency": "USD"}, (IN_EUROS,)),
]
CHANGED = {
    "ReviseProfile": ("region",),
    "AddContact": ("is_main", "contact_id", "name", "is_decision_maker"),
    "ReviseContact": ("title",),
    "RemoveContact": ("contact_id",),
    "EraseContact": ("contacts", "contact_id", "subjects"),
    "EraseCustomer": (*PROFILE, "contacts", "erased", "is_archived", "subjects"),
    "AssignOwner": ("owner_id",),
    "Categorise": ("category",),
    "MoveLifecycle": ("lifecycle", "occurred_on", "basis"),
    "SetIntent": ("intent", "call_back", "lifecycle", "occurred_on", "basis"),
    "Tag": ("tag",),
    "Untag": ("tag",),
    "LogFollowUp": (
        "follow_up_id", "occurred_at", "method", "content", "answered", "next_contact_on", "is_call_back",
    ),
    "ArchiveCustomer": ("is_archived",),
    "ReopenCustomer": ("is_archived",),
    "AdvanceStage": ("stage",),
    "MoveStageBack": ("stage",),
    "CorrectStageDate": ("entry", "occurred_on"),
    "ReviseAmount": ("amount", "currency"),
    "ReviseExpectedClose": ("expected_close_on",),
    "ReviseDetails": ("risks",),
    "AssignOpportunityOwner": ("owner_id",),
    "WinOpportunity": ("status", "amount", "currency", "occurred_on"),
    "LoseOpportunity": ("status", "loss_reason", "occurred_on"),
    "ReopenOpportunity": ("status", "stage"),
    "ReceivePayment": ("payment_id", "amount", "currency", "occurred_on"),
    "ReversePayment": ("payment_id", "amount", "currency", "occurred_on"),
    "MoveDueDate": ("due_on",),
    "RecordReminder": ("occurred_on", "channel"),
    "DisputeReceivable": ("is_disputed", "occurred_on"),
    "SettleDispute": ("is_disputed", "occurred_on"),
    "WriteOff": ("amount", "currency", "occurred_on"),
    "RenameTeam": ("name",),
    "AssignRegion": ("region",),
    "RenameMember": ("name",),
    "PlaceTeam": ("parent_id",),
    "AssignTeam": ("team_id",),
    "InviteMember": ("email",),
    "GiveRoles": ("roles",),
    "SuspendMember": ("state",),
    "ResumeMember": ("state",),
    "RemoveMember": ("state", "roles"),
    "EraseMember": ("name", "email", "erased", "subjects"),
    "HandOver": ("member_id", "customers", "opportunities"),
    "ReviseProduct": ("name",),
    "ReviseStages": ("stages",),
}  # fmt: skip
"""What whoever saw an older version is told was changed since, by the command that changed it."""
COMMANDS = {command.__name__: command for command in ALL}
KINDS: dict[str, type[Aggregate]] = {
    "customer": Customer,
    "opportunity": Opportunity,
    "receivable": Receivable,
    "team": Team,
    "member": Member,
    "product": Product,
    "pipeline": Pipeline,
}


def test_no_command_is_left_out() -> None:
    assert {case.command for case in CASES} == set(COMMANDS)


def furnish(office: Office, case: Case) -> Command:
    """Bring about what has to be there first, and make the command."""
    office.make("team", COMMANDS["FormTeam"], name="East")
    office.make("other_team", COMMANDS["FormTeam"], name="West")
    office.make("member", COMMANDS["RegisterMember"], name="Ann")
    office.make("other_member", COMMANDS["RegisterMember"], name="Bob")
    office.make("product", COMMANDS["AddProduct"], name=_own("GTX Pro #"))
    office.make("customer", COMMANDS["RegisterCustomer"], kind="company", name="Acme", contacts=[{"name": "Wang"}])
    office.make("opportunity", COMMANDS["OpenOpportunity"], "customer", name="First")
    office.make("receivable", COMMANDS["IssueReceivable"], "customer", amount="100")
    office.make("pipeline", COMMANDS["DefinePipeline"], name="y", stages=[*STAGES, {"key": "z", "zh": "z", "en": "z"}])
    for command, to, body in case.before:
        body = {name: office.ids[value] if name == "owner_id" else value for name, value in body.items()}
        office.do(COMMANDS[command].model_validate(body), office.ids[to] if to else None)
    office.ids["contact"] = next(iter(office.ledger.load(Customer, office.ids["customer"]).contacts))
    payments = office.ledger.load(Receivable, office.ids["receivable"]).payments
    office.ids["payment"] = next(iter(payments), office.ids["receivable"])
    refers = {name: office.ids[to] for name, to in case.refers.items()}
    body = {name: _own(value) for name, value in case.body.items()}
    return COMMANDS[case.command].model_validate(body | refers)


def _own(value: Any) -> Any:
    """The same with a # made unlike any other, for what only one may hold."""
    return value.replace("#", secrets.token_hex(4)) if isinstance(value, str) else value


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_command_is_done_once_on_what_the_caller_saw(busy_office: Office, case: Case) -> None:
    office = busy_office
    command = furnish(office, case)
    to = office.ids[case.to] if case.to else None
    head = office.ledger.head()
    seen = office.ledger.load(KINDS[case.to], office.ids[case.to]).version if case.to else None

    done = office.do(command, to, key="k", expecting=seen)
    assert done.position == office.ledger.head() > head
    assert not done.replayed

    again = office.do(command, to, key="k", expecting=seen)
    assert (again.id, again.version, again.position, again.replayed) == (done.id, done.version, done.position, True)
    assert office.ledger.head() == done.position

    other = command.model_copy(update={"reason": "another"})
    changed = type(command).model_validate(other.model_dump(exclude_unset=True) | {"reason": "another"})
    with pytest.raises(KeyReused):
        office.do(changed, to, key="k", expecting=seen)

    if to is not None and done.id == to:
        with pytest.raises(StaleVersion) as stale:
            office.do(command, to, expecting=seen)
        assert (stale.value.expected, stale.value.actual) == (seen, done.version)
        assert stale.value.changed_fields == CHANGED[case.command]
    assert office.ledger.head() == done.position


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_a_command_made_is_loaded_as_it_was_left(busy_office: Office, case: Case) -> None:
    office = busy_office
    command = furnish(office, case)
    to = office.ids[case.to] if case.to else None
    work = office.door.work()
    envelope = Acting(office.by.id, new_id(0), "api", work.now, command.reason)
    with acting(envelope):
        changed = command.perform(to, work)
    office.ledger.save(*changed)
    for left in changed:
        assert _known(office.ledger.load(type(left), left.id)) == _known(left)


def _known(aggregate: Aggregate) -> dict[str, Any]:
    """What is known of it, without the moments, which the ledger's own clock decides."""
    known = dict(vars(aggregate))
    for clock in ("_created_on", "_modified_on", "_pending_events"):
        known.pop(clock)
    if isinstance(aggregate, Opportunity):
        known["entries"] = [(entry.stage, entry.occurred_on, entry.closed_on) for entry in aggregate.entries]
    return known


def test_codes_are_numbered_in_the_month_and_start_again_cus_8(office: Office) -> None:
    now = datetime(2024, 5, 31, 15, 59, tzinfo=UTC)
    office.door.clock = lambda: now
    new = RegisterCustomer.model_validate({"kind": "person", "name": "x"})
    codes = [office.ledger.load(Customer, office.do(new).id).code for _ in range(2)]
    now = now + timedelta(minutes=1)
    codes.append(office.ledger.load(Customer, office.do(new).id).code)
    assert codes == ["C202405001", "C202405002", "C202406001"]


def test_whoever_is_late_is_told_also_of_what_was_cleared(office: Office) -> None:
    customer = office.make("customer", COMMANDS["RegisterCustomer"], kind="person", name="x", category="hot")
    office.do(COMMANDS["Categorise"].model_validate({"category": None}), customer)
    with pytest.raises(StaleVersion) as stale:
        office.do(Tag(tag="a"), customer, expecting=1)
    assert stale.value.changed_fields == ("category",)


def test_a_legacy_code_an_invoice_and_a_product_name_are_taken_once_cus_8_ord_5(office: Office) -> None:
    new = RegisterCustomer.model_validate({"kind": "person", "name": "x", "legacy_code": "A001"})
    customer = office.do(new).id
    with pytest.raises(ClaimTaken) as taken:
        office.do(new)
    assert taken.value.values == {"kind": "legacy-code", "value": "A001", "holder": customer}
    invoice = IssueReceivable(amount=Decimal(1), invoice_no="007", order_no="SO-1")
    office.do(invoice, customer)
    with pytest.raises(ClaimTaken):
        office.do(invoice.model_copy(update={"invoice_no": "008"}), customer)
    office.do(invoice.model_copy(update={"invoice_no": "008", "instalment": 2}), customer)
    product = office.do(AddProduct(name="GTX Pro")).id
    with pytest.raises(ClaimTaken):
        office.do(AddProduct(name="gtx pro"))
    office.do(ReviseProduct(name="GTX Plus"), product)
    assert office.do(AddProduct(name="gtx pro")).id != product


def test_an_opportunity_number_is_taken_once_opp_2(office: Office) -> None:
    customer = office.make("customer", COMMANDS["RegisterCustomer"], kind="person", name="x")
    new = COMMANDS["OpenOpportunity"].model_validate({"name": "x", "number": "0007"})
    first = office.do(new, customer).id
    with pytest.raises(ClaimTaken) as taken:
        office.do(new, customer)
    assert taken.value.values == {"kind": "opportunity-number", "value": "0007", "holder": first}


def test_an_imported_row_is_not_imported_twice(office: Office) -> None:
    row = ImportedRow("sheet", "A001", "digest")
    new = RegisterCustomer.model_validate({"kind": "person", "name": "x"})
    customer = new_id(0)
    assert office.do(new, imported=row, new_id=customer).id == customer
    with pytest.raises(ClaimTaken) as taken:
        office.do(new, imported=row, new_id=new_id(1))
    assert taken.value.holder == customer


def test_settings_hold_after_they_were_recorded(office: Office) -> None:
    office.do(ConfigureWorkspace(currency="USD"))
    office.do(ConfigureWorkspace(time_zone="Europe/Berlin"))
    settings = office.ledger.load(Workspace, WORKSPACE_ID).settings
    assert (settings.currency, settings.time_zone) == ("USD", "Europe/Berlin")
    assert Door(office.ledger).settings() == settings


def test_what_is_so_already_writes_nothing_but_keeps_its_key(office: Office) -> None:
    customer = office.do(RegisterCustomer.model_validate({"kind": "person", "name": "x", "tags": ["a"]}))
    same = office.do(Tag(tag="a"), customer.id, key="k")
    assert (same.version, office.ledger.head()) == (customer.version, customer.position)
    with pytest.raises(KeyReused):
        office.do(Tag(tag="b"), customer.id, key="k")


def test_something_new_is_made_whatever_it_is_asked_of(office: Office) -> None:
    creating = [command for command in ALL if issubclass(command, CreatingCommand)]
    assert RegisterMember in creating
    assert office.do(RegisterMember(name="x"), new_id(5)).version == 1


def test_a_business_date_of_long_ago_is_kept(office: Office) -> None:
    case = Case("OpenOpportunity", "customer", {"name": "Old", "occurred_on": "2017-03-01"})
    opportunity = office.do(furnish(office, case), office.ids["customer"]).id
    win = COMMANDS["WinOpportunity"].model_validate({"amount": "1", "occurred_on": "2017-04-01"})
    office.do(win, opportunity)
    loaded = office.ledger.load(Opportunity, opportunity)
    assert (loaded.entries[0].occurred_on, loaded.closed_on) == (date(2017, 3, 1), date(2017, 4, 1))


def at_once(actions: list[Callable[[], Outcome]]) -> list[Outcome | DomainError]:
    """What comes of doing all of them at the same time."""

    def outcome(action: Callable[[], Outcome]) -> Outcome | DomainError:
        try:
            return action()
        except DomainError as refusal:
            return refusal

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(outcome, actions))


def test_of_many_payments_at_once_only_those_that_fit_are_taken(office: Office) -> None:
    customer = office.do(RegisterCustomer.model_validate({"kind": "person", "name": "x"})).id
    receivable = office.do(IssueReceivable(amount=Decimal(100)), customer).id
    payment = COMMANDS["ReceivePayment"].model_validate({"amount": "30"})
    came = at_once([partial(office.do, payment, receivable) for _ in range(4)])
    refused = [one for one in came if not isinstance(one, Outcome)]
    assert [type(one) for one in refused] == [PaymentAboveOpenAmount]
    loaded = office.ledger.load(Receivable, receivable)
    assert (loaded.open_amount, len(loaded.payments)) == (Decimal(10), 3)
    assert office.ledger.load(Customer, customer).lifecycle == "won"


def test_of_many_requests_with_one_key_one_is_done(office: Office) -> None:
    new = RegisterCustomer.model_validate({"kind": "person", "name": "x"})
    came = at_once([partial(office.do, new, key="k") for _ in range(8)])
    assert len({one.id for one in came if isinstance(one, Outcome)}) == 1
    assert sum(not one.replayed for one in came if isinstance(one, Outcome)) == 1
    assert len(came) == 8
    assert office.ledger.head() == 1


def test_many_first_opportunities_at_once_bring_one_default_pipeline(office: Office) -> None:
    customer = office.do(RegisterCustomer.model_validate({"kind": "person", "name": "x"})).id
    new = COMMANDS["OpenOpportunity"].model_validate({"name": "x"})
    came = at_once([partial(office.do, new, customer) for _ in range(4)])
    assert all(isinstance(one, Outcome) for one in came)
    assert office.ledger.load(Pipeline, DEFAULT_PIPELINE_ID).version == 1
    assert office.ledger.head() == 1 + 1 + 4


def test_many_customers_at_once_get_codes_of_their_own_cus_8(office: Office) -> None:
    new = RegisterCustomer.model_validate({"kind": "person", "name": "x"})
    came = at_once([partial(office.do, new) for _ in range(8)])
    codes = [office.ledger.load(Customer, one.id).code for one in came if isinstance(one, Outcome)]
    assert len(set(codes)) == 8


def test_many_writers_of_one_customer_all_come_through(office: Office) -> None:
    customer = office.do(RegisterCustomer.model_validate({"kind": "person", "name": "x"})).id
    doors = [Door(office.ledger) for _ in range(2)]

    def write(number: int) -> None:
        for turn in range(10):
            execute(Tag(tag=f"{number}-{turn}"), to=customer, by=ANN, door=doors[number % 2])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    loaded = office.ledger.load(Customer, customer)
    assert (loaded.version, len(loaded.tags)) == (81, 80)
