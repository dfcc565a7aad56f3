"""What can be wrong with a field beyond what pydantic itself finds: stable codes, whose sentences the API keeps."""

from __future__ import annotations

from typing import Any, Literal

from pydantic_core import PydanticCustomError

FaultCode = Literal[
    "text-nul",
    "text-surrogate",
    "text-control",
    "text-blank",
    "unknown-choice",
    "unknown-currency",
    "unknown-time-zone",
    "unfit-email",
    "unfit-mobile",
    "unfit-phone",
]

_SENTENCES: dict[FaultCode, str] = {
    "text-nul": "should not hold the sign NUL",
    "text-surrogate": "holds half of a character (a lone surrogate)",
    "text-control": "should not hold control characters",
    "text-blank": "should not be blank",
    "unknown-choice": "should be one of {accepted}",
    "unknown-currency": "should be a currency code (ISO 4217), such as CNY",
    "unknown-time-zone": "should be a time zone, such as Asia/Shanghai",
    "unfit-email": "should be an e-mail address, such as wang@example.com",
    "unfit-mobile": "should be a mobile number of 11 digits, or a foreign one such as +85291234567",
    "unfit-phone": "should be a phone number with its area code, a mobile number, or one such as +85221234567",
}

FAULT_CODES = tuple(_SENTENCES)


def fault(code: FaultCode, **values: Any) -> PydanticCustomError:
    """The error to raise in a validator."""
    return PydanticCustomError(code, _SENTENCES[code], values)
