"""Ids: in order of time for what people enter, always the same for what is imported or built in."""

from __future__ import annotations

from uuid import UUID, uuid5

from aggregates.randomness import Portions

NAMESPACE = UUID("6f1f0c0e-6a3e-5d0b-9d3c-9c1f6a2b7e55")
_random = Portions(10)


def named(kind: str, key: str) -> UUID:
    """The id that this kind of thing always has under this natural key (UUIDv5)."""
    return uuid5(uuid5(NAMESPACE, kind), key)


def new_id(milliseconds: int) -> UUID:
    """A new id that sorts by the moment it was made, given in milliseconds since 1970 (UUIDv7, RFC 9562)."""
    random = int.from_bytes(_random()) >> 6
    value = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | (random >> 62) << 64 | 2 << 62 | random & (1 << 62) - 1
    return UUID(int=value)
