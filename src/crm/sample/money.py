"""What customers owe for what they bought, and how they pay: in time, late, in part, under protest, or never."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from commands.receivables import (
    DisputeReceivable,
    IssueReceivable,
    MoveDueDate,
    ReceivePayment,
    RecordReminder,
    ReversePayment,
    SettleDispute,
    WriteOff,
)
from crm.sample.deals import Deal
from crm.sample.script import DAY, Script
from crm.sample.words import words

INSTALMENTS = ((Decimal("0.3"), 0, 7), (Decimal("0.5"), 30, 30), (Decimal("0.2"), 75, 30))
"""The share of each, the days after the deal on which it is invoiced, and its terms."""
MANNERS = (
    "prompt",
    "prompt",
    "prompt",
    "late",
    "late",
    "part",
    "disputing",
    "bounced",
    "short",
    "short",
    "silent",
    "silent",
)
"""How a customer pays, each as likely as it stands here."""
GONE = timedelta(days=200)
"""Who has paid nothing for so long is given up."""


@dataclass(frozen=True)
class Owed:
    """One receivable."""

    id: UUID
    amount: Decimal
    issued_on: date
    due_on: date
    by: UUID


def bill(script: Script, deal: Deal, order: int, manner: str | None = None) -> None:
    """Invoice a deal in instalments, as far as they are due to be invoiced, and let the customer pay its own way."""
    manner = manner or script.pick(MANNERS)
    rest = deal.amount
    for place, (share, after, terms) in enumerate(INSTALMENTS, start=1):
        amount = rest if place == len(INSTALMENTS) else (deal.amount * share).quantize(Decimal("0.01"))
        rest -= amount
        on = script.working_day(deal.ended_on + DAY * after)
        on = max(on, deal.ended_on)
        if not script.is_over(on):
            return
        owed = _issue(script, deal, order, place, amount, on, terms)
        _pay(script, owed, "prompt" if place == 1 and manner != "silent" else manner)


def _issue(script: Script, deal: Deal, order: int, place: int, amount: Decimal, on: date, terms: int) -> Owed:
    at = script.moment(on).replace(hour=20)
    owed = Owed(script.new_id(at), amount, on, on + DAY * terms, deal.customer.owner.id)
    command = IssueReceivable(
        opportunity_id=deal.id,
        order_no=f"XS{deal.ended_on:%Y}-{order:04d}",
        instalment=place,
        invoice_no=f"{10_000_000 + order * 37 + place:010d}",
        amount=amount,
        currency=deal.customer.currency,
        issued_on=on,
        terms_days=terms,
        requested=(script.today - on).days > 10,
        description=("首款", "到货款", "验收款")[place - 1],
    )
    script.do(at, command, to=deal.customer.id, makes=owed.id, by=owed.by)
    return owed


def _pay(script: Script, owed: Owed, manner: str) -> None:
    if manner == "prompt":
        _receive(script, owed, owed.amount, owed.due_on - script.days(0, 5))
    elif manner == "late":
        if script.maybe(0.3):
            _extend(script, owed)
        _remind(script, owed, owed.due_on + script.days(2, 9))
        _receive(script, owed, owed.amount, owed.due_on + script.days(10, 70))
    elif manner == "part":
        half = (owed.amount * Decimal("0.6")).quantize(Decimal(100))
        _receive(script, owed, half, owed.due_on + script.days(-3, 10))
        _remind(script, owed, owed.due_on + script.days(20, 30))
    elif manner == "disputing":
        _dispute(script, owed)
    elif manner == "bounced":
        _bounce(script, owed)
    elif manner == "short":
        _receive(script, owed, owed.amount - script.chance.randint(1, 9) - Decimal("0.50"), owed.due_on + DAY)
        _give_up(script, owed, owed.due_on + script.days(30, 40), words()["outcomes"]["write_offs"][0])
    else:
        for apart in (7, 30, 60):
            _remind(script, owed, owed.due_on + DAY * apart)
        _give_up(script, owed, owed.due_on + GONE, words()["outcomes"]["write_offs"][1])


def _receive(script: Script, owed: Owed, amount: Decimal, on: date) -> UUID | None:
    on = max(owed.issued_on, script.working_day(on))
    if not script.is_over(on):
        return None
    at = script.moment(on).replace(hour=21)
    payment = script.new_id(at)
    command = ReceivePayment(amount=amount, occurred_on=on, method=script.pick(words()["outcomes"]["payments"]))
    script.do(at, command, to=owed.id, makes=payment, by=owed.by)
    return payment


def _remind(script: Script, owed: Owed, on: date) -> None:
    on = max(owed.issued_on, script.working_day(on))
    if script.is_over(on):
        channel, note = script.pick(("phone", "wechat", "email")), script.pick(words()["outcomes"]["reminders"])
        command = RecordReminder(channel=channel, occurred_on=on, note=note)
        script.do(script.moment(on).replace(hour=20, minute=59), command, to=owed.id, by=owed.by)


def _extend(script: Script, owed: Owed) -> None:
    on = max(owed.issued_on, script.working_day(owed.due_on))
    if script.is_over(on):
        command = MoveDueDate(due_on=owed.due_on + DAY * 15, reason="客户申请延期15天，经理同意")
        script.do(script.moment(on).replace(hour=20, minute=58), command, to=owed.id, by=owed.by)


def _dispute(script: Script, owed: Owed) -> None:
    place = script.chance.randrange(3)
    outcomes = words()["outcomes"]
    on = max(owed.issued_on, script.working_day(owed.due_on - DAY * 3))
    if not script.is_over(on):
        return
    contested = DisputeReceivable(occurred_on=on, note=outcomes["disputes"][place])
    script.do(script.moment(on).replace(hour=20, minute=58), contested, to=owed.id, by=owed.by)
    settled_on = script.working_day(on + script.days(20, 60))
    if script.maybe(0.6) and script.is_over(settled_on):
        settled = SettleDispute(occurred_on=settled_on, note=outcomes["settlements"][place])
        script.do(script.moment(settled_on).replace(hour=20), settled, to=owed.id, by=owed.by)
        _receive(script, owed, owed.amount, settled_on + DAY * 5)


def _bounce(script: Script, owed: Owed) -> None:
    payment = _receive(script, owed, owed.amount, owed.due_on)
    back_on = script.working_day(owed.due_on + DAY * 6)
    if payment is None or not script.is_over(back_on) or script.maybe(0.7):
        return
    reversed_ = ReversePayment(payment_id=payment, occurred_on=back_on, reason="银行退票：账号有误")
    script.do(script.moment(back_on).replace(hour=22), reversed_, to=owed.id, by=owed.by)
    _receive(script, owed, owed.amount, back_on + DAY * 9)


def _give_up(script: Script, owed: Owed, on: date, reason: str) -> None:
    on = script.working_day(on)
    if script.is_over(on):
        command = WriteOff(occurred_on=on, reason=reason)
        script.do(script.moment(on).replace(hour=22), command, to=owed.id, by=owed.by)
