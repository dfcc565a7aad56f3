"""The balances of every day agree with what the rules themselves count, and are never negative."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregates.base import Acting, DomainError, acting
from aggregates.receivable import Receivable
from folded import tables_of
from happenings import Happenings
from projections.engine.lists.query import Query
from projections.receivables import Receivables, aging, page

FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=number) for number in range(60)]
TODAY = DAYS[-1]
some_day = st.integers(0, 59).map(lambda number: DAYS[number])
some_amount = st.decimals("0.01", "120", places=2)
asked = st.tuples(st.sampled_from(["pay", "reverse", "write off", "move due"]), some_day, some_amount)


def receivable(customer: UUID, amount: Decimal, steps: list[tuple[str, date, Decimal]]) -> Receivable:
    """A receivable after everything of this that the rules allowed."""
    owed = Receivable.issue(
        uuid4(), TODAY, customer_id=customer, amount=amount, currency="CNY", issued_on=DAYS[5], due_on=DAYS[20]
    )
    for step, day, money in steps:
        try:
            if step == "pay":
                owed.receive_payment(uuid4(), min(money, owed.amount), day, TODAY)
            elif step == "reverse" and owed.payments:
                owed.reverse_payment(next(iter(owed.payments)), day, TODAY, "bounced")
            elif step == "write off":
                owed.write_off(money, day, TODAY, "small")
            elif step == "move due":
                owed.move_due_date(day)
        except DomainError:
            continue
    return owed


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories=st.lists(st.tuples(some_amount, st.lists(asked, max_size=8)), min_size=1, max_size=5))
def test_balances_of_every_day(server: str, histories: list[tuple[Decimal, list[tuple[str, date, Decimal]]]]) -> None:
    happenings = Happenings()
    customer = happenings.customer()
    with acting(Acting("member:test", uuid4(), "api", datetime(2026, 3, 2, 4, tzinfo=UTC))):
        all_owed = [receivable(customer, amount, steps) for amount, steps in histories]
        events = [*happenings.events, *(event for owed in all_owed for event in owed.collect_events())]
    with tables_of(server, Receivables, events) as connection:
        for day in DAYS[4::5]:
            shown = {item["id"]: item for item in page(connection, Query(limit=200), day).items}
            expected = {owed.id: owed.open_on(day) for owed in all_owed if owed.issued_on <= day}
            assert {key: item["open"] for key, item in shown.items()} == expected
            assert all(item["open"] >= 0 for item in shown.values())
            assert all(
                item["collected"] + item["written_off"] + item["open"] == item["amount"] for item in shown.values()
            )
            late = {owed.id for owed in all_owed if expected.get(owed.id, 0) > 0 and owed.due_on < day}
            assert {key for key, item in shown.items() if item["status"] == "overdue"} == late
            for group in aging(connection, day)["groups"]:
                assert Decimal(group["open"]["amount"]) == sum(expected.values())
                assert sum(Decimal(line["amount"]) for line in group["buckets"]) == sum(expected.values())
