"""Arrays in PostgreSQL's binary form, packed at once instead of element by element."""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from uuid import UUID

from psycopg.abc import AdaptContext, Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEADER = Struct("!iiIii").pack
_LENGTH = Struct("!i").pack
_BIGINT = Struct("!iq").pack
_NULL = _LENGTH(-1)
_UUID_LENGTH = _LENGTH(16)


class Packed:
    """A value that is ready to be sent."""

    __slots__ = ("data",)
    oid = 0

    def __init__(self, data: bytes) -> None:
        self.data = data


class Jsonb(Packed):
    """JSON, given as the text of it."""

    oid = 3802

    def __init__(self, text: bytes) -> None:
        super().__init__(b"\x01" + text)


class Uuids(Packed):
    """uuid[]"""

    oid = 2951


class Bigints(Packed):
    """bigint[]"""

    oid = 1016


class Instants(Packed):
    """timestamptz[]"""

    oid = 1185


class Texts(Packed):
    """text[]"""

    oid = 1009


class Byteas(Packed):
    """bytea[]"""

    oid = 1001


def uuids(values: Iterable[UUID | None]) -> Uuids:
    """An array of ids, of which some may be none."""
    parts = [_NULL if value is None else _UUID_LENGTH + value.bytes for value in values]
    return Uuids(_array(2950, parts))


def bigints(values: Iterable[int | None]) -> Bigints:
    """An array of whole numbers, of which some may be none."""
    return Bigints(_array(20, [_NULL if value is None else _BIGINT(8, value) for value in values]))


def instants(values: Iterable[int]) -> Instants:
    """An array of moments, each given as the microseconds since the year 2000."""
    return Instants(_array(1184, [_BIGINT(8, value) for value in values]))


def texts(values: Iterable[str | None]) -> Texts:
    """An array of texts, of which some may be none."""
    encoded = (None if value is None else value.encode() for value in values)
    return Texts(_array(25, [_NULL if each is None else _LENGTH(len(each)) + each for each in encoded]))


def byteas(values: Iterable[bytes | None]) -> Byteas:
    """An array of byte strings, of which some may be none."""
    return Byteas(_array(17, [_NULL if each is None else _LENGTH(len(each)) + each for each in values]))


def _array(element: int, parts: list[bytes]) -> bytes:
    """One dimension from 1, with NULLs allowed; an empty array has no dimension."""
    if not parts:
        return Struct("!iiI").pack(0, 0, element)
    return _HEADER(1, 1, element, len(parts), 1) + b"".join(parts)


class _PackedDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Packed) -> Buffer:
        return obj.data


def register(context: AdaptContext) -> None:
    """Let a connection send packed values."""
    for kind, dumper in _DUMPERS.items():
        context.adapters.register_dumper(kind, dumper)


def _dumper(kind: type[Packed]) -> type[Dumper]:
    made: type[Dumper] = type(f"{kind.__name__}Dumper", (_PackedDumper,), {"oid": kind.oid})
    return made


_DUMPERS = {kind: _dumper(kind) for kind in (Jsonb, Uuids, Bigints, Instants, Texts, Byteas)}
