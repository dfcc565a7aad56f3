"""A year of the company: how each customer came, what became of it, and what it owes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, tzinfo
from itertools import count

from commands.customers import MoveLifecycle
from crm.sample.customers import Customer, Names, enter
from crm.sample.deals import Deal, run
from crm.sample.money import bill
from crm.sample.script import DAY, Deed, Script
from crm.sample.staff import Member, Staff, hire
from crm.sample.talks import next_after, talk
from crm.sample.words import words

__all__ = ["Deed", "year_of"]

JOURNEYS: dict[str, tuple[int, tuple[int, int]]] = {
    "new": (14, (2, 24)),
    "cold": (16, (60, 330)),
    "interested": (18, (20, 80)),
    "open": (24, (25, 95)),
    "lost": (12, (110, 350)),
    "won": (30, (90, 360)),
    "churned": (6, (280, 362)),
}
"""What becomes of a customer: how often among 120, and how many days ago it came."""


def year_of(seed: int, customers: int, today: date, zone: tzinfo) -> tuple[list[Deed], Member]:
    """Everything done in the year before today, in order, and the member who leads; the same for the same arguments."""
    script = Script(random.Random(seed), today, zone)  # noqa: S311 - a story, no secret
    staff, names, orders = hire(script), Names(script), count(101)
    for number, journey in enumerate(_journeys(script, customers)):
        least, most = JOURNEYS[journey][1]
        since = script.working_day(today - script.days(least, most))
        customer = enter(script, staff, names, number, since)
        STORIES[journey](script, staff, customer, orders)
    return script.in_order(), staff.director


def _journeys(script: Script, customers: int) -> list[str]:
    """One for each customer, shared out as `JOURNEYS` says, in no particular order."""
    total = sum(often for often, _ in JOURNEYS.values())
    chosen = [name for name, (often, _) in JOURNEYS.items() for _ in range(-(-often * customers // total))]
    script.chance.shuffle(chosen)
    return chosen[:customers]


def _new(script: Script, _staff: Staff, customer: Customer, _orders: Iterator[int]) -> None:
    if script.maybe(0.8):
        _speak(script, customer, "first", 20, customer.since)


def _cold(script: Script, _staff: Staff, customer: Customer, _orders: Iterator[int]) -> None:
    on = _speak(script, customer, "first", script.chance.randint(1, 3), customer.since)
    for intent in script.pick((("pending", "none"), ("none",), ("pending", "pending", "none"), ("pending",))):
        if script.is_over(on):
            following = None if intent == "none" else next_after(script, on, 20, 40)
            talk(script, customer, "cold", on, following, is_call_back=True, call_back_intent=intent)
            on = following or on


def _interested(script: Script, _staff: Staff, customer: Customer, _orders: Iterator[int]) -> None:
    on = _speak(script, customer, "first", 1, customer.since)
    on = _call_back(script, customer, on)
    _speak(script, customer, "need", 20, on)


def _open(script: Script, staff: Staff, customer: Customer, _orders: Iterator[int]) -> None:
    on = _call_back(script, customer, next_after(script, customer.since, 2, 6))
    deal = run(script, staff, customer, _begin(script, customer, on), "open", pace=script.chance.randint(1, 3))
    _speak(script, customer, deal.phase, 20, deal.ended_on, deal.product)


def _lost(script: Script, staff: Staff, customer: Customer, _orders: Iterator[int]) -> None:
    on = _speak(script, customer, "first", 1, customer.since)
    deal = run(script, staff, customer, _begin(script, customer, on), "lost")
    on = next_after(script, deal.ended_on, 30, 60)
    if script.is_over(on):
        talk(script, customer, "cold", on, script.working_day(script.today + script.days(-4, 60)))


def _won(script: Script, staff: Staff, customer: Customer, orders: Iterator[int]) -> None:
    deal = _sale(script, staff, customer, customer.since, orders)
    on = _care(script, customer, next_after(script, deal.ended_on, 20, 35), script.chance.randint(2, 12))
    if deal.outcome == "won" and script.is_over(on) and script.maybe(0.6):
        again = _sale(script, staff, customer, on, orders)
        on = next_after(script, again.ended_on, 5, 25)
    _care(script, customer, on, 12)


def _churned(script: Script, staff: Staff, customer: Customer, orders: Iterator[int]) -> None:
    deal = _sale(script, staff, customer, customer.since, orders, "prompt")
    on = _care(script, customer, next_after(script, deal.ended_on, 25, 40), 3)
    on = max(on, script.working_day(deal.ended_on + script.days(125, 150)))
    if deal.outcome == "won" and script.is_over(on):
        reason = script.pick(words()["outcomes"]["churn_reasons"])
        talk(script, customer, "cold", on, None, attitude="negative")
        left = MoveLifecycle(lifecycle="churned", occurred_on=on, churn_reason=reason, reason="客户明确表示不再合作")
        script.do(script.moment(on).replace(hour=23), left, to=customer.id, by=customer.owner.id)


STORIES = {
    "new": _new,
    "cold": _cold,
    "interested": _interested,
    "open": _open,
    "lost": _lost,
    "won": _won,
    "churned": _churned,
}


def _sale(
    script: Script, staff: Staff, customer: Customer, on: date, orders: Iterator[int], manner: str | None = None
) -> Deal:
    deal = run(script, staff, customer, _begin(script, customer, on), "won", pace=script.pick((1, 1, 2)))
    if deal.outcome == "won":
        bill(script, deal, next(orders), manner)
    return deal


def _begin(script: Script, customer: Customer, on: date) -> date:
    """The day on which a chance comes up: after the customer is known, and before today."""
    return on if script.is_over(on) else max(customer.since, script.working_day(script.today - DAY))


def _call_back(script: Script, customer: Customer, on: date) -> date:
    """Call back and find that they want something."""
    if not script.is_over(on):
        return on
    following = next_after(script, on, 3, 7)
    talk(script, customer, "first", on, following, is_call_back=True, call_back_intent="yes")
    return following


def _speak(script: Script, customer: Customer, phase: str, times: int, on: date, product: str = "我们的产品") -> date:
    """So many conversations, some days apart, as far as the year goes; the day agreed for the next one."""
    for _ in range(times):
        if not script.is_over(on):
            break
        following = next_after(script, on, 3, 8)
        talk(script, customer, phase, on, following, product)
        on = following
        if script.maybe(0.02):
            break
    return on


def _care(script: Script, customer: Customer, on: date, times: int) -> date:
    """Look after who has bought, every month or so."""
    for _ in range(times):
        if not script.is_over(on):
            break
        following = next_after(script, on, 25, 38)
        talk(script, customer, "after", on, following)
        on = following
    return on
