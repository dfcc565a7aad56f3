"""The tables that can be taken along have a place and a name for everything that the API shows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from projections.pipeline import OPPORTUNITIES
from projections.receivables import OVERDUE, RECEIVABLES
from projections.receivables.standing import BUCKETS, STATUSES
from projections.tracking.columns import LISTING as TRACKING
from projections.tracking.flags import FLAGS
from sheets.writing import Style
from sheets.writing.tables import LAYOUTS, UnknownColumn
from sheets.writing.tables.headings import HEADINGS
from sheets.writing.tables.layout import Layout, as_dialled
from sheets.writing.tables.words import WORDS

SHANGHAI = ZoneInfo("Asia/Shanghai")
LISTINGS = {"tracking": TRACKING, "opportunities": OPPORTUNITIES, "receivables": RECEIVABLES, "overdue": OVERDUE}


@pytest.mark.parametrize("name", LISTINGS)
def test_every_field_of_a_list_is_a_column_or_left_to_programs(name: str) -> None:
    layout = LAYOUTS[name]
    shown = {field for field, column in LISTINGS[name].columns.items() if column.shown}
    assert len(set(layout.fields)) == len(layout.fields)
    assert {*layout.fields, *layout.left_out} - {"archived"} == shown - {"archived", *FLAGS}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=list(LAYOUTS))
def test_every_column_has_a_name_of_its_own_in_both_languages(layout: Layout) -> None:
    assert {*layout.fields, *layout.left_out} <= set(HEADINGS)
    for lang in ("zh", "en"):
        headings = [column.heading for column in layout.sheet(lang).columns]
        assert len(set(headings)) == len(headings)


def test_every_choice_has_a_name() -> None:
    assert set(WORDS["flags"]) == set(FLAGS)
    assert set(WORDS["status"]) == set(STATUSES)
    assert set(WORDS["bucket"]) == set(BUCKETS)


def test_a_row_becomes_cells_as_a_person_reads_them() -> None:
    row: dict[str, Any] = {
        "name": "星河",
        "kind": "company",
        "source": "exhibition",
        "phone": "+8657167542832",
        "flags": ["won", "payment_overdue"],
        "tags": [],
        "open_amount": {"CNY": "12.50"},
        "last_followed_up_at": datetime(2026, 1, 31, 20, 30, tzinfo=UTC),
        "next_contact_on": date(2026, 2, 1),
        "follow_ups": 2,
        "placeholder": False,
        "owner_id": UUID(int=1),
        "notes": None,
        "style": {"colour": "red", "light": False, "strikethrough": False},
    }
    tracking = LAYOUTS["tracking"].choosing([name for name in row if name != "style"])
    layout = Layout(tracking.title, tracking.fields, tracking.listed, currencies=("CNY", "USD"))
    line = layout.line(row, "zh", SHANGHAI)
    assert list(line.cells) == [
        "星河",
        "企业客户",
        "展会",
        "0571 6754 2832",
        "已成交、付款逾期",
        None,
        Decimal("12.50"),
        None,
        datetime.fromisoformat("2026-02-01T04:30"),
        date(2026, 2, 1),
        2,
        "否",
        str(UUID(int=1)),
        None,
    ]
    assert line.style == Style("red")
    assert line.record is row
    assert [column.heading for column in layout.sheet("zh").columns][6:8] == ["在谈金额 CNY", "在谈金额 USD"]
    assert layout.line(row, "en", SHANGHAI).cells[4] == "won, payment overdue"


def test_a_foreign_number_stays_as_it_is() -> None:
    assert as_dialled("+6561234567") == "+6561234567"
    assert as_dialled("13812345678") == "13812345678"


def test_stages_are_called_by_their_names() -> None:
    pipeline = UUID(int=7)
    layout = Layout(("", ""), ("stage",), OPPORTUNITIES.columns, stages={(pipeline, "lead"): "线索"})
    assert layout.line({"pipeline_id": pipeline, "stage": "lead"}, "zh", SHANGHAI).cells == ["线索"]
    assert layout.line({"pipeline_id": UUID(int=8), "stage": "lead"}, "zh", SHANGHAI).cells == ["lead"]


def test_an_unknown_column_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownColumn) as refused:
        LAYOUTS["overdue"].choosing(["open", "nonsense"])
    assert (refused.value.name, "id" in refused.value.known) == ("nonsense", True)


def test_an_event_is_a_line_with_its_changes_in_one_cell() -> None:
    event = {
        "position": 7,
        "recorded_at": datetime(2026, 1, 31, 1, tzinfo=UTC),
        "occurred_on": date(2026, 1, 30),
        "actor": {"id": "rule:sample", "name": ""},
        "source": "import",
        "aggregate": {"kind": "customer", "id": UUID(int=1), "label": "C1"},
        "sentence": "说了话",
        "changes": [
            {"label": "地址", "before_shown": "上海", "after_shown": "杭州"},
            {"label": "电话", "before_shown": None, "after_shown": "110"},
            {"label": "备注", "before_shown": "旧", "after_shown": None},
        ],
        "reason": None,
        "topic": "customer.profile-revised",
        "customer_id": UUID(int=1),
    }
    cells = LAYOUTS["history"].line(event, "zh", SHANGHAI).cells
    assert list(cells[3:8]) == [
        "rule:sample",
        "导入",
        "客户 C1",
        "说了话",
        "地址: 上海 → 杭州；电话: 110；备注: 旧 → -",
    ]
