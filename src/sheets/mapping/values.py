"""Turns the text of a cell into a value: strictly, by the formats that the profile states."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from time import strptime
from typing import Any

from sheets.profile import ColumnRule, Formats

Value = str | date | Decimal | int | None
MOST_DIGITS = 15
INTEGER = re.compile(r"[+-]?[0-9]+")
PERCENT = re.compile(r"([0-9]{1,3})\s*[%％]")
EXAMPLE = date(2013, 1, 31)


class Misfit(Exception):
    """A cell does not hold what its column must hold: why, and what would be accepted."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code, values)
        self.code = code
        self.values = values


def convert(text: str, rule: ColumnRule, formats: Formats) -> Value:
    """The value of a cell; an empty one is None. Raises Misfit."""
    if not text:
        if rule.needed:
            raise Misfit("empty-cell")
        return None
    if rule.one_of and text not in rule.one_of:
        raise Misfit("not-one-of", accepted=", ".join(rule.one_of))
    match rule.type:
        case "text":
            return text
        case "date":
            return _date(text, rule.formats or formats.date)
        case "decimal":
            return _decimal(text, formats.decimal_mark, formats.grouping)
        case "integer":
            return _integer(text)
        case "percent":
            return _percent(text)


@lru_cache(maxsize=4096)
def _date(text: str, formats: tuple[str, ...]) -> date:
    if text.isascii():
        for form in formats:
            try:
                return date(*strptime(text, form)[:3])
            except ValueError:
                continue
    raise Misfit("not-a-date", accepted=", ".join(EXAMPLE.strftime(form) for form in formats))


def _decimal(text: str, mark: str, grouping: str) -> Decimal:
    whole = r"[0-9]+" if not grouping else rf"(?:[0-9]{{1,3}}(?:{re.escape(grouping)}[0-9]{{3}})+|[0-9]+)"
    if not re.fullmatch(rf"[+-]?{whole}(?:{re.escape(mark)}[0-9]+)?", text, re.ASCII):
        raise Misfit("not-a-number", accepted=f"1234{mark}56")
    plain = text.replace(grouping, "") if grouping else text
    if sum(c.isdigit() for c in plain) > MOST_DIGITS:
        raise Misfit("number-too-long", longest=MOST_DIGITS)
    return Decimal(plain.replace(mark, "."))


def _integer(text: str) -> int:
    if not INTEGER.fullmatch(text):
        raise Misfit("not-a-whole-number", accepted="1234")
    if len(text) > MOST_DIGITS:
        raise Misfit("number-too-long", longest=MOST_DIGITS)
    return int(text)


def _percent(text: str) -> int:
    found = PERCENT.fullmatch(text)
    if not found or int(found[1]) > 100:
        raise Misfit("not-a-percentage", accepted="0% - 100%")
    return int(found[1])
