"""The made-up year: the same for the same seed, and nothing in it that a person would not believe."""

from __future__ import annotations

from collections import Counter
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from commands.customers import LogFollowUp, RegisterCustomer
from commands.receivables import IssueReceivable
from crm.sample import Deed, year_of
from crm.sample.performing import at_a_time

SHANGHAI = ZoneInfo("Asia/Shanghai")
SUNDAY = date(2026, 11, 22)


def deeds(seed: int = 7, customers: int = 120, today: date = SUNDAY) -> list[Deed]:
    """What was done."""
    return year_of(seed, customers, today, SHANGHAI)[0]


def test_a_seed_always_tells_the_same_story() -> None:
    assert deeds() == deeds()
    assert deeds() != deeds(seed=8)


@pytest.mark.parametrize("customers", [1, 7, 120, 300])
def test_there_are_as_many_customers_as_asked_for_each_under_its_own_name(customers: int) -> None:
    names = [each.command.name for each in deeds(customers=customers) if isinstance(each.command, RegisterCustomer)]
    assert len(names) == len(set(names)) == customers


@pytest.mark.parametrize("seed", range(5))
def test_nothing_lies_ahead_and_everything_has_an_id_of_its_own(seed: int) -> None:
    told = deeds(seed)
    assert all(each.at.date() < SUNDAY for each in told)
    assert [each.at for each in told] == sorted(each.at for each in told)
    made = [each.makes for each in told if each.makes]
    assert len(made) == len(set(made))


@pytest.mark.parametrize("seed", range(5))
def test_everything_happens_that_can_be_tried_out(seed: int) -> None:
    done = Counter(type(each.command).__name__ for each in deeds(seed))
    for name in (
        "WinOpportunity",
        "LoseOpportunity",
        "ReceivePayment",
        "RecordReminder",
        "MoveLifecycle",
        "AssignTeam",
    ):
        assert done[name], name


def test_over_a_few_stories_every_way_to_pay_is_met() -> None:
    done = Counter(type(each.command).__name__ for seed in range(3) for each in deeds(seed))
    for name in ("DisputeReceivable", "SettleDispute", "WriteOff", "ReversePayment", "MoveDueDate", "MoveStageBack"):
        assert done[name], name
    currencies = {each.command.currency for each in deeds() if isinstance(each.command, IssueReceivable)}
    assert currencies <= {"CNY", "USD"}


def test_conversations_take_place_on_working_days_in_working_hours() -> None:
    talks = [each.command.occurred_at for each in deeds() if isinstance(each.command, LogFollowUp)]
    assert len(talks) > 500
    assert all(at is not None and at.astimezone(SHANGHAI).hour in range(9, 18) for at in talks)
    weekends = sum(at is not None and at.weekday() > 4 for at in talks)
    assert weekends < len(talks) / 20


def test_what_is_done_at_a_time_concerns_different_customers_and_nothing_overtakes() -> None:
    told = deeds()
    rounds = list(at_a_time(told))
    assert [deed for together in rounds for deed in together] == told
    assert len(rounds) < len(told) / 2
    made: set[UUID] = set()
    for together in rounds:
        assert all(deed.to is None or deed.to in made for deed in together)
        made |= {deed.makes for deed in together if deed.makes}
        alone = [deed for deed in together if isinstance(deed.command, RegisterCustomer)]
        assert not alone or len(together) == 1
