"""Watching every request from its first byte to its last: an id, safe headers, a line in the log, and figures."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable
from time import perf_counter
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import noted
from api.noted import Commands, Noted
from api.operations.headers import secured
from api.operations.metrics import Metrics, method_of, route_of
from commands.watching import watchers

Tell = Callable[[int, dict[str, Any]], None]
"""Writes the line of a request: its level, as in `logging`, and what is told of it."""
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked for every few seconds by programs: that they are well, or not ready yet (503), is told for debugging alone;
what stands in the way says so itself."""
MOST_COMMANDS = 3
"""Ids of commands that the line of a batch names."""


class Watched:
    """The app, each of whose requests is noted, timed and told in one line."""

    def __init__(self, app: ASGIApp, metrics: Metrics, tell: Tell | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, and say afterwards how that went."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = noted.begin(scope)
        request_id = (b"x-request-id", seen.id.encode())
        status, begun = 500, perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*secured(message.get("headers", ()), scope), request_id]}
            await send(message)

        watching = watchers.set((*watchers.get(), Commands(seen)))
        try:
            await self._app(scope, receive, noting)
        except CancelledError:
            status = 503
            raise
        finally:
            watchers.reset(watching)
            seconds = perf_counter() - begun
            method, route = method_of(scope), route_of(scope)
            self._metrics.observe(method, route, status, seconds, seen)
            if self._tell is not None:
                self._tell(_level(route, status), _told(seen, method, route, status, seconds))


def _level(route: str, status: int) -> int:
    if route in QUIET and (status < 400 or status == 503):
        return logging.DEBUG
    if status < 400:
        return logging.INFO
    return logging.WARNING if status < 500 else logging.ERROR


def _told(seen: Noted, method: str, route: str, status: int, seconds: float) -> dict[str, Any]:
    """What is told of a request: the route's own path and never the address, since ids and searches are personal."""
    told: dict[str, Any] = {
        "request_id": seen.id,
        "method": method,
        "route": route,
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
    }
    if seen.actor is not None:
        told["actor"] = seen.actor
    if seen.refusal is not None:
        told["refusal"] = seen.refusal
    if not seen.commands:
        return told
    ids = [str(written) for _, _, written in seen.commands if written is not None]
    if ids:
        told["commands" if len(ids) > 1 else "command"] = ids[:MOST_COMMANDS] if len(ids) > 1 else ids[0]
    if len(seen.commands) > 1:
        told["count"] = len(seen.commands)
    return told
