"""Requests that are still open, or still come, when their process has to end: they are told to come again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.answers.problems import Problem, response
from api.answers.refusals import RETRY_SECONDS
from api.operations.headers import secured


def told_when_stopping(app: ASGIApp, is_stopping: Callable[[], bool]) -> ASGIApp:
    """The app, whose requests end with 503 where the server gives them up at its own end.

    Whether such a command was done is not known: with the same Idempotency-Key the next process says so. From the
    moment that the server is stopping every answer is the last one on its connection, since a client that goes on
    asking would keep the process from ending.
    """

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            if message["type"] == "http.response.start" and is_stopping():
                message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
            await send(message)

        try:
            await app(scope, receive, noting)
        except asyncio.CancelledError:
            if scope["type"] != "http" or has_begun:
                raise
            problem = Problem(503, "stopping", {"seconds": RETRY_SECONDS}, headers={"Retry-After": str(RETRY_SECONDS)})
            told_so = response(problem, Request(scope, receive))
            told_so.raw_headers = secured(told_so.raw_headers, scope)
            await told_so(scope, receive, noting)

    return told
