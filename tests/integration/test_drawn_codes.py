"""Codes that are drawn for customers: also where a crash of the database has let a number be drawn twice."""

from __future__ import annotations

import pytest

from aggregates.customer import Customer
from commands.base import execute
from commands.customers import RegisterCustomer
from commands.door import Door
from integration.bookkeeping import all_at_once, superuser
from ledger.ledger import Ledger
from ledger.outcome import Outcome
from policy import Actor

BY = Actor("member:test", None, "test", "api", frozenset({"administrator"}))


def register(door: Door, key: str | None = None) -> Outcome:
    """A customer more."""
    return execute(RegisterCustomer(name="上海明远科技", kind="company"), to=None, by=BY, door=door, key=key)


@pytest.mark.parametrize("key", [None, "k1"])
def test_a_number_that_was_drawn_already_is_left_to_its_holder(
    ledger: Ledger, server: str, workspace: str, key: str | None
) -> None:
    door = Door(ledger)
    taken = [register(door) for _ in range(3)]
    with superuser(server, workspace) as connection:
        connection.execute("UPDATE counters SET value = 0")
    late = register(door, key)
    codes = [ledger.load(Customer, each.id).code for each in (*taken, late)]
    assert [int(code[-3:]) for code in codes] == [1, 2, 3, 4]
    if key:
        again = register(door, key)
        assert (again.id, again.replayed) == (late.id, True)


def test_so_it_is_for_many_at_once(ledger: Ledger, server: str, workspace: str) -> None:
    door = Door(ledger)
    before = [register(door) for _ in range(4)]
    with superuser(server, workspace) as connection:
        connection.execute("UPDATE counters SET value = 0")
    after = all_at_once([lambda: register(door)] * 8)
    codes = {ledger.load(Customer, each.id).code for each in (*before, *after)}
    assert len(codes) == 12
