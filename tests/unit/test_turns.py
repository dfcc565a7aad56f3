"""Turns at a record: first come, first served, within a time, and nothing is kept of those who went away."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Event, Lock, Thread
from time import monotonic, sleep

import pytest

from commands.turns import RecordBusy, Ticket, Turns


def until(condition: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    patience = monotonic() + 30
    while not condition():
        assert monotonic() < patience
        sleep(0.001)


def joined(turns: Turns[str], key: str = "a", max_waiting: int | None = None) -> Ticket[str]:
    """A place that is there."""
    ticket = turns.join(key, max_waiting)
    assert ticket is not None
    return ticket


def test_the_first_has_the_turn_at_once_and_the_others_in_the_order_in_which_they_came() -> None:
    turns: Turns[str] = Turns()
    tickets = [joined(turns) for _ in range(4)]
    for number, ticket in enumerate(tickets):
        assert [each.granted.done() for each in tickets] == [place <= number for place in range(4)]
        assert turns.waiting == 3 - number
        turns.leave(ticket)
    assert len(turns) == 0


def test_two_keys_have_nothing_to_do_with_each_other() -> None:
    turns: Turns[str] = Turns()
    first, other = joined(turns, "a"), joined(turns, "b")
    assert first.granted.done()
    assert other.granted.done()
    assert (len(turns), turns.held, turns.waiting) == (2, 2, 0)


def test_several_may_have_the_turn_at_once() -> None:
    turns: Turns[str] = Turns(at_once=2)
    tickets = [joined(turns) for _ in range(4)]
    assert [each.granted.done() for each in tickets] == [True, True, False, False]
    turns.leave(tickets[1])
    assert [each.granted.done() for each in tickets] == [True, True, True, False]
    assert (turns.held, turns.waiting) == (2, 1)


def test_beyond_the_bound_there_is_no_place() -> None:
    turns: Turns[str] = Turns()
    tickets = [joined(turns, max_waiting=1), joined(turns, max_waiting=1)]
    assert turns.join("a", max_waiting=1) is None
    assert turns.join("b", max_waiting=0) is not None
    turns.leave(tickets[1])
    assert turns.join("a", max_waiting=1) is not None


def test_who_gives_up_leaves_no_gap_and_may_say_so_twice() -> None:
    turns: Turns[str] = Turns()
    first, second, third = (joined(turns) for _ in range(3))
    for _ in range(2):
        turns.leave(second)
        assert (turns.held, turns.waiting, third.granted.done()) == (1, 1, False)
    for _ in range(2):
        turns.leave(first)
        assert (turns.held, turns.waiting, third.granted.done()) == (1, 0, True)
    turns.leave(third)
    assert (len(turns), turns.held, turns.waiting) == (0, 0, 0)


def test_a_turn_that_comes_to_a_waiter_who_gave_up_is_passed_on() -> None:
    turns: Turns[str] = Turns()
    first, second, third = (joined(turns) for _ in range(3))
    second.granted.cancel()
    turns.leave(first)
    assert not third.granted.done()
    turns.leave(second)
    assert third.granted.done()


def test_a_thread_waits_no_longer_than_it_is_told_and_leaves_nothing_behind() -> None:
    turns: Turns[str] = Turns()
    with turns.turn("a"):
        with pytest.raises(RecordBusy) as busy, turns.turn("a", seconds=0.01):
            raise AssertionError("it is not its turn")
        assert busy.value.seconds > 0
        assert (turns.held, turns.waiting) == (1, 0)
    assert len(turns) == 0


def test_an_error_in_the_turn_gives_it_back() -> None:
    turns: Turns[str] = Turns()
    with pytest.raises(ZeroDivisionError), turns.turn("a"):
        _ = 1 / 0
    assert len(turns) == 0


def test_a_timeout_in_the_turn_is_not_taken_for_one_of_the_waiting() -> None:
    turns: Turns[str] = Turns()
    with pytest.raises(TimeoutError), turns.turn("a"):
        raise TimeoutError


def test_threads_have_their_turn_in_the_order_in_which_they_came() -> None:
    turns: Turns[str] = Turns()
    order: list[int] = []

    def work(number: int) -> None:
        with turns.turn("a"):
            order.append(number)

    with turns.turn("a"):
        threads = []
        for number in range(20):
            threads.append(Thread(target=work, args=(number,)))
            threads[-1].start()
            until(lambda expected=number + 1: turns.waiting == expected)  # type: ignore[misc]
    for thread in threads:
        thread.join()
    assert order == list(range(20))
    assert len(turns) == 0


def test_never_two_at_once_however_many_come_and_give_up() -> None:
    turns: Turns[int] = Turns()
    inside, seen, guard = [0, 0, 0], list[int](), Lock()
    begin, wrong = Barrier(12), Event()

    def work(number: int) -> None:
        begin.wait()
        for round_ in range(200):
            key = (number + round_) % 3
            try:
                with turns.turn(key, seconds=0.0005 if round_ % 5 == 0 else 30):
                    inside[key] += 1
                    if inside[key] != 1:
                        wrong.set()
                    with guard:
                        seen.append(key)
                    inside[key] -= 1
            except RecordBusy:
                assert round_ % 5 == 0

    threads = [Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong.is_set()
    assert 12 * 160 <= len(seen) <= 12 * 200
    assert (len(turns), turns.held, turns.waiting) == (0, 0, 0)
