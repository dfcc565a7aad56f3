"""Conversations with customers."""

from __future__ import annotations

from uuid import UUID

from pydantic import ConfigDict, Field

from aggregates.customer import Customer
from commands import owners
from commands.base import Changed, Command, Work
from commands.fields import (
    AttitudeField,
    CategoryField,
    Day,
    InclinationField,
    IntentField,
    InteractionField,
    Line,
    MethodField,
    Moment,
    Percent,
    Prose,
    ResultField,
)

SAID = (
    "participants",
    "interaction",
    "subject",
    "content",
    "feedback",
    "attitude",
    "progress",
    "intent",
    "answered",
    "next_action",
)


class LogFollowUp(Command):
    """Note that you spoke with the customer, or tried to, and when to speak again.

    A result of won needs the day of the deal and wins the customer; a call-back says what intent it found.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "method": "phone",
                    "occurred_at": "2026-01-31T09:30:00+08:00",
                    "content": "介绍了套餐升级方案",
                    "feedback": "需确认数据迁移周期",
                    "attitude": "positive",
                    "progress": 45,
                    "next_contact_on": "2026-02-05",
                    "next_action": "提供迁移流程表",
                }
            ]
        }
    )

    method: MethodField = Field(description="How you spoke, by key or by name (电话, 微信, 现场跟进 ...).")
    occurred_at: Moment | None = Field(None, description="When, with the offset; now when it is not said.")
    follower_id: UUID | None = Field(
        None, description="Whose conversation it was (跟进人); the member who notes it when it is not said."
    )
    participants: Line | None = Field(None, description="Who took part (参与人员).", examples=["王经理、赵顾问"])
    interaction: InteractionField | None = Field(
        None, description="What it was about, by key or by name (售前咨询, 销售跟进, 客户投诉, 其他)."
    )
    subject: Line | None = None
    content: Prose | None = Field(None, description="What was said: points, objections, agreements.")
    feedback: Prose | None = Field(None, description="What the customer answered.")
    attitude: AttitudeField | None = None
    progress: Percent | None = Field(None, description="How far it is, in percent.")
    intent: InclinationField | None = Field(None, description="How determined the customer was to buy.")
    result: ResultField | None = None
    deal_on: Day | None = Field(None, description="The day of the deal.")
    answered: bool = Field(True, description="Whether the customer was reached.")
    contact_id: UUID | None = Field(None, description="With which contact of the customer.")
    next_contact_on: Day | None = None
    next_action: Prose | None = None
    category: CategoryField | None = Field(None, description="The category after this conversation.")
    is_call_back: bool = Field(False, description="Whether it was one of the at most three call-backs.")
    call_back_intent: IntentField | None = Field(None, description="What a call-back found: none, yes or pending.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Log the follow-up of the customer."""
        customer = work.load(Customer, to)
        customer.log_follow_up(
            work.new_id(),
            self.occurred_at or work.now,
            work.calendar,
            method=self.method,
            follower_id=owners.follower(self.follower_id, work),
            category=self.category,
            call_back_intent=self.call_back_intent,
            is_call_back=self.is_call_back,
            contact_id=self.contact_id,
            next_contact_on=self.next_contact_on,
            result=self.result,
            deal_on=self.deal_on,
            **{name: getattr(self, name) for name in SAID},
        )
        return (customer,)
