"""Traces for OpenTelemetry, where OTEL_EXPORTER_OTLP_ENDPOINT is set: requests, commands and statements, never values.

This file is imported only then. The libraries come with `pip install genjin[otel]`; what else OTEL_... variables say
(headers, sampling, the service's name) is theirs.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

import psycopg
from opentelemetry import context, propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode
from psycopg import sql
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.operations.metrics import method_of, route_of
from commands.watching import Doing, watchers

_tracer = trace.get_tracer("genjin")


def begin() -> TracerProvider:
    """Send traces from now on; `shutdown` of what is returned sends the last ones."""
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "genjin"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


class Traced:
    """The app, each of whose requests is a span, called by its route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request within a span, which goes on where a client's own trace left off."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        carrier = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method = method_of(scope)
        span = _tracer.start_span(method, context=propagate.extract(carrier), kind=SpanKind.SERVER)
        span.set_attribute("http.request.method", method)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
                if message["status"] >= 500:
                    span.set_status(StatusCode.ERROR)
            await send(message)

        here = context.attach(trace.set_span_in_context(span))
        watching = watchers.set((*watchers.get(), Commands()))
        try:
            await self._app(scope, receive, noting)
        finally:
            watchers.reset(watching)
            context.detach(here)
            route = route_of(scope)
            span.update_name(f"{method} {route}")
            span.set_attribute("http.route", route)
            span.end()


class Commands:
    """Each command that is done is a span, called by its action."""

    def __init__(self) -> None:
        self._spans: dict[int, tuple[Span, Any]] = {}

    def began(self, doing: Doing) -> None:
        """Begin its span."""
        span = _tracer.start_span(f"command {doing.action}")
        self._spans[id(doing)] = span, context.attach(trace.set_span_in_context(span))

    def ended(self, doing: Doing, error: BaseException | None) -> None:
        """End its span, with the id that the events carry, or the code of the refusal."""
        span, here = self._spans.pop(id(doing))
        context.detach(here)
        if error is not None:
            span.set_attribute("genjin.refusal", getattr(error, "code", None) or type(error).__name__)
            span.set_status(StatusCode.ERROR)
        elif doing.command_id is not None and not doing.replayed:
            span.set_attribute("genjin.command_id", str(doing.command_id))
        span.end()


class TracedCursor(psycopg.Cursor[Any]):
    """A cursor whose statements are spans; what stands in for values in a statement is not filled in."""

    def execute(self, query: Any, params: Any = None, **more: Any) -> Any:
        """Execute it within a span."""
        with _statement(query) as span:
            try:
                return super().execute(query, params, **more)
            except psycopg.Error as error:
                span.set_attribute("error.type", error.sqlstate or type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise


def _statement(query: Any) -> AbstractContextManager[Span]:
    """A span for a statement; of one that was put together, which may hold values, only that it is one."""
    text = "(composed)" if isinstance(query, sql.Composable) else str(query if isinstance(query, str) else "(bytes)")
    attributes = {"db.system.name": "postgresql", "db.query.text": " ".join(text.split())}
    return _tracer.start_as_current_span(
        "sql",
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    )
