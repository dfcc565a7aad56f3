"""Texts: tidied at the ends, never blank, never oversize, without signs that cannot be shown or stored."""

from __future__ import annotations

import re
from typing import Annotated, Any
from unicodedata import normalize

from pydantic import BeforeValidator, Field, StringConstraints

from commands.fields.faults import fault

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROL_IN_PROSE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def _tidy(value: Any, forbidden: re.Pattern[str]) -> Any:
    if not isinstance(value, str):
        return value
    if "\0" in value:
        raise fault("text-nul")
    if _SURROGATE.search(value):
        raise fault("text-surrogate")
    text = normalize("NFC", value.strip())
    if not text:
        raise fault("text-blank")
    if forbidden.search(text):
        raise fault("text-control")
    return text


def tidy_line(value: Any) -> Any:
    """One line of text, without blanks around it."""
    return _tidy(value, _CONTROL)


def tidy_prose(value: Any) -> Any:
    """Text of several lines, each ending the same way."""
    if isinstance(value, str):
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    return _tidy(value, _CONTROL_IN_PROSE)


_LINE = Field(json_schema_extra={"pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"})
_PROSE = Field(json_schema_extra={"pattern": r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$"})

Line = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(tidy_line), _LINE]
"""A name, a title, an address: one line."""

Code = Annotated[str, StringConstraints(min_length=1, max_length=64), BeforeValidator(tidy_line), _LINE]
"""A number or code of another system, kept as text so that leading zeros stay."""

Label = Annotated[str, StringConstraints(min_length=1, max_length=50), BeforeValidator(tidy_line), _LINE]
"""A tag, a region, an industry: a few words."""

Prose = Annotated[str, StringConstraints(min_length=1, max_length=10_000), BeforeValidator(tidy_prose), _PROSE]
"""What somebody said or noted: several lines."""
