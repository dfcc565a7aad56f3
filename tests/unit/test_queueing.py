"""Requests that wait without a thread: turned away, given up, cancelled, and served in the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event
from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request
from starlette.types import Message

from api.answers.problems import Problem
from api.limits import queueing
from api.limits.queueing import Bulkhead, bulkheads, turn_at
from commands.turns import RecordBusy, Turns

RECORD = UUID(int=1)


class Client:
    """Who sent a request, and may go away."""

    def __init__(self) -> None:
        self.has_gone = asyncio.Event()
        self._has_sent = False

    async def receive(self) -> Message:
        """The body, which is empty, and then nothing until the client goes."""
        if not self._has_sent:
            self._has_sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.has_gone.wait()
        return {"type": "http.disconnect"}

    @property
    def request(self) -> Request:
        """The request as the app has it."""
        return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, self.receive)


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    """Play it in an event loop, for half a minute at most; nothing that was begun is left over."""

    async def played() -> None:
        await asyncio.wait_for(scenario(), 30)
        await asyncio.sleep(0.01)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(played())


async def begun(work: Callable[[], Awaitable[Any]], is_there: Callable[[], bool]) -> asyncio.Future[Any]:
    """The work as a task that has come to where it waits."""
    task = asyncio.ensure_future(work())
    while not is_there():
        await asyncio.sleep(0)
    return task


def test_requests_have_their_turn_in_order_among_threads() -> None:
    async def scenario() -> None:
        turns: Turns[UUID] = Turns()
        order: list[int] = []

        async def asked(number: int) -> None:
            async with turn_at(Client().request, turns, RECORD):
                order.append(number)

        def in_thread() -> None:
            with turns.turn(RECORD):
                order.append(1)

        async with turn_at(Client().request, turns, RECORD):
            tasks = [
                await begun(lambda: asked(0), lambda: turns.waiting == 1),
                await begun(lambda: asyncio.to_thread(in_thread), lambda: turns.waiting == 2),
                await begun(lambda: asked(2), lambda: turns.waiting == 3),
            ]
            assert order == []
        await asyncio.gather(*tasks)
        assert order == [0, 1, 2]
        assert len(turns) == 0

    run(scenario)


def test_a_ticket_that_was_taken_before_is_used_and_given_back() -> None:
    async def scenario() -> None:
        turns: Turns[UUID] = Turns()
        ticket = turns.join(RECORD, max_waiting=0)
        async with turn_at(Client().request, turns, RECORD, ticket):
            assert (turns.held, turns.waiting) == (1, 0)
        assert len(turns) == 0

    run(scenario)


def test_beyond_the_bound_a_command_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "MAX_WAITING_COMMANDS", 0)

    async def scenario() -> None:
        turns: Turns[UUID] = Turns()
        async with turn_at(Client().request, turns, RECORD):
            with pytest.raises(RecordBusy):
                async with turn_at(Client().request, turns, RECORD):
                    pass
        assert len(turns) == 0

    run(scenario)


def test_a_turn_that_does_not_come_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queueing, "COMMAND_WAIT_SECONDS", 0.01)

    async def scenario() -> None:
        turns: Turns[UUID] = Turns()
        async with turn_at(Client().request, turns, RECORD):
            with pytest.raises(RecordBusy):
                async with turn_at(Client().request, turns, RECORD):
                    pass
            assert turns.waiting == 0
        assert len(turns) == 0

    run(scenario)


def test_a_client_that_goes_away_leaves_the_queue() -> None:
    async def scenario() -> None:
        turns: Turns[UUID] = Turns()
        client = Client()

        async def asked() -> None:
            async with turn_at(client.request, turns, RECORD):
                raise AssertionError("nobody is there any more")

        async with turn_at(Client().request, turns, RECORD):
            task = await begun(asked, lambda: turns.waiting == 1)
            client.has_gone.set()
            with pytest.raises(Problem) as gone:
                await task
            assert gone.value.code == "client-gone"
            assert turns.waiting == 0
        assert len(turns) == 0

    run(scenario)


@pytest.mark.parametrize("is_granted_meanwhile", [False, True])
def test_a_request_that_is_cancelled_passes_its_turn_on(is_granted_meanwhile: bool) -> None:
    async def scenario() -> None:
        turns: Turns[UUID] = Turns()

        async def asked() -> None:
            async with turn_at(Client().request, turns, RECORD):
                pass

        holder = turns.join(RECORD)
        assert holder is not None
        first = await begun(asked, lambda: turns.waiting == 1)
        second = await begun(asked, lambda: turns.waiting == 2)
        if is_granted_meanwhile:
            turns.leave(holder)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        turns.leave(holder)
        await second
        assert len(turns) == 0

    run(scenario)


def test_only_so_many_threads_are_at_work_and_the_others_wait_without_one() -> None:
    async def scenario() -> None:
        apart = Bulkhead(threads=2, max_waiting=1, seconds=30)
        go_on = Event()
        tasks = [
            await begun(lambda: apart.run(Client().request, go_on.wait), lambda: apart.running == 1),
            await begun(lambda: apart.run(Client().request, go_on.wait), lambda: apart.running == 2),
            await begun(lambda: apart.run(Client().request, int, "7", base=8), lambda: apart.waiting == 1),
        ]
        with pytest.raises(Problem) as refused:
            await apart.run(Client().request, int)
        assert (refused.value.status, refused.value.code) == (503, "overloaded")
        assert int(refused.value.headers["Retry-After"]) > 0
        go_on.set()
        assert await asyncio.gather(*tasks) == [True, True, 7]
        assert (apart.running, apart.waiting) == (0, 0)

    run(scenario)


def test_a_thread_that_does_not_become_free_in_time_is_not_waited_for() -> None:
    async def scenario() -> None:
        apart = Bulkhead(threads=1, max_waiting=5, seconds=0.01)
        go_on = Event()
        task = await begun(lambda: apart.run(Client().request, go_on.wait), lambda: apart.running == 1)
        with pytest.raises(Problem) as refused:
            await apart.run(Client().request, int)
        assert refused.value.code == "overloaded"
        assert apart.waiting == 0
        go_on.set()
        await task

    run(scenario)


def test_an_error_of_the_work_frees_its_thread() -> None:
    async def scenario() -> None:
        apart = Bulkhead(threads=1, max_waiting=0, seconds=1)
        for _ in range(3):
            with pytest.raises(ValueError, match="invalid literal"):
                await apart.run(Client().request, int, "x")
        assert apart.running == 0

    run(scenario)


def test_every_app_has_bulkheads_of_its_own() -> None:
    first, second = bulkheads(), bulkheads()
    assert all(first[work] is not second[work] for work in first)
