"""A request that its process can no longer finish is told to come again, unless its answer has begun."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.operations.stopping import told_when_stopping


def given_up(app: ASGIApp, *, stopping: bool = True) -> list[Message]:
    """What is sent for a request that is cancelled while the app is at it."""
    sent: list[Message] = []
    scope = {"type": "http", "method": "POST", "path": "/api/v1/customers", "headers": []}

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    async def ask() -> None:
        task = asyncio.ensure_future(told_when_stopping(app, lambda: stopping)(scope, receive, send))
        await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(ask())
    return sent


def test_it_is_told_to_come_again() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(60)

    start, body = given_up(slow)
    assert start["status"] == 503
    assert int(dict(start["headers"])[b"retry-after"]) > 0
    assert dict(start["headers"])[b"connection"] == b"close"
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    assert json.loads(body["body"])["code"] == "stopping"


def test_an_answer_that_has_begun_breaks_off() -> None:
    async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(60)

    assert [each["type"] for each in given_up(streaming)] == ["http.response.start"]


@pytest.mark.parametrize("stopping", [True, False])
def test_an_answer_is_the_last_on_its_connection_once_the_server_is_stopping(stopping: bool) -> None:
    async def quick(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    (start,) = given_up(quick, stopping=stopping)
    assert start["headers"] == ([(b"connection", b"close")] if stopping else [])
