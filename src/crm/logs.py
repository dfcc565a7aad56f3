"""The log: one line an event on standard error, as text or as JSON, never with personal data."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg
import structlog
from structlog.typing import ExcInfo, Processor

if TYPE_CHECKING:
    from crm.settings import LogFormat

CHATTY = ("asyncio", "psycopg.pool", "uvicorn")
"""Libraries whose everyday news are only shown for debugging."""
REQUESTS = "genjin.requests"
MOST_FRAMES, MOST_CAUSES = 30, 5


def configure(level: str, form: LogFormat = "text") -> None:
    """Send what our code and the libraries have to say to standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.ExceptionRenderer(_without_messages),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    if root.level > logging.DEBUG:
        for chatty in CHATTY:
            logging.getLogger(chatty).setLevel(max(root.level, logging.WARNING))


def request_lines(level: str, form: LogFormat = "text") -> Callable[[int, dict[str, Any]], None]:
    """Writes the lines of requests: so many that they go straight to standard error, each in one piece."""
    least, descriptor, encode = logging.getLevelNamesMapping()[level.upper()], sys.stderr.fileno(), msgspec.json.encode

    def write(level: int, told: dict[str, Any]) -> None:
        if level < least:
            return
        moment, name = f"{datetime.now(UTC).isoformat()[:26]}Z", logging.getLevelName(level).lower()
        if form == "json":
            line = encode(told | {"event": "request", "level": name, "logger": REQUESTS, "timestamp": moment})
        else:
            line = (
                f"{moment} [{name:<9}] request {' '.join([f'{key}={value}' for key, value in told.items()])}".encode()
            )
        with suppress(OSError):  # nobody reads it any more
            os.write(descriptor, line + b"\n")

    return write


def _without_messages(exc_info: ExcInfo) -> str:
    """Where an error came from and of which kind it is, and nothing of what it says.

    What an error of a library says repeats what it was given, and that may be somebody's name.
    """
    error: BaseException | None = exc_info[1]
    parts: list[str] = []
    while error is not None and len(parts) < MOST_CAUSES:
        parts.append("\n".join([*_frames(error.__traceback__), _kind(error)]))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n-- because of --\n".join(parts)


def _frames(traceback: TracebackType | None) -> list[str]:
    frames = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append(f"  {code.co_filename}:{traceback.tb_lineno} in {code.co_name}")
        traceback = traceback.tb_next
    return frames[-MOST_FRAMES:]


def _kind(error: BaseException) -> str:
    """The error's class, and of a database's error what names things of ours: state, table, column, constraint."""
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    if not isinstance(error, psycopg.Error):
        return kind
    diag = error.diag
    named = {"table": diag.table_name, "column": diag.column_name, "constraint": diag.constraint_name}
    said = {"sqlstate": error.sqlstate} | named
    return " ".join([kind, *(f"{name}={value}" for name, value in said.items() if value)])
