"""What is said in a conversation, and when the next one is due."""

from __future__ import annotations

from datetime import date
from typing import Any

from commands.customers import LogFollowUp
from crm.sample.customers import Customer
from crm.sample.script import DAY, Script
from crm.sample.words import words

PROGRESS = {"first": (5, 15), "need": (20, 40), "proposal": (45, 65), "negotiation": (70, 90), "after": (100, 100)}
UNANSWERED = {"method": "phone", "content": "未接通，稍后再联系"}
MOODS = {
    "first": ("positive", "hesitant", "positive", "negative"),
    "need": ("positive", "positive", "hesitant"),
    "proposal": ("positive", "hesitant", "hesitant"),
    "negotiation": ("positive", "hesitant"),
    "after": ("positive",),
    "cold": ("negative", "hesitant"),
}


def talk(
    script: Script,
    customer: Customer,
    phase: str,
    on: date,
    until: date | None,
    product: str = "我们的产品",
    **more: Any,
) -> None:
    """Speak with the customer on a day, or try to; `until` is the day that was agreed for the next time."""
    answered = bool(more) or script.maybe(0.88)
    contact_id, contact = customer.contacts[0] if script.maybe(0.7) else script.pick(customer.contacts)
    said = _said(script, customer, phase, contact, product) if answered else dict(UNANSWERED)
    at = script.moment(on)
    command = LogFollowUp(
        occurred_at=at,
        answered=answered,
        contact_id=contact_id,
        next_contact_on=until,
        **(said | more),
    )
    script.do(at, command, to=customer.id, makes=script.new_id(at), by=customer.owner.id)


def _said(script: Script, customer: Customer, phase: str, contact: str, product: str) -> dict[str, Any]:
    text = script.fresh(customer.id, words()["talks"][phase])
    fill = {"contact": contact, "product": product, "need_short": customer.need.split("，")[0]}
    said: dict[str, Any] = {name: line.format(**fill) for name, line in text.items() if name != "methods"}
    said["method"] = script.pick(text["methods"])
    said["attitude"] = script.pick(MOODS[phase])
    if phase in PROGRESS:
        said["progress"] = script.chance.randint(*PROGRESS[phase])
    if phase == "negotiation":
        said["intent"] = script.pick(("determined", "hesitating"))
    return said


def next_after(script: Script, on: date, least: int, most: int) -> date:
    """The working day of the next conversation, some days later."""
    return max(on + DAY, script.working_day(on + script.days(least, most)))
