"""What can be asked for about opportunities."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from aggregates.choices import Basis
from aggregates.customer import Customer
from aggregates.opportunity import Opportunity
from aggregates.product import Product
from commands import owners
from commands.base import Changed, Command, Work
from commands.fields import Code, CurrencyField, Day, Label, LeadSourceField, Line, Money, Percent, Prose
from commands.whose import customer_of


class Details(BaseModel):
    """What is known of a deal beside its stage, amount and dates (OPP-3)."""

    product_id: UUID | None = Field(None, description="The product it is about.")
    lead_source: LeadSourceField | None = Field(None, description="Where the chance comes from.")
    decision_maker: Line | None = Field(None, description="The key decision maker (关键决策人).", examples=["王经理"])
    competitors: Prose | None = Field(None, description="Who else is in it (竞争对手分析).")
    risks: Prose | None = Field(None, description="What may go wrong (风险点).")
    plan: Prose | None = Field(None, description="The next steps (推进计划).")
    progress: Percent | None = Field(None, description="How far it is, in percent (当前进度).")


DETAIL_FIELDS = ("name", *Details.model_fields)


class OpenOpportunity(Details, Command):
    """Note a chance of a deal with a customer; its amount may be unknown."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "科技云服务器项目",
                    "amount": "500000",
                    "stage": "negotiation",
                    "expected_close_on": "2024-05-30",
                    "decision_maker": "王经理",
                    "progress": 70,
                }
            ]
        }
    )

    name: Line = Field(description="What the deal is called.", examples=["科技云服务器项目"])
    customer_id: UUID | None = Field(None, description="The customer, where the address does not say it.")
    number: Code | None = Field(None, description="A number of its own (销售机会编号).")
    pipeline_id: UUID | None = Field(None, description="The pipeline; the default one when it is not said.")
    stage: Label | None = Field(None, description="The stage, by key or name; the first when it is not said.")
    amount: Money | None = Field(None, description="What it may be worth; null when that is not known.")
    currency: CurrencyField | None = Field(None, description="The workspace's currency when it is not said.")
    owner_id: UUID | None = Field(
        None,
        description="The member responsible; when it is not said, the customer's owner, else the member who opens it.",
    )
    expected_close_on: Day | None = None
    occurred_on: Day | None = Field(None, description="The day it came up; the day of recording when it is not said.")
    flags: tuple[Label, ...] = Field((), max_length=20)

    def record(self, to: UUID | None) -> UUID | None:
        """The customer, on which it is decided."""
        return to or self.customer_id

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Open the opportunity."""
        customer = customer_of(to, self.customer_id, work)
        pipeline = work.pipeline(self.pipeline_id)
        work.require(Product, self.product_id)
        opportunity = Opportunity.open(
            work.new_id(),
            work.calendar,
            customer_id=customer.id,
            pipeline=pipeline,
            stage=self.stage,
            occurred_on=self.occurred_on,
            currency=self.currency or work.settings.currency,
            owner_id=owners.choose_opportunity_owner(self.owner_id, customer, work),
            **self.given("number", "amount", "expected_close_on", "flags", *DETAIL_FIELDS),
        )
        return (opportunity, pipeline)


class AdvanceStage(Command):
    """Bring the opportunity to a later stage of its pipeline; stages in between may be skipped."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"stage": "proposal", "occurred_on": "2026-01-31"}]})

    stage: Label = Field(description="The stage, by key or name (需求, 方案, 谈判 ...).", examples=["proposal"])
    occurred_on: Day | None = Field(None, description="The day it happened; today when it is not said.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Advance the opportunity."""
        opportunity = work.load(Opportunity, to)
        pipeline = work.pipeline(opportunity.pipeline_id)
        opportunity.advance_stage(self.stage, self.occurred_on, pipeline, work.calendar)
        return (opportunity,)


class MoveStageBack(Command):
    """Let the opportunity fall back to an earlier stage; it needs a reason."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"stage": "need", "reason": "客户预算被削减"}]})

    stage: Label = Field(description="The stage, by key or name.", examples=["need"])
    occurred_on: Day | None = Field(None, description="The day it happened; today when it is not said.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Move the opportunity back."""
        opportunity = work.load(Opportunity, to)
        pipeline = work.pipeline(opportunity.pipeline_id)
        opportunity.move_stage_back(self.stage, self.occurred_on, pipeline, work.calendar, self.reason)
        return (opportunity,)


class CorrectStageDate(Command):
    """Say on which day a stage was really entered; it needs a reason, and the stages stay in order."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"entry": 0, "occurred_on": "2026-01-10", "reason": "录入时写错日期"}]}
    )

    entry: int = Field(ge=0, le=10_000, description="Which entry into a stage: 0 is the opening.")
    occurred_on: Day

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Correct the date of a stage of the opportunity."""
        opportunity = work.load(Opportunity, to)
        opportunity.correct_stage_date(self.entry, self.occurred_on, work.calendar, self.reason)
        return (opportunity,)


class ReviseAmount(Command):
    """Say what the opportunity may be worth now; null when that is not known."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"amount": "450000.00"}]})

    amount: Money | None
    currency: CurrencyField | None = Field(None, description="The currency it has already, when it is not said.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Revise the amount of the opportunity."""
        opportunity = work.load(Opportunity, to)
        opportunity.revise_amount(self.amount, self.currency)
        return (opportunity,)


class ReviseExpectedClose(Command):
    """Say when the opportunity is expected to close; null when that is not known."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"expected_close_on": "2026-06-30"}]})

    expected_close_on: Day | None

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Revise the expected close of the opportunity."""
        opportunity = work.load(Opportunity, to)
        opportunity.revise_expected_close(self.expected_close_on)
        return (opportunity,)


class ReviseDetails(Details, Command):
    """Change what is known of the opportunity: only what is given, null clears it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"risks": "数据安全", "progress": 70}]})

    name: Line | None = Field(None, description="What the deal is called; it can be changed, not cleared.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Revise the details of the opportunity."""
        opportunity = work.load(Opportunity, to)
        work.require(Product, self.product_id)
        opportunity.revise_details(**self.given(*DETAIL_FIELDS))
        return (opportunity,)


class AssignOpportunityOwner(Command):
    """Make one member responsible for the opportunity."""

    owner_id: UUID | None = Field(description="The member; null, for nobody, is for imports and rules only.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Assign the owner of the opportunity."""
        opportunity = work.load(Opportunity, to)
        opportunity.assign_owner(owners.choose_next_opportunity_owner(self.owner_id, opportunity, work))
        return (opportunity,)


class WinOpportunity(Command):
    """Close the opportunity with a deal of this value; that makes the customer a won one (成交)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"amount": "480000.00", "occurred_on": "2026-01-31"}]})

    amount: Money = Field(description="The value of the deal.")
    currency: CurrencyField | None = Field(None, description="The opportunity's own, when it is not said.")
    occurred_on: Day | None = Field(None, description="The day of the deal; today when it is not said.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Win the opportunity, and its customer."""
        opportunity = work.load(Opportunity, to)
        occurred_on = self.occurred_on or work.today
        opportunity.win(self.amount, self.currency, occurred_on, work.calendar)
        customer = work.load(Customer, opportunity.customer_id)
        customer.become_won(occurred_on, Basis.CONTRACT.value)
        return (opportunity, customer)


class LoseOpportunity(Command):
    """Close the opportunity without a deal, and say why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"loss_reason": "竞争对手价格低10%"}]})

    loss_reason: Line = Field(description="Why it was lost.")
    occurred_on: Day | None = Field(None, description="The day it was lost; today when it is not said.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Lose the opportunity."""
        opportunity = work.load(Opportunity, to)
        opportunity.lose(self.loss_reason, self.occurred_on or work.today, work.calendar)
        return (opportunity,)


class ReopenOpportunity(Command):
    """Work on a closed opportunity again; one that was won needs a reason.

    Where its owner has left or is suspended, it goes to the customer's owner, else to the member who reopens it.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"stage": "negotiation", "reason": "合同未生效"}]})

    stage: Label | None = Field(None, description="The stage to go on from; the one it was closed in otherwise.")
    occurred_on: Day | None = Field(None, description="The day it was taken up again; today when it is not said.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Reopen the opportunity."""
        opportunity = work.load(Opportunity, to)
        pipeline = work.pipeline(opportunity.pipeline_id)
        opportunity.reopen(self.stage, self.occurred_on, pipeline, work.calendar, self.reason)
        owners.replace_inactive_owner_of_opportunity(opportunity, work)
        return (opportunity,)
