"""How to reach somebody: mobile and other phone numbers, and e-mail addresses, each in one form."""

from __future__ import annotations

import re
from typing import Annotated, Any
from unicodedata import normalize

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat
from pydantic import BeforeValidator, Field, StringConstraints

from commands.fields.faults import FaultCode, fault
from commands.fields.text import tidy_line

_MOBILE = re.compile(r"1[3-9]\d{9}")
_BETWEEN = re.compile(r"[\s\-().·]")
_HOME_PREFIX = re.compile(r"^(\+|00)86")
_HOME = 86


def _mobile(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    digits = _digits(value)
    number = _HOME_PREFIX.sub("", digits)
    if _MOBILE.fullmatch(number):
        return number
    if digits.startswith("+") and not _HOME_PREFIX.match(digits):
        return _international(_parsed(digits, "unfit-mobile"), "unfit-mobile")
    raise fault("unfit-mobile")


def _phone(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    digits = _digits(value)
    number = _HOME_PREFIX.sub("", digits)
    if _MOBILE.fullmatch(number):
        return number
    return _international(_parsed(normalize("NFKC", value).replace("转", " ext. "), "unfit-phone"), "unfit-phone")


def _digits(value: str) -> str:
    return _BETWEEN.sub("", normalize("NFKC", str(tidy_line(value))))


def _parsed(text: str, code: FaultCode) -> PhoneNumber:
    try:
        return phonenumbers.parse(text, "CN")
    except NumberParseException as error:
        raise fault(code) from error


def _international(number: PhoneNumber, code: FaultCode) -> str:
    """In E.164, an extension added as in RFC 3966; numbers at home must exist in the plan, foreign ones be possible."""
    is_home = number.country_code == _HOME
    fits = phonenumbers.is_valid_number(number) if is_home else phonenumbers.is_possible_number(number)
    if not fits:
        raise fault(code)
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return f"{written};ext={number.extension}" if number.extension else written


def _email(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return validate_email(str(tidy_line(value)), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise fault("unfit-email") from error


Mobile = Annotated[str, BeforeValidator(_mobile), StringConstraints(max_length=40), Field(examples=["13812345678"])]
"""A mobile number: at home its 11 digits, a foreign one in E.164."""

Phone = Annotated[str, StringConstraints(max_length=40), BeforeValidator(_phone), Field(examples=["010-62345678"])]
"""Any phone number: a mobile one at home as its 11 digits, every other in E.164."""

Email = Annotated[str, StringConstraints(max_length=254), BeforeValidator(_email), Field(examples=["wang@example.com"])]
"""An e-mail address; nothing is sent to find out whether it exists."""
