"""Whether a process that answers requests sends traces; nothing of what that takes is read unless it does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from starlette.types import ASGIApp

GO_TO = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Tracing:
    """How the app and the cursors are watched."""

    around: Callable[[ASGIApp], ASGIApp]
    cursors: type[psycopg.Cursor[Any]]


@contextmanager
def tracing() -> Iterator[Tracing]:
    """Traces are sent for as long as the block lasts, where an address for them is set; else nothing is done."""
    if not any(os.environ.get(name) for name in GO_TO):
        yield Tracing(lambda app: app, psycopg.Cursor)
        return
    try:
        from crm import traces
    except ImportError:
        log.error("no traces are sent: OTEL_EXPORTER_OTLP_ENDPOINT needs `pip install genjin[otel]`")
        yield Tracing(lambda app: app, psycopg.Cursor)
        return
    provider = traces.begin()
    try:
        yield Tracing(traces.Traced, traces.TracedCursor)
    finally:
        provider.shutdown()
