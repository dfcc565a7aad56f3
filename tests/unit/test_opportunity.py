"""What may be asked of an opportunity (OPP-1 to OPP-3)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from aggregates.customer import Customer
from aggregates.opportunity import Opportunity
from aggregates.opportunity.refusals import (
    BeforeStageEntered,
    CustomerUnclear,
    EntryUnknown,
    OpportunityClosed,
    OpportunityNotClosed,
    StageDateOutOfOrder,
    StageNotAhead,
    StageNotBehind,
)
from aggregates.pipeline import DEFAULT_PIPELINE_ID, Pipeline, Stage, StageUnknown
from aggregates.product import Product
from aggregates.refusals import CurrencyMismatch, DateInFuture, ReasonMissing
from commands.base import Command
from commands.opportunities import (
    AdvanceStage,
    AssignOpportunityOwner,
    CorrectStageDate,
    LoseOpportunity,
    MoveStageBack,
    OpenOpportunity,
    ReopenOpportunity,
    ReviseAmount,
    ReviseDetails,
    ReviseExpectedClose,
    WinOpportunity,
)
from ledger.errors import NotFound
from unit.scenario import CUSTOMER, MEMBER, NOBODY, OPPORTUNITY, PRODUCT, TODAY, Scenario

JUNE = [date(2026, 6, day) for day in range(1, 31)]


def opened(**what: Any) -> OpenOpportunity:
    return OpenOpportunity.model_validate({"name": "Cloud servers", **what})


def test_the_first_opportunity_brings_the_default_pipeline_opp_3(customer: Scenario) -> None:
    customer.when(opened(), CUSTOMER)
    customer.then(
        Opportunity.Opened,
        customer_id=CUSTOMER,
        pipeline_id=DEFAULT_PIPELINE_ID,
        stage="lead",
        amount=None,
        currency="CNY",
        occurred_on=None,
        flags=(),
    )
    defined: Any = customer.then(Pipeline.Defined)
    assert [stage.zh for stage in defined.stages] == ["线索", "需求", "方案", "谈判"]
    customer.when(opened(name="Second"), CUSTOMER).then(Opportunity.Opened)
    customer.then_nothing()


def test_an_opportunity_is_opened_with_all_its_details_opp_2_opp_3(customer: Scenario) -> None:
    customer.given(Product.Added).when(
        opened(
            number="0007",
            stage="谈判",
            amount="500000",
            currency="usd",
            product_id=PRODUCT,
            owner_id=MEMBER,
            lead_source="转介绍",
            expected_close_on="2026-07-30",
            occurred_on="2017-03-01",
            decision_maker="王经理",
            competitors="价格低10%",
            risks="数据安全",
            plan="签订框架协议",
            progress=70,
            flags=["no-account"],
        ),
        CUSTOMER,
    )
    event = customer.then(
        Opportunity.Opened,
        number="0007",
        stage="negotiation",
        amount=Decimal(500000),
        currency="USD",
        product_id=PRODUCT,
        owner_id=MEMBER,
        lead_source="referral",
        source="api",
        occurred_on=date(2017, 3, 1),
        progress=70,
        flags=("no-account",),
    )
    assert [(claim.kind, claim.value) for claim in event.claims()] == [("opportunity-number", "0007")]


def test_the_customer_may_stand_in_the_command(customer: Scenario) -> None:
    customer.when(opened(customer_id=CUSTOMER)).then(Opportunity.Opened, customer_id=CUSTOMER)
    customer.when(opened()).then_refused(CustomerUnclear)
    customer.when(opened(customer_id=NOBODY), CUSTOMER).then_refused(CustomerUnclear)


def test_what_an_opportunity_refers_to_is_there(customer: Scenario) -> None:
    customer.when(opened(), NOBODY).then_refused(NotFound, kind="customer")
    customer.when(opened(product_id=NOBODY), CUSTOMER).then_refused(NotFound, kind="product")
    customer.when(opened(owner_id=NOBODY), CUSTOMER).then_refused(NotFound, kind="member")
    customer.when(opened(pipeline_id=NOBODY), CUSTOMER).then_refused(NotFound, kind="pipeline")


def test_an_opportunity_begins_in_a_stage_of_its_pipeline_and_not_ahead_of_today(customer: Scenario) -> None:
    customer.when(opened(stage="签约"), CUSTOMER).then_refused(
        StageUnknown, stage="签约", stages=("lead", "need", "proposal", "negotiation")
    )
    customer.when(opened(occurred_on="2026-06-16"), CUSTOMER).then_refused(DateInFuture)


def test_stages_are_advanced_and_may_be_skipped_opp_3(opportunity: Scenario) -> None:
    opportunity.when(AdvanceStage(stage="需求", occurred_on=JUNE[4]), OPPORTUNITY)
    opportunity.then(Opportunity.StageAdvanced, stage="need", occurred_on=JUNE[4], customer_id=CUSTOMER)
    opportunity.when(AdvanceStage(stage="negotiation"), OPPORTUNITY)
    opportunity.then(Opportunity.StageAdvanced, stage="negotiation", occurred_on=None)


def test_advancing_goes_forward_only_and_back_takes_a_reason_opp_3(opportunity: Scenario) -> None:
    opportunity.given(Opportunity.StageAdvanced, stage="proposal", occurred_on=JUNE[4])
    opportunity.when(AdvanceStage(stage="need"), OPPORTUNITY).then_refused(StageNotAhead, current="proposal")
    opportunity.when(AdvanceStage(stage="proposal"), OPPORTUNITY).then_refused(StageNotAhead)
    opportunity.when(AdvanceStage(stage="won"), OPPORTUNITY).then_refused(StageUnknown, stage="won")
    back = MoveStageBack(stage="need", reason="预算被削减")
    opportunity.when(MoveStageBack(stage="need"), OPPORTUNITY).then_refused(ReasonMissing)
    opportunity.when(MoveStageBack(stage="negotiation", reason="x"), OPPORTUNITY).then_refused(StageNotBehind)
    opportunity.when(MoveStageBack(stage="proposal", reason="x"), OPPORTUNITY).then_refused(StageNotBehind)
    opportunity.when(MoveStageBack(stage="x", reason="x"), OPPORTUNITY).then_refused(StageUnknown)
    opportunity.when(back, OPPORTUNITY).then(Opportunity.StageMovedBack, stage="need", reason="预算被削减")


def test_a_stage_is_not_left_before_it_was_entered(opportunity: Scenario) -> None:
    opportunity.given(Opportunity.StageAdvanced, stage="need", occurred_on=JUNE[9])
    early, late = {"occurred_on": JUNE[8]}, {"occurred_on": JUNE[15]}
    steps: list[tuple[type[Command], dict[str, Any]]] = [
        (AdvanceStage, {"stage": "proposal"}),
        (MoveStageBack, {"stage": "lead", "reason": "x"}),
        (WinOpportunity, {"amount": "1"}),
        (LoseOpportunity, {"loss_reason": "x"}),
    ]
    for command, more in steps:
        opportunity.when(command(**more, **early), OPPORTUNITY).then_refused(BeforeStageEntered, earliest=JUNE[9])
        opportunity.when(command(**more, **late), OPPORTUNITY).then_refused(DateInFuture, today=TODAY)


def test_a_stage_entered_without_a_date_counts_from_the_day_it_was_recorded(customer: Scenario) -> None:
    customer.given(Pipeline.Defined).given(Opportunity.Opened, occurred_on=None)
    early = AdvanceStage(stage="need", occurred_on=date(2026, 6, 14))
    customer.when(early, OPPORTUNITY).then_refused(BeforeStageEntered, earliest=TODAY)
    customer.when(AdvanceStage(stage="need", occurred_on=TODAY), OPPORTUNITY).then(Opportunity.StageAdvanced)


def test_the_date_of_a_stage_is_corrected_with_a_reason_and_in_order(opportunity: Scenario) -> None:
    opportunity.given(Opportunity.StageAdvanced, stage="need", occurred_on=JUNE[5])
    opportunity.given(Opportunity.StageAdvanced, stage="proposal", occurred_on=JUNE[9])

    def correct(entry: int, day: int, reason: str | None = "写错") -> Scenario:
        return opportunity.when(CorrectStageDate(entry=entry, occurred_on=JUNE[day], reason=reason), OPPORTUNITY)

    correct(1, 3, None).then_refused(ReasonMissing)
    correct(3, 3).then_refused(EntryUnknown, entry=3, entries=3)
    correct(1, 10).then_refused(StageDateOutOfOrder, earliest=JUNE[0], latest=JUNE[9])
    correct(2, 4).then_refused(StageDateOutOfOrder, earliest=JUNE[5], latest=TODAY)
    correct(2, 20).then_refused(StageDateOutOfOrder)
    correct(1, 3).then(Opportunity.StageDateCorrected, entry=1, occurred_on=JUNE[3], reason="写错")
    correct(0, 3).then(Opportunity.StageDateCorrected, entry=0, occurred_on=JUNE[3])
    correct(0, 3).then_nothing()


def test_a_correction_does_not_pass_the_day_it_was_closed(opportunity: Scenario) -> None:
    opportunity.given(Opportunity.Lost, loss_reason="x", occurred_on=JUNE[6])
    opportunity.given(Opportunity.Reopened, stage="lead", occurred_on=JUNE[11])
    late = CorrectStageDate(entry=0, occurred_on=JUNE[7], reason="x")
    opportunity.when(late, OPPORTUNITY).then_refused(StageDateOutOfOrder, latest=JUNE[6])
    early = CorrectStageDate(entry=1, occurred_on=JUNE[5], reason="x")
    opportunity.when(early, OPPORTUNITY).then_refused(StageDateOutOfOrder, earliest=JUNE[6])


def test_amount_expected_close_owner_and_details_are_revised_opp_1_opp_3(opportunity: Scenario) -> None:
    opportunity.given(Product.Added)
    opportunity.when(ReviseAmount(amount=None), OPPORTUNITY).then(
        Opportunity.AmountRevised, amount=None, currency="CNY"
    )
    opportunity.when(ReviseAmount(amount=None), OPPORTUNITY).then_nothing()
    dollars = ReviseAmount(amount=Decimal(9), currency="USD")
    opportunity.when(dollars, OPPORTUNITY).then(Opportunity.AmountRevised, amount=Decimal(9), currency="USD")
    close = ReviseExpectedClose(expected_close_on=date(2026, 8, 1))
    opportunity.when(close, OPPORTUNITY).then(Opportunity.ExpectedCloseRevised, expected_close_on=date(2026, 8, 1))
    opportunity.when(close, OPPORTUNITY).then_nothing()
    opportunity.when(ReviseDetails(risks="数据安全", name="Cloud servers", product_id=PRODUCT), OPPORTUNITY)
    opportunity.then(Opportunity.DetailsRevised, changed=("product_id", "risks"), product_id=PRODUCT, name=None)
    opportunity.when(ReviseDetails(product_id=NOBODY), OPPORTUNITY).then_refused(NotFound, kind="product")
    opportunity.when(AssignOpportunityOwner(owner_id=MEMBER), OPPORTUNITY).then(Opportunity.OwnerAssigned)
    opportunity.when(AssignOpportunityOwner(owner_id=MEMBER), OPPORTUNITY).then_nothing()
    opportunity.when(AssignOpportunityOwner(owner_id=NOBODY), OPPORTUNITY).then_refused(NotFound, kind="member")


def test_winning_an_opportunity_wins_the_customer_in_one_transaction_lif_2_lif_7(opportunity: Scenario) -> None:
    opportunity.when(WinOpportunity(amount=Decimal(480), occurred_on=JUNE[9]), OPPORTUNITY)
    opportunity.then(Opportunity.Won, amount=Decimal(480), currency="CNY", occurred_on=JUNE[9])
    opportunity.then(Customer.LifecycleMoved, lifecycle="won", basis="contract", occurred_on=JUNE[9])
    assert opportunity.outcome is not None
    assert opportunity.outcome.id == OPPORTUNITY


def test_what_is_learnt_late_keeps_the_moves_of_a_customer_in_order_lif_2(opportunity: Scenario) -> None:
    opportunity.given(Customer.LifecycleMoved, lifecycle="interested", occurred_on=JUNE[11])
    opportunity.when(WinOpportunity(amount=Decimal(1), occurred_on=JUNE[9]), OPPORTUNITY).then(Opportunity.Won)
    opportunity.then(Customer.LifecycleMoved, lifecycle="won", occurred_on=JUNE[11])


def test_a_deal_is_won_even_when_its_customer_is_in_the_archive(opportunity: Scenario) -> None:
    opportunity.given(Customer.Archived)
    opportunity.when(WinOpportunity(amount=Decimal(1)), OPPORTUNITY).then(Opportunity.Won)
    opportunity.then_nothing()


def test_a_deal_is_made_in_the_currency_of_the_opportunity(opportunity: Scenario) -> None:
    dollars = WinOpportunity(amount=Decimal(480), currency="USD")
    opportunity.when(dollars, OPPORTUNITY).then_refused(CurrencyMismatch, currency="USD", expected="CNY")


def test_losing_an_opportunity_says_why(opportunity: Scenario) -> None:
    opportunity.when(LoseOpportunity(loss_reason="竞争对手价格低"), OPPORTUNITY)
    opportunity.then(Opportunity.Lost, loss_reason="竞争对手价格低", occurred_on=TODAY)
    opportunity.then_nothing()


@pytest.mark.parametrize(
    "command",
    [
        AdvanceStage(stage="need"),
        MoveStageBack(stage="lead", reason="x"),
        ReviseAmount(amount=None),
        ReviseExpectedClose(expected_close_on=None),
        ReviseDetails(risks="x"),
        WinOpportunity(amount=Decimal(1)),
        LoseOpportunity(loss_reason="x"),
    ],
    ids=lambda command: command.action,
)
def test_a_closed_opportunity_stays_as_it_is(opportunity: Scenario, command: Command) -> None:
    opportunity.given(Opportunity.Won, amount=Decimal(480), currency="CNY", occurred_on=JUNE[9])
    opportunity.when(command, OPPORTUNITY).then_refused(OpportunityClosed, status="won")


def test_a_closed_opportunity_is_reopened(opportunity: Scenario) -> None:
    opportunity.given(Opportunity.StageAdvanced, stage="proposal", occurred_on=JUNE[4])
    opportunity.when(ReopenOpportunity(), OPPORTUNITY).then_refused(OpportunityNotClosed)
    opportunity.given(Opportunity.Lost, loss_reason="x", occurred_on=JUNE[6])
    early = ReopenOpportunity(occurred_on=JUNE[5])
    opportunity.when(early, OPPORTUNITY).then_refused(BeforeStageEntered, earliest=JUNE[6])
    opportunity.when(ReopenOpportunity(stage="x"), OPPORTUNITY).then_refused(StageUnknown)
    opportunity.when(ReopenOpportunity(), OPPORTUNITY).then(Opportunity.Reopened, stage="proposal", occurred_on=None)


def test_to_undo_a_deal_takes_a_reason(opportunity: Scenario) -> None:
    opportunity.given(Opportunity.Won, amount=Decimal(480), currency="CNY", occurred_on=JUNE[9])
    opportunity.when(ReopenOpportunity(), OPPORTUNITY).then_refused(ReasonMissing)
    again = ReopenOpportunity(stage="need", reason="合同未生效")
    opportunity.when(again, OPPORTUNITY).then(Opportunity.Reopened, stage="need")


def test_an_opportunity_whose_stage_was_taken_away_can_still_go_on(opportunity: Scenario) -> None:
    left = (Stage("need", "需求", "Need"), Stage("offer", "报价", "Offer"))
    opportunity.given(Pipeline.StagesRevised, stages=left)
    opportunity.when(AdvanceStage(stage="报价"), OPPORTUNITY).then(Opportunity.StageAdvanced, stage="offer")
