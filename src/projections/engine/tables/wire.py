"""Columns of rows in the form in which COPY takes them: whole columns at once, of types that are sent as they are.

An id goes as its 16 bytes, a day as the days since 2000, a moment as the microseconds since then, JSON and arrays as
bytes: on the wire that is the same as what psycopg makes of each value, several times faster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from msgspec.json import encode

from ledger import packing

Values = Sequence[Any]

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_DAY = date(2000, 1, 1).toordinal()


def packer(sql_type: str) -> Callable[[Values], Values] | None:
    """What makes a column of this type ready to be sent; None where nothing has to be done."""
    return _PACKERS.get(sql_type)


def sent_as(sql_type: str) -> str:
    """The type whose values a ready column of this type has."""
    return _SENT_AS.get(sql_type, "bytea" if sql_type in _PACKERS else sql_type)


def _ids(column: Values) -> Values:
    return [None if value is None else value.int.to_bytes(16, "big") for value in column]


def _days(column: Values) -> Values:
    return [None if value is None else value.toordinal() - _FIRST_DAY for value in column]


def _moments(column: Values) -> Values:
    return [None if value is None else micros(value) for value in column]


def micros(moment: datetime) -> int:
    """The microseconds since the year 2000."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _jsons(column: Values) -> Values:
    return [None if value is None else b"\x01" + encode(value) for value in column]


def _arrays(pack: Callable[[Any], packing.Packed]) -> Callable[[Values], Values]:
    def arrays(column: Values) -> Values:
        return [None if value is None else pack(value).data for value in column]

    return arrays


def _lists(column: Values) -> Values:
    return [None if value is None else list(value) for value in column]


_PACKERS: Mapping[str, Callable[[Values], Values]] = {
    "uuid": _ids,
    "date": _days,
    "timestamptz": _moments,
    "jsonb": _jsons,
    "text[]": _arrays(packing.texts),
    "uuid[]": _arrays(packing.uuids),
    "bigint[]": _arrays(packing.bigints),
    "bytea[]": _arrays(packing.byteas),
    "timestamptz[]": _arrays(lambda moments: packing.instants(map(micros, moments))),
    "date[]": _lists,
    "numeric[]": _lists,
    "boolean[]": _lists,
}
_SENT_AS: Mapping[str, str] = {
    "date": "int4",
    "timestamptz": "int8",
    "bigint": "int8",
    "boolean": "bool",
    "date[]": "date[]",
    "numeric[]": "numeric[]",
    "boolean[]": "bool[]",
}
