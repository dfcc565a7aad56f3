"""Cells become values by the stated formats only, and say what would be accepted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from sheets.mapping.values import Misfit, convert
from sheets.profile import ColumnRule, Formats

AMERICAN = Formats(date=("%m/%d/%Y",))


@pytest.mark.parametrize(
    ("text", "rule", "formats", "value"),
    [
        ("0007", ColumnRule(), Formats(), "0007"),
        ("", ColumnRule(), Formats(), None),
        ("1/2/2013", ColumnRule(type="date"), AMERICAN, date(2013, 1, 2)),
        ("12/31/2013", ColumnRule(type="date"), AMERICAN, date(2013, 12, 31)),
        ("2020/2/29", ColumnRule(type="date", formats=("%Y/%m/%d", "%Y-%m-%d")), Formats(), date(2020, 2, 29)),
        ("2020-02-29", ColumnRule(type="date", formats=("%Y/%m/%d", "%Y-%m-%d")), Formats(), date(2020, 2, 29)),
        ("55.94", ColumnRule(type="decimal"), Formats(), Decimal("55.94")),
        ("-3", ColumnRule(type="decimal"), Formats(), Decimal(-3)),
        ("1.234.567,89", ColumnRule(type="decimal"), Formats(decimal_mark=",", grouping="."), Decimal("1234567.89")),
        ("1234,5", ColumnRule(type="decimal"), Formats(decimal_mark=",", grouping="."), Decimal("1234.5")),
        ("42", ColumnRule(type="integer"), Formats(), 42),
        ("45%", ColumnRule(type="percent"), Formats(), 45),
        ("100 %", ColumnRule(type="percent"), Formats(), 100),
        ("Won", ColumnRule(one_of=("Won", "Lost")), Formats(), "Won"),
    ],
)
def test_a_cell_is_read_by_its_rule(text: str, rule: ColumnRule, formats: Formats, value: object) -> None:
    assert convert(text, rule, formats) == value


@pytest.mark.parametrize(
    ("text", "rule", "code"),
    [
        ("", ColumnRule(needed=True), "empty-cell"),
        ("Maybe", ColumnRule(one_of=("Won", "Lost")), "not-one-of"),
        ("2013-02-30", ColumnRule(type="date"), "not-a-date"),
        ("1/2/2013", ColumnRule(type="date"), "not-a-date"),
        ("41276", ColumnRule(type="date"), "not-a-date"),
        ("\uff12\uff10\uff11\uff13-01-01", ColumnRule(type="date"), "not-a-date"),
        ("13-01-01", ColumnRule(type="date"), "not-a-date"),
        ("2013-01-01 00:00", ColumnRule(type="date"), "not-a-date"),
        ("1,234.5", ColumnRule(type="decimal"), "not-a-number"),
        ("$5", ColumnRule(type="decimal"), "not-a-number"),
        ("1e5", ColumnRule(type="decimal"), "not-a-number"),
        ("NaN", ColumnRule(type="decimal"), "not-a-number"),
        ("1_000", ColumnRule(type="decimal"), "not-a-number"),
        ("\uff11\uff12", ColumnRule(type="decimal"), "not-a-number"),
        ("\u0661", ColumnRule(type="integer"), "not-a-whole-number"),
        ("9" * 16, ColumnRule(type="decimal"), "number-too-long"),
        ("9" * 16, ColumnRule(type="integer"), "number-too-long"),
        ("4.5", ColumnRule(type="integer"), "not-a-whole-number"),
        ("101%", ColumnRule(type="percent"), "not-a-percentage"),
        ("45", ColumnRule(type="percent"), "not-a-percentage"),
    ],
)
def test_a_cell_that_does_not_fit_is_refused(text: str, rule: ColumnRule, code: str) -> None:
    with pytest.raises(Misfit) as misfit:
        convert(text, rule, Formats())
    assert misfit.value.code == code


def test_a_wrong_date_says_how_one_is_written() -> None:
    with pytest.raises(Misfit) as misfit:
        convert("31.1.2013", ColumnRule(type="date"), AMERICAN)
    assert misfit.value.values == {"accepted": "01/31/2013"}
