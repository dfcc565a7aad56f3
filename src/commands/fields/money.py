"""Amounts of money with at most two decimals, and the currencies they are in."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticKnownError

from aggregates.currencies import CURRENCIES
from commands.fields.faults import fault
from commands.fields.text import tidy_line

_CENT = Decimal("0.01")
_AMOUNT = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?", re.ASCII)


def _exact(value: Any) -> Any:
    """The amount that was written, be it as text or as a JSON number; never what floating point makes of it."""
    if isinstance(value, bool):
        raise PydanticKnownError("decimal_type")
    if isinstance(value, (int, float)):
        return Decimal(str(value))
    if isinstance(value, str):
        text = value.strip()
        if not _AMOUNT.fullmatch(text):
            raise PydanticKnownError("decimal_parsing")
        return Decimal(text)
    if not isinstance(value, Decimal):
        raise PydanticKnownError("decimal_type")
    return value


def _plain(amount: Decimal) -> Decimal:
    """The same amount with two decimals, and no negative zero."""
    plain = amount.quantize(_CENT)
    return plain if plain else abs(plain)


def _known_currency(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    currency = str(tidy_line(value)).upper()
    if currency not in CURRENCIES:
        raise fault("unknown-currency")
    return currency


_LIMITS = Field(max_digits=15, decimal_places=2, allow_inf_nan=False)


def _shown(**least: int) -> WithJsonSchema:
    text = {"type": "string", "pattern": r"^[0-9]{1,13}(\.[0-9]{1,2})?$", "examples": ["1200.50"]}
    return WithJsonSchema({"anyOf": [text, {"type": "number", "maximum": 9_999_999_999_999.99, **least}]})


Money = Annotated[Decimal, _LIMITS, Field(ge=0), BeforeValidator(_exact), AfterValidator(_plain), _shown(minimum=0)]
"""An amount that may be nothing: under ten million million, with at most two decimals."""

Amount = Annotated[
    Decimal, _LIMITS, Field(gt=0), BeforeValidator(_exact), AfterValidator(_plain), _shown(exclusiveMinimum=0)
]
"""An amount that is more than nothing."""

CurrencyField = Annotated[
    str, BeforeValidator(_known_currency), Field(examples=["CNY"], json_schema_extra={"pattern": "^[A-Za-z]{3}$"})
]
"""A currency code of ISO 4217."""

Percent = Annotated[int, Field(ge=0, le=100)]
"""How far something is, from 0 to 100."""
