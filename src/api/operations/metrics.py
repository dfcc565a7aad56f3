"""Figures about requests for Prometheus, also when several processes serve (PROMETHEUS_MULTIPROC_DIR)."""

from __future__ import annotations

import os
from time import perf_counter
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 8.0)


class Metrics:
    """Counts and times requests by route, not by address, so that ids never become labels."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "genjin_http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "genjin_http_request_seconds", "How long answers took.", ["route"], buckets=BUCKETS, registry=self.registry
        )
        self._known: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        key = (method, route, status)
        found = self._known.get(key)
        if found is None:
            found = self.requests.labels(method, route, str(status)), self.seconds.labels(route)
            self._known[key] = found
        found[0].inc()
        found[1].observe(seconds)

    def exposed(self) -> bytes:
        """The figures as Prometheus reads them, of all processes where there are several."""
        if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """The app, timed."""

        async def timed(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            status, begun = 500, perf_counter()

            async def noting(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, noting)
            finally:
                self.observe(_method(scope), route_of(scope), status, perf_counter() - begun)

        return timed


def route_of(scope: Scope) -> str:
    """The route's own path, such as /api/v1/customers/{id}; one word for what has none."""
    return getattr(scope.get("route"), "path", None) or "unknown"


def _method(scope: Scope) -> str:
    known = ("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"
