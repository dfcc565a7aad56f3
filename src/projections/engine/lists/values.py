"""The kinds of values a list can be asked about: how each is read from a query string, and what may be asked."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from uuid import UUID

Kind = Literal["text", "number", "decimal", "date", "instant", "uuid", "bool", "enum", "tags"]
Op = Literal["eq", "ne", "lt", "lte", "gt", "gte", "in", "contains", "isnull"]

ORDERED: tuple[Op, ...] = ("eq", "ne", "lt", "lte", "gt", "gte", "in", "isnull")
OPS: dict[Kind, tuple[Op, ...]] = {
    "text": ("eq", "ne", "in", "contains", "isnull"),
    "number": ORDERED,
    "decimal": ORDERED,
    "date": ORDERED,
    "instant": ORDERED,
    "uuid": ("eq", "ne", "in", "isnull"),
    "bool": ("eq", "ne", "isnull"),
    "enum": ("eq", "ne", "in", "isnull"),
    "tags": ("contains", "in", "isnull"),
}
MAX_TEXT = 500
MAX_LIST = 200
_PLAIN_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,12})?", re.ASCII)
_PLAIN_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class Unreadable(ValueError):
    """The text is not a value of this kind."""


def _text(raw: str) -> str:
    if len(raw) > MAX_TEXT or "\0" in raw or any("\ud800" <= mark <= "\udfff" for mark in raw):
        raise Unreadable
    return raw


def _number(raw: str) -> int:
    if not _PLAIN_INTEGER.fullmatch(raw):
        raise Unreadable
    return int(raw)


def _decimal(raw: str) -> Decimal:
    if not _PLAIN_NUMBER.fullmatch(raw):
        raise Unreadable
    try:
        return Decimal(raw)
    except InvalidOperation as exc:  # pragma: no cover - the pattern above lets nothing else pass
        raise Unreadable from exc


def _date(raw: str) -> date:
    if not _DATE.fullmatch(raw):
        raise Unreadable
    try:
        return date.fromisoformat(raw)
    except ValueError as exc:
        raise Unreadable from exc


def read_instant(raw: str) -> datetime:
    """A moment with its offset from UTC (RFC 3339), as UTC; raises Unreadable."""
    # A "+" that a client forgot to encode arrives as a blank.
    text = raw.replace(" ", "+") if raw.count(" ") == 1 and "T" in raw else raw
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", text, re.ASCII):
        raise Unreadable
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise Unreadable from exc


def _uuid(raw: str) -> UUID:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", raw, re.ASCII):
        raise Unreadable
    return UUID(raw)


def read_bool(raw: str) -> bool:
    """`true` or `false`; raises Unreadable."""
    if raw not in ("true", "false"):
        raise Unreadable
    return raw == "true"


READERS: dict[Kind, Callable[[str], Any]] = {
    "text": _text,
    "number": _number,
    "decimal": _decimal,
    "date": _date,
    "instant": read_instant,
    "uuid": _uuid,
    "bool": read_bool,
    "enum": _text,
    "tags": _text,
}


def read_value(kind: Kind, raw: str, choices: tuple[str, ...] = ()) -> Any:
    """The typed value that the text stands for; raises Unreadable."""
    value = READERS[kind](raw)
    if kind == "enum" and value not in choices:
        raise Unreadable
    return value


def read_list(kind: Kind, raw: str, choices: tuple[str, ...] = ()) -> list[Any]:
    """The values of a comma-separated list; one that holds a comma is put in double quotes. Raises Unreadable."""
    try:
        parts = next(csv.reader([raw], strict=True), [])
    except csv.Error as exc:
        raise Unreadable from exc
    if not 0 < len(parts) <= MAX_LIST:
        raise Unreadable
    return [read_value(kind, part, choices) for part in parts]
