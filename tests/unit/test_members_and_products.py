"""What may be asked of teams, members, products, pipelines and the workspace."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from aggregates.base import Acting, acting
from aggregates.customer import Customer
from aggregates.import_batch import ImportBatch, ImportFinished
from aggregates.member import (
    LastAdministrator,
    Member,
    MemberNotRemoved,
    MemberRemoved,
    MemberStillOwns,
    MemberSuspended,
)
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_PIPELINE_ID, Pipeline, StagesUnclear
from aggregates.product import Product, ProductNameMissing
from aggregates.refusals import DateInFuture, SubjectErased
from aggregates.team import Team, TeamBelowItself
from aggregates.workspace import WORKSPACE_ID, Workspace
from commands.customers import AssignOwner, RegisterCustomer
from commands.members import (
    AssignRegion,
    AssignTeam,
    EraseMember,
    FormTeam,
    GiveRoles,
    HandOver,
    InviteMember,
    PlaceTeam,
    RegisterMember,
    RemoveMember,
    RenameMember,
    RenameTeam,
    ResumeMember,
    SuspendMember,
)
from commands.opportunities import OpenOpportunity
from commands.products import AddProduct, ReviseProduct
from commands.settings import ConfigureWorkspace, DefinePipeline, ReviseStages
from commands.work import Alone, Owned
from ledger.errors import NotFound
from unit.scenario import CUSTOMER, MEMBER, NOBODY, NOW, OPPORTUNITY, PRODUCT, TEAM, Scenario

STAGES = [{"key": "offer", "zh": "报价", "en": "Offer"}, {"key": "sign", "zh": "签约", "en": "Signing"}]


def test_a_team_is_formed_renamed_and_sells_in_a_region(nothing: Scenario) -> None:
    nothing.when(FormTeam(name="East", region="华东")).then(Team.Formed, name="East", region="华东", customer_id=None)
    nothing.given(Team.Formed)
    nothing.when(RenameTeam(name="North"), TEAM).then(Team.Renamed, name="North")
    nothing.when(RenameTeam(name="North"), TEAM).then_nothing()
    nothing.when(RenameTeam(name="North"), NOBODY).then_refused(NotFound, kind="team")
    since = date(2026, 1, 1)
    nothing.when(AssignRegion(region="华南", occurred_on=since), TEAM)
    nothing.then(Team.RegionAssigned, region="华南", occurred_on=since)
    nothing.when(AssignRegion(region="华南"), TEAM).then_nothing()
    nothing.when(AssignRegion(region=None, occurred_on=date(2026, 6, 16)), TEAM).then_refused(DateInFuture)


def test_a_team_stands_below_another_but_never_below_itself(nothing: Scenario) -> None:
    nothing.given(Team.Formed)
    nothing.when(FormTeam(name="South", parent_id=TEAM)).then(Team.Formed, name="South", parent_id=TEAM)
    nothing.when(FormTeam(name="South", parent_id=NOBODY)).then_refused(NotFound, kind="team")
    nothing.when(PlaceTeam(parent_id=None), TEAM).then_nothing()
    nothing.when(PlaceTeam(parent_id=NOBODY), TEAM).then_refused(NotFound, kind="team")
    nothing.when(PlaceTeam(parent_id=TEAM), TEAM).then_refused(TeamBelowItself, id=TEAM)


def test_teams_never_stand_in_a_circle(nothing: Scenario) -> None:
    lower = uuid4()
    nothing.given(Team.Formed).given(Team.Formed, id=lower, parent_id=TEAM)
    nothing.when(PlaceTeam(parent_id=lower), TEAM).then_refused(TeamBelowItself, id=TEAM)
    nothing.when(PlaceTeam(parent_id=None), lower).then(Team.Placed, parent_id=None)


def test_a_member_has_roles_and_may_be_kept_from_acting(nothing: Scenario) -> None:
    nothing.when(RegisterMember(name="Ann", roles=("经理", "sales", "sales"))).then(
        Member.Registered, name="Ann", roles=("sales", "manager")
    )
    nothing.given(Member.Registered)
    nothing.when(GiveRoles(roles=("审计",)), MEMBER).then(Member.RolesGiven, roles=("auditor",))
    nothing.when(GiveRoles(roles=("auditor",)), MEMBER).then_nothing()
    nothing.when(InviteMember(email="ann@example.com"), MEMBER).then(Member.Invited, email="ann@example.com")
    nothing.when(ResumeMember(), MEMBER).then_nothing()
    nothing.when(SuspendMember(), MEMBER).then(Member.Suspended)
    nothing.when(SuspendMember(), MEMBER).then_nothing()
    nothing.when(ResumeMember(), MEMBER).then(Member.Resumed)
    with pytest.raises(ValueError, match="unknown-choice"):
        GiveRoles.model_validate({"roles": ["king"]})


def test_a_member_who_left_stays_away(nothing: Scenario) -> None:
    nothing.given(Member.Registered).given(Member.Removed)
    nothing.when(RemoveMember(), MEMBER).then_nothing()
    nothing.when(GiveRoles(roles=("sales",)), MEMBER).then_refused(MemberRemoved, id=MEMBER)
    nothing.when(InviteMember(email="ann@example.com"), MEMBER).then_refused(MemberRemoved, id=MEMBER)
    nothing.when(SuspendMember(), MEMBER).then_refused(MemberRemoved, id=MEMBER)
    nothing.when(ResumeMember(), MEMBER).then_refused(MemberRemoved, id=MEMBER)
    nothing.when(RenameMember(name="B"), MEMBER).then_refused(MemberRemoved, id=MEMBER)


def test_only_a_member_who_left_is_erased_and_only_once(nothing: Scenario) -> None:
    nothing.given(Member.Registered).given(Member.Suspended)
    nothing.when(EraseMember(reason="x"), MEMBER).then_refused(MemberNotRemoved, id=MEMBER)
    nothing.given(Member.Removed).when(EraseMember(reason="x"), MEMBER)
    erased = nothing.then(Member.Erased, subjects=(MEMBER,), reason="x", customer_id=None)
    assert erased.erases() == (MEMBER,)
    nothing.when(EraseMember(reason="x"), NOBODY).then_refused(NotFound, kind="member")
    with pytest.raises(ValueError, match="reason"):
        EraseMember.model_validate({})


def test_nothing_more_is_done_with_an_erased_member(customer: Scenario) -> None:
    customer.given(Member.Invited, id=MEMBER, email="ann@example.com").given(Member.Removed, id=MEMBER)
    customer.given(Member.Erased, id=MEMBER, subjects=(MEMBER,))
    member = customer.ledger.load(Member, MEMBER)
    assert (member.name, member.email, member.state, member.erased) == (None, None, "removed", True)
    for command in (EraseMember(reason="x"), RemoveMember()):
        customer.when(command, MEMBER).then_nothing()
    for refused in (
        RenameMember(name="Bob"),
        InviteMember(email="bob@example.com"),
        GiveRoles(roles=("sales",)),
        SuspendMember(),
        ResumeMember(),
        AssignTeam(team_id=None),
    ):
        customer.when(refused, MEMBER).then_refused(SubjectErased, subject=MEMBER)
    customer.when(AssignOwner(owner_id=MEMBER), CUSTOMER).then_refused(SubjectErased, subject=MEMBER)


def test_a_member_is_registered_renamed_and_moved_between_teams(nothing: Scenario) -> None:
    nothing.when(RegisterMember(name="赵顾问", email="zhao@example.com", team_id=TEAM)).then_refused(
        NotFound, kind="team"
    )
    nothing.given(Team.Formed).when(RegisterMember(name="赵顾问", email="zhao@example.com", team_id=TEAM))
    nothing.then(Member.Registered, name="赵顾问", email="zhao@example.com", team_id=TEAM, occurred_on=None)
    nothing.when(RegisterMember(name="x", occurred_on=date(2026, 6, 16))).then_refused(DateInFuture)
    nothing.given(Member.Registered)
    nothing.when(RenameMember(name="Anna"), MEMBER).then(Member.Renamed, name="Anna")
    nothing.when(RenameMember(name="Anna"), MEMBER).then_nothing()
    nothing.when(AssignTeam(team_id=TEAM), MEMBER).then(Member.TeamAssigned, team_id=TEAM, occurred_on=None)
    nothing.when(AssignTeam(team_id=TEAM), MEMBER).then_nothing()
    nothing.when(AssignTeam(team_id=NOBODY), MEMBER).then_refused(NotFound, kind="team")
    nothing.when(AssignTeam(team_id=None, occurred_on=date(2026, 6, 16)), MEMBER).then_refused(DateInFuture)


def test_a_member_is_no_team_however_often_it_was_asked_for(nothing: Scenario) -> None:
    nothing.given(Member.Registered).given(Customer.Registered)
    nothing.when(AssignOwner(owner_id=MEMBER), CUSTOMER).then(Customer.OwnerAssigned)
    nothing.when(AssignTeam(team_id=MEMBER), MEMBER).then_refused(NotFound, kind="team", id=MEMBER)


def test_a_product_has_a_name_of_its_own_ord_7(nothing: Scenario) -> None:
    nothing.when(AddProduct(name="GTX Pro", series="GTX", price=Decimal(4821)))
    event = nothing.then(Product.Added, name="GTX Pro", price=Decimal(4821), currency="CNY")
    assert [(claim.kind, claim.value, claim.released) for claim in event.claims()] == [
        ("product-name", "gtx pro", False)
    ]


def test_renaming_a_product_gives_its_old_name_back_ord_7(nothing: Scenario) -> None:
    nothing.given(Product.Added).when(ReviseProduct(name="GTX Plus", price=Decimal(5)), PRODUCT)
    event = nothing.then(
        Product.Revised, changed=("name", "price", "currency"), former_name="GTX Pro", name="GTX Plus", currency="CNY"
    )
    assert [(claim.value, claim.released) for claim in event.claims()] == [("gtx pro", True), ("gtx plus", False)]
    nothing.when(ReviseProduct(name="GTX Plus"), PRODUCT).then_nothing()
    nothing.when(ReviseProduct(name=None), PRODUCT).then_refused(ProductNameMissing)
    nothing.when(ReviseProduct(code="7"), NOBODY).then_refused(NotFound, kind="product")


def test_only_other_capitals_in_a_name_neither_take_nor_free_one(nothing: Scenario) -> None:
    nothing.given(Product.Added).when(ReviseProduct(name="gtx pro"), PRODUCT)
    assert list(nothing.then(Product.Revised, former_name="GTX Pro").claims()) == []


def test_a_pipeline_is_defined_and_revised_opp_3(nothing: Scenario) -> None:
    nothing.when(DefinePipeline.model_validate({"name": "大客户", "stages": STAGES}))
    defined: Any = nothing.then(Pipeline.Defined, name="大客户")
    assert [stage.key for stage in defined.stages] == ["offer", "sign"]
    nothing.when(ReviseStages.model_validate({"stages": STAGES[::-1]}), defined.originator_id)
    revised: Any = nothing.then(Pipeline.StagesRevised)
    assert [stage.key for stage in revised.stages] == ["sign", "offer"]
    nothing.when(ReviseStages.model_validate({"stages": STAGES[::-1]}), defined.originator_id).then_nothing()
    nothing.when(ReviseStages.model_validate({"stages": STAGES}), NOBODY).then_refused(NotFound, kind="pipeline")


def test_the_default_pipeline_can_be_revised_before_its_first_use_opp_3(nothing: Scenario) -> None:
    nothing.when(ReviseStages.model_validate({"stages": STAGES}), DEFAULT_PIPELINE_ID)
    nothing.then(Pipeline.Defined)
    nothing.then(Pipeline.StagesRevised)


@pytest.mark.parametrize(
    "stages",
    [
        [STAGES[0], STAGES[0]],
        [STAGES[0], {"key": "other", "zh": "报价", "en": "Other"}],
        [STAGES[0], {"key": "other", "zh": "其他", "en": "OFFER"}],
        [{"key": "won", "zh": "成交", "en": "Won"}],
    ],
    ids=["twice", "same-chinese-name", "key-as-name", "won"],
)
def test_stages_are_told_apart_and_none_is_called_won(nothing: Scenario, stages: list[dict[str, str]]) -> None:
    nothing.when(DefinePipeline.model_validate({"name": "x", "stages": stages})).then_refused(StagesUnclear)


def test_settings_change_one_by_one_and_are_recorded_whole(nothing: Scenario) -> None:
    nothing.when(ConfigureWorkspace(currency="USD"))
    nothing.then(Workspace.Configured, time_zone="Asia/Shanghai", currency="USD", code_prefix="C", code_width=3)
    nothing.when(ConfigureWorkspace(time_zone="America/New_York", code_prefix="KH", code_width=4))
    nothing.then(
        Workspace.Configured,
        originator_id=WORKSPACE_ID,
        time_zone="America/New_York",
        currency="USD",
        code_prefix="KH",
        code_width=4,
    )
    nothing.when(ConfigureWorkspace(currency="USD")).then_nothing()


def test_settings_hold_for_the_next_command(customer: Scenario) -> None:
    customer.when(ConfigureWorkspace(time_zone="Pacific/Kiritimati", currency="USD", code_prefix="KH", code_width=4))
    customer.now = datetime(2026, 6, 30, 11, tzinfo=ZoneInfo("UTC"))  # already 1 July in Kiritimati
    customer.when(RegisterCustomer.model_validate({"kind": "person", "name": "x"}))
    customer.then(Customer.Registered, code="KH2026070001")
    customer.when(OpenOpportunity(name="x", occurred_on=date(2026, 7, 1)), CUSTOMER)
    assert customer.refusal is None


def test_an_import_batch_ends_once() -> None:
    with acting(Acting("import:1", uuid4(), "import", NOW)):
        batch = ImportBatch.start(UUID(int=1), profile="maven", file_name="x.csv", digest="d")
        rows = {"rows": 10, "added": 7, "unchanged": 1, "differing": 1, "refused": 1}
        batch.finish(**rows)
        with pytest.raises(ImportFinished):
            batch.finish(**rows)
    assert [event.TOPIC for event in batch.pending_events] == ["import-batch.started", "import-batch.finished"]  # type: ignore[attr-defined]


NOTHING_OWNED = Owned()


class Hands(Alone):
    """A member with one customer and one deal, and one administrator."""

    def __init__(self, owned: Owned = NOTHING_OWNED, administrators: frozenset[UUID] = frozenset()) -> None:
        self._owned, self._administrators = owned, administrators

    def owned_by(self, member_id: UUID) -> Owned:
        """The same for everybody."""
        return self._owned

    def administrators(self) -> frozenset[UUID]:
        """Who may change roles."""
        return self._administrators


def test_everything_that_a_member_looks_after_is_handed_over_at_once(opportunity: Scenario) -> None:
    successor = uuid4()
    opportunity.given(Member.Registered, id=successor)
    opportunity.when(HandOver(member_id=successor), MEMBER).then_nothing()
    opportunity.door.surroundings = Hands(Owned([CUSTOMER], [OPPORTUNITY]))
    opportunity.when(HandOver(member_id=NOBODY), MEMBER).then_refused(NotFound, kind="member")
    opportunity.when(HandOver(member_id=successor), MEMBER)
    opportunity.then(Member.HandedOver, member_id=successor, customers=1, opportunities=1)
    assert opportunity.ledger.load(Customer, CUSTOMER).owner_id == successor
    assert opportunity.ledger.load(Opportunity, OPPORTUNITY).owner_id == successor


def test_nothing_is_handed_over_to_somebody_who_may_not_act(customer: Scenario) -> None:
    gone, away = uuid4(), uuid4()
    customer.given(Member.Registered, id=gone).given(Member.Removed, id=gone)
    customer.given(Member.Registered, id=away).given(Member.Suspended, id=away)
    customer.door.surroundings = Hands(Owned([CUSTOMER]))
    for command, to in ((HandOver, MEMBER), (AssignOwner, CUSTOMER)):
        field = "member_id" if command is HandOver else "owner_id"
        customer.when(command.model_validate({field: gone}), to).then_refused(MemberRemoved, id=gone)
        customer.when(command.model_validate({field: away}), to).then_refused(MemberSuspended, id=away)


def test_a_member_leaves_only_with_empty_hands(nothing: Scenario) -> None:
    nothing.given(Member.Registered)
    nothing.door.surroundings = Hands(Owned([CUSTOMER]))
    nothing.when(RemoveMember(), MEMBER).then_refused(MemberStillOwns, id=MEMBER, customers=1, opportunities=0)
    nothing.door.surroundings = Hands()
    nothing.when(RemoveMember(), MEMBER).then(Member.Removed)


def test_the_last_administrator_stays_one(nothing: Scenario) -> None:
    nothing.given(Member.Registered, roles=("administrator",))
    nothing.door.surroundings = Hands(administrators=frozenset((MEMBER,)))
    for command in (GiveRoles(roles=("sales",)), SuspendMember(), RemoveMember()):
        nothing.when(command, MEMBER).then_refused(LastAdministrator, id=MEMBER)
    nothing.when(GiveRoles(roles=("sales", "administrator")), MEMBER)
    nothing.then(Member.RolesGiven, roles=("sales", "administrator"))
    nothing.door.surroundings = Hands(administrators=frozenset((MEMBER, NOBODY)))
    nothing.given(Member.Registered, id=NOBODY, roles=("sales",))
    nothing.when(SuspendMember(), MEMBER).then_refused(LastAdministrator, id=MEMBER)
    nothing.given(Member.RolesGiven, id=NOBODY, roles=("administrator",))
    nothing.when(SuspendMember(), MEMBER).then(Member.Suspended)
