"""How answers become JSON: amounts as strings with two decimals, moments in UTC."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

_CENT = Decimal("0.01")
_LOOKED_INTO = frozenset({Decimal, dict, list, tuple})
_encoder = msgspec.json.Encoder()


def to_json(value: Any) -> bytes:
    """The value as JSON; a decimal is always an amount, and is written with its cents."""
    return _encoder.encode(with_cents(value))


def with_cents(value: Any) -> Any:
    """The same with every amount at two decimals; one that has more (there should be none) keeps them."""
    kind = type(value)
    if kind is dict:
        return {name: with_cents(each) if type(each) in _LOOKED_INTO else each for name, each in value.items()}
    if kind is list or kind is tuple:
        return [with_cents(each) if type(each) in _LOOKED_INTO else each for each in value]
    return _amount(value) if kind is Decimal else value


def _amount(value: Decimal) -> str:
    exponent = value.as_tuple().exponent
    return f"{value:f}" if not isinstance(exponent, int) or exponent < -2 else f"{value.quantize(_CENT):f}"
