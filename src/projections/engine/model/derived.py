"""Values worked out from personal fields, which a fold may not look into: they are made when the row is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from ledger.encoded.forms import FastEvent
from ledger.sealed import Sealed


class Derived(Struct, eq=False, gc=False):
    """A function of values of which some are still sealed."""

    function: Callable[..., Any]
    parts: tuple[Any, ...]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Derived):
            return NotImplemented
        return self.function is other.function and self.parts == other.parts

    def __hash__(self) -> int:
        return hash((self.function, self.parts))


def derived(function: Callable[..., Any], *parts: Any) -> Any:
    """`function(*parts)`: now where nothing is sealed, otherwise when the row is written. It must be pure."""
    for part in parts:
        if type(part) is Sealed:
            return Derived(function, parts)
    return function(*parts)


def sealed_in(value: Sealed | Derived) -> tuple[Sealed, ...]:
    """What has to be opened before the value is known."""
    if isinstance(value, Sealed):
        return (value,)
    return tuple(part for part in value.parts if type(part) is Sealed)


def opened_value(value: Sealed | Derived, open_one: Callable[[Any], Any]) -> Any:
    """The value itself; a part that cannot be opened any more counts as None."""
    if isinstance(value, Derived):
        return value.function(*[open_one(part) if type(part) is Sealed else part for part in value.parts])
    return open_one(value)


def personal(event: Any, names: Sequence[str]) -> list[Any]:
    """Personal fields of an event, sealed as they are: the same as reading them one by one, in a third of the time."""
    if not isinstance(event, FastEvent):
        return [getattr(event, name) for name in names]
    blob = event.blob
    return [None] * len(names) if blob is None else [Sealed(blob, name) for name in names]
