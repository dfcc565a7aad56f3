"""Reports at a terminal: they fit eighty columns, amounts stand under each other, and --wide leaves nothing out."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner

from crm.cli import app
from crm.console import layouts
from crm.output import as_columns

ZONE = ZoneInfo("Asia/Shanghai")
LONG_NAME = "新疆维吾尔自治区乌鲁木齐高新技术产业开发区进出口贸易有限责任公司"
FUNNEL = [
    {
        "key": {"owner": "张三", "owner_id": "019d5344", "region": "华东", "currency": currency},
        "stages": [
            {"stage": "lead", "count": 3, "share": 0.75, "amount": "192120.00"},
            {"stage": "negotiation", "count": 1, "share": 0.25, "amount": None},
        ],
        "won": 3,
        "lost": 1,
        "win_rate": 0.75,
        "won_amount": "123456789.00",
        "cycle_days": {"mean": 66.95, "median": 64.0},
    }
    for currency in ("CNY", "USD")
]
AGING = [
    {
        "key": {"customer": LONG_NAME, "customer_id": "019d5344", "currency": "CNY"},
        "invoiced": {"count": 50, "amount": "1764114.00"},
        "collected": {"amount": "1037674.30"},
        "open": {"count": 19, "amount": "709623.70"},
        "overdue": {"count": 10, "amount": "241571.20", "max_days_past_due": 189},
        "buckets": [
            {"bucket": "current", "count": 9, "amount": "468052.50"},
            {"bucket": "90+", "count": 6, "amount": "241571.20"},
        ],
    }
]
OVERDUE = [
    {
        "customer": LONG_NAME,
        "invoice_no": "0010004849",
        "due_on": "2026-05-03",
        "days_past_due": 203,
        "open": amount,
        "currency": "CNY",
        "description": "到货款",
    }
    for amount in ("17600.00", "9.50")
]
TRACKING = [
    {
        "code": "C202611112",
        "name": LONG_NAME,
        "owner": "周雅婷",
        "lifecycle": "interested",
        "last_followed_up_at": "2026-11-20T17:59:00Z",
        "next_contact_on": None,
        "open_balance": {"CNY": "5.00"},
        "tags": ["a", "b"],
        "style": {"colour": None},
    }
]


def printed(capsys: pytest.CaptureFixture[str], laid: layouts.Laid, *, wide: bool = False) -> list[str]:
    """The lines that a person sees."""
    as_columns(laid.headings, laid.rows, wide=wide)
    return capsys.readouterr().out.splitlines()


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal as it is where nothing else is known."""
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize(
    "laid",
    [
        layouts.stacked(FUNNEL),
        layouts.stacked(AGING),
        layouts.listed("overdue", OVERDUE, ZONE),
        layouts.listed("tracking", TRACKING, ZONE),
    ],
)
def test_a_report_fits_eighty_columns_and_cuts_nothing_off(
    capsys: pytest.CaptureFixture[str], laid: layouts.Laid
) -> None:
    lines = printed(capsys, laid)
    assert max(map(cell_len, lines)) <= 80
    assert "…" not in "".join(lines)


def test_the_funnel_has_a_line_a_stage_with_amounts_under_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, layouts.stacked(FUNNEL))
    assert [line.split() for line in lines[:5]] == [
        ["owner", "region", "currency", "count", "share", "amount"],
        ["张三", "华东", "CNY", "lead", "3", "75%", "192,120.00"],
        ["negotiation", "1", "25%", "–"],
        ["won,", "of", "closed", "3", "75%", "123,456,789.00"],
        ["lost,", "of", "closed", "1", "25%"],
    ]
    assert {cell_len(line.rstrip()) for line in lines[1:4]} == {cell_len(lines[0].rstrip())}


def test_lists_show_a_few_columns_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    first, *_ = (line.split() for line in printed(capsys, layouts.listed("tracking", TRACKING, ZONE))[1:])
    assert (first[0], first[2:]) == ("C202611112", ["周雅婷", "interested", "2026-11-21"])
    overdue = printed(capsys, layouts.listed("overdue", OVERDUE, ZONE))
    ends = [line.index(amount) + len(amount) for line in overdue for amount in ("17,600.00", "9.50") if amount in line]
    assert len(set(ends)) == 1


def test_wide_leaves_nothing_out(capsys: pytest.CaptureFixture[str]) -> None:
    heading, line = printed(capsys, layouts.wide(TRACKING, ZONE), wide=True)
    assert LONG_NAME in line
    assert {"code", "open_balance CNY", "tags"} <= {word.strip() for word in heading.split("  ")}
    assert "a, b" in line
    (heading, *lines) = printed(capsys, layouts.wide(FUNNEL, ZONE), wide=True)
    assert "negotiation count" in heading
    assert len(lines) == 2


@pytest.mark.parametrize("words", [["report"], ["export"]])
def test_filters_in_the_help_can_be_typed_as_they_stand_there(words: list[str]) -> None:
    shown: Any = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert "'amount[gte]=1000'" in shown.stdout
