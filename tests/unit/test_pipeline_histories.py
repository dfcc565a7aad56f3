"""Whatever happened and in whatever order it was told: each day has one stage, one team and one set of facts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aggregates.member import Member
from aggregates.opportunity import Opportunity
from happenings import Happenings
from projections.dimensions.timeline import on_day
from projections.engine import fold
from projections.pipeline import Pipeline

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(40)]
some_day = st.integers(0, 35).map(lambda number: DAYS[number])
moves = st.lists(
    st.tuples(st.sampled_from(["move", "won", "lost", "correct"]), some_day, st.integers(0, 7)), max_size=8
)


@settings(max_examples=200, deadline=None)
@given(opened=some_day, moves=moves)
def test_on_each_day_it_stands_in_the_last_entry_that_was_entered_by_then(
    opened: date, moves: list[tuple[str, date, int]]
) -> None:
    happenings = Happenings()
    deal = happenings.opportunity(happenings.customer(), str(opened))
    entries: list[list[Any]] = [["lead", "open", opened]]
    for kind, day, number in moves:
        stage, is_open = entries[-1][0], entries[-1][1] == "open"
        if kind == "correct":
            entered = [entry for entry in entries if entry[1] == "open"]
            index = number % len(entered)
            happenings.happens(Opportunity.StageDateCorrected, deal, entry=index, occurred_on=day)
            entered[index][2] = day
        elif not is_open:
            happenings.happens(Opportunity.Reopened, deal, stage=f"s{number}", occurred_on=day)
            entries.append([f"s{number}", "open", day])
        elif kind == "move":
            happenings.advanced(deal, f"s{number}", str(day))
            entries.append([f"s{number}", "open", day])
        elif kind == "won":
            happenings.won(deal, "5", str(day))
            entries.append([stage, "won", day])
        else:
            happenings.lost(deal, str(day))
            entries.append([stage, "lost", day])
    rows = fold(Pipeline, happenings.events).stages.of(deal)
    assert [[row.stage, row.outcome, row.entered_on] for row in rows] == entries
    for day in DAYS:
        by_then = [entry for entry in entries if entry[2] <= day]
        standing = [row for row in rows if row.entered_on <= day and (row.left_on is None or row.left_on > day)]
        assert [[row.stage, row.outcome, row.entered_on] for row in standing] == by_then[-1:]
    assert all(row.days == (row.left_on - row.entered_on).days for row in rows if row.left_on)


@settings(max_examples=200, deadline=None)
@given(assigned=st.lists(st.tuples(some_day, st.integers(0, 3)), max_size=8))
def test_on_each_day_a_member_belongs_to_the_team_last_dated_by_then(assigned: list[tuple[date, int]]) -> None:
    happenings = Happenings()
    teams = [happenings.team(f"T{number}") for number in range(4)]
    ann = happenings.member("Ann", teams[0])
    for day, number in assigned:
        happenings.happens(Member.TeamAssigned, ann, team_id=teams[number], occurred_on=day)
    rows = fold(Pipeline, happenings.events).member_teams.of(ann)
    told = [(date.min, 0, 0), *((day, order, number) for order, (day, number) in enumerate(assigned, start=1))]
    for day in DAYS:
        *_, latest = sorted(entry for entry in told if entry[0] <= day)
        holding = [row for row in rows if row.from_on <= day and (row.until_on is None or row.until_on > day)]
        assert [row.team_id for row in holding] == [teams[latest[2]]]


@settings(max_examples=100, deadline=None)
@given(
    told=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["amount", "owner"]), st.integers(1, 9)), max_size=10)
)
def test_on_each_day_an_opportunity_has_the_facts_last_recorded_by_then(told: list[tuple[int, str, int]]) -> None:
    happenings = Happenings().on(FIRST)
    owners = [happenings.member(f"M{number}") for number in range(10)]
    deal = happenings.opportunity(happenings.customer(), str(FIRST), "0", owner_id=owners[0])
    day, known = FIRST, {FIRST: (Decimal(0), owners[0])}
    for later, fact, number in told:
        day += timedelta(days=later)
        amount, owner = known[max(known)]
        if fact == "amount":
            amount = Decimal(number)
            happenings.on(day).happens(Opportunity.AmountRevised, deal, amount=amount, currency="CNY")
        else:
            owner = owners[number]
            happenings.on(day).happens(Opportunity.OwnerAssigned, deal, owner_id=owner)
        known[day] = (amount, owner)
    rows = fold(Pipeline, happenings.events).opportunity_facts.of(deal)
    for day in DAYS:
        row = on_day(rows, day)
        assert row is not None
        assert (row.amount, row.owner_id) == known[max(noted for noted in known if noted <= day)]
