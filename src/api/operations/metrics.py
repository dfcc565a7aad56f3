"""Figures about requests for Prometheus, also when several processes serve (PROMETHEUS_MULTIPROC_DIR)."""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import Scope

from api.noted import Noted

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
        self.refusals = Counter(
            "genjin_refusals", "Requests that were answered with a problem.", ["code"], registry=self.registry
        )
        self.limited = Counter(
            "genjin_rate_limited_requests", "Requests that came too fast (429).", ["code"], registry=self.registry
        )
        self.commands = Counter(
            "genjin_commands", "Commands, with `done`, `repeated` or the code of the refusal.", ["action", "outcome"],
            registry=self.registry,
        )  # fmt: skip
        self._known: dict[tuple[str, str, int], tuple[Any, Any]] = {}
        self._commands: dict[tuple[str, str], Any] = {}

    def observe(self, method: str, route: str, status: int, seconds: float, noted: Noted) -> None:
        """One request was answered."""
        key = (method, route, status)
        found = self._known.get(key)
        if found is None:
            found = self.requests.labels(method, route, str(status)), self.seconds.labels(route)
            self._known[key] = found
        found[0].inc()
        found[1].observe(seconds)
        if noted.refusal is not None:
            self.refusals.labels(noted.refusal).inc()
            if status == 429:
                self.limited.labels(noted.refusal).inc()
        for action, outcome, _ in noted.commands:
            counted = self._commands.get((action, outcome))
            if counted is None:
                counted = self._commands[action, outcome] = self.commands.labels(action, outcome)
            counted.inc()

    def exposed(self) -> bytes:
        """The figures as Prometheus reads them, of all processes where there are several."""
        if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def route_of(scope: Scope) -> str:
    """The route's own path, such as /api/v1/customers/{id}; one word for what has none."""
    return getattr(scope.get("route"), "path", None) or "unknown"


def method_of(scope: Scope) -> str:
    """The method, if it is one of those that there are."""
    known = ("GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "OPTIONS")
    return scope["method"] if scope["method"] in known else "other"
