"""Where signing in is worked on: few at a time, since a hash of a password takes much memory and a whole processor."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from api.answers.problems import Problem
from api.requests.reading import json_response

T = TypeVar("T")
MOST_HASHING = 2
"""Threads of a process that hash passwords."""
MOST_WAITING = 40
"""Requests that wait for one of them; more are told to come again."""
RETRY_SECONDS = 2


async def hashing(request: Request, work: Callable[..., T], *given: Any, **named: Any) -> T:
    """Do what hashes a password; raises Problem 429 when too many wait for it."""
    limiter = request.app.state.hashing
    if limiter.statistics().tasks_waiting >= MOST_WAITING:
        headers = {"Retry-After": str(RETRY_SECONDS)}
        raise Problem(429, "too-many-requests", {"seconds": RETRY_SECONDS}, headers=headers)
    return await to_thread.run_sync(partial(work, *given, **named), limiter=limiter)


def private(shown: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer that nothing on its way may keep."""
    return json_response(shown, status, {"Cache-Control": "no-store", **(headers or {})})
