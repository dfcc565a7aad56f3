"""Opportunities: from the first lead through the stages to a deal, a loss, or where they stand today."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from commands.opportunities import (
    AdvanceStage,
    LoseOpportunity,
    MoveStageBack,
    OpenOpportunity,
    ReviseDetails,
    ReviseExpectedClose,
    WinOpportunity,
)
from crm.sample.customers import Customer
from crm.sample.script import DAY, Script
from crm.sample.staff import Product, Staff
from crm.sample.talks import next_after, talk
from crm.sample.words import words

STAGES = ("lead", "need", "proposal", "negotiation")
DOLLAR = Decimal("7.1")


@dataclass(frozen=True)
class Deal:
    """An opportunity as it ended, or as it stands."""

    id: UUID
    customer: Customer
    product: str
    amount: Decimal
    phase: str
    outcome: str
    ended_on: date


def worth(script: Script, product: Product, currency: str) -> Decimal:
    """What a deal about the product comes to."""
    amount = product.price * script.chance.randint(product.least, product.most)
    return amount if currency == "CNY" else (amount / DOLLAR).quantize(Decimal(100))


def run(script: Script, staff: Staff, customer: Customer, begun: date, ends: str, *, pace: int = 1) -> Deal:
    """An opportunity that begins on a day and is to end as won, lost or open; what today cuts short stays open.

    `pace` is how many conversations there are in each stage.
    """
    product = script.pick(staff.products)
    amount = worth(script, product, customer.currency)
    opportunity = _open(script, customer, product, amount, begun)
    deal = Deal(opportunity, customer, product.name, amount, "first", "open", begun)
    last = script.chance.randint(1, 3) if ends != "won" else 3
    on = begun
    for place in range(last + 1):
        if place:
            on = next_after(script, on, 3, 16)
            if not script.is_over(on):
                return replace(deal, phase=_phase(place), ended_on=on)
            _advance(script, customer, opportunity, STAGES[place], on)
        for _ in range(pace):
            following = next_after(script, on, 3, 12)
            talk(script, customer, _phase(place), on, following, product.name)
            on = following
            if not script.is_over(on):
                return replace(deal, phase=_phase(place), ended_on=on)
        if place == 2 and script.maybe(0.06):
            _fall_back(script, customer, opportunity, on)
            on = next_after(script, on, 5, 12)
            if not script.is_over(on):
                return replace(deal, phase=_phase(place), ended_on=on)
    if ends == "won":
        return _win(script, deal, on)
    if ends == "lost":
        return _lose(script, deal, on)
    if script.maybe(0.3):
        slipped = ReviseExpectedClose(expected_close_on=script.working_day(script.today + script.days(10, 70)))
        script.do(script.moment(on), slipped, to=opportunity, by=customer.owner.id)
    return replace(deal, phase=_phase(place), ended_on=on)


def _open(script: Script, customer: Customer, product: Product, amount: Decimal, on: date) -> UUID:
    at = script.moment(on)
    opportunity = script.new_id(at)
    known: dict[str, Any] = {
        "decision_maker": customer.contacts[0][1],
        "competitors": script.pick(words()["outcomes"]["competitors"]),
    }
    command = OpenOpportunity(
        name=f"{product.name}项目",
        number=f"SJ{on:%y%m}-{len(script.deeds):05d}",
        product_id=product.id,
        amount=amount if script.maybe(0.93) else None,
        currency=customer.currency,
        owner_id=customer.owner.id,
        lead_source=script.pick(("visit", "referral", "exhibition", "online_enquiry")),
        expected_close_on=script.working_day(on + script.days(40, 110)),
        occurred_on=on,
        **(known if script.maybe(0.7) else {}),
    )
    script.do(at, command, to=customer.id, makes=opportunity, by=customer.owner.id)
    return opportunity


def _phase(place: int) -> str:
    return "first" if place == 0 else STAGES[place]


def _advance(script: Script, customer: Customer, opportunity: UUID, stage: str, on: date) -> None:
    at = script.moment(on).replace(hour=8)
    script.do(at, AdvanceStage(stage=stage, occurred_on=on), to=opportunity, by=customer.owner.id)
    if stage == "proposal" and script.maybe(0.6):
        outcomes = words()["outcomes"]
        known = ReviseDetails(risks=script.pick(outcomes["risks"]), plan=script.pick(outcomes["plans"]), progress=50)
        script.do(at + timedelta(minutes=1), known, to=opportunity, by=customer.owner.id)


def _fall_back(script: Script, customer: Customer, opportunity: UUID, on: date) -> None:
    at = script.moment(on).replace(hour=18)
    reason = script.pick(words()["outcomes"]["setbacks"])
    back = MoveStageBack(stage="need", occurred_on=on, reason=reason)
    script.do(at, back, to=opportunity, by=customer.owner.id)


def _win(script: Script, deal: Deal, on: date) -> Deal:
    discount = Decimal(script.pick(("1", "1", "0.98", "0.95", "0.92", "0.9")))
    value = (deal.amount * discount).quantize(Decimal(10))
    agreed = {"result": "won", "deal_on": on, "progress": 100, "intent": "determined", "attitude": "positive"}
    talk(script, deal.customer, "negotiation", on, on + DAY * 14, deal.product, **agreed)
    at = script.moment(on).replace(hour=19)
    script.do(at, WinOpportunity(amount=value, occurred_on=on), to=deal.id, by=deal.customer.owner.id)
    return replace(deal, amount=value, phase="after", outcome="won", ended_on=on)


def _lose(script: Script, deal: Deal, on: date) -> Deal:
    reason = script.pick(words()["outcomes"]["loss_reasons"])
    at = script.moment(on).replace(hour=19)
    script.do(at, LoseOpportunity(loss_reason=reason, occurred_on=on), to=deal.id, by=deal.customer.owner.id)
    return replace(deal, phase="cold", outcome="lost", ended_on=on)
