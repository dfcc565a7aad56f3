"""Requests that are still open when their process has to end: they are told to come again."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, response
from api.refusals import RETRY_SECONDS


def told_when_stopping(app: ASGIApp) -> ASGIApp:
    """The app, whose requests end with 503 where the server gives them up at its own end.

    Whether such a command was done is not known: with the same Idempotency-Key the next process says so.
    """

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        has_begun = False

        async def noting(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await app(scope, receive, noting)
        except asyncio.CancelledError:
            if scope["type"] != "http" or has_begun:
                raise
            seconds = {"seconds": RETRY_SECONDS}
            problem = Problem(
                503, "stopping", seconds, headers={"Retry-After": str(RETRY_SECONDS), "Connection": "close"}
            )
            await response(problem, Request(scope, receive))(scope, receive, send)

    return told
