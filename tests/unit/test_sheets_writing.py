"""Tables written as files are read back with what was put into them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from ledger.placing import Taken, placed
from sheets.writing import PLAIN, Cell, Column, Format, Line, Sheet, Style, workbook, written

COLUMNS = (
    Column("code", "客户编号", "code"),
    Column("name", "名称", "text"),
    Column("follow_ups", "跟进次数", "number"),
    Column("amount", "金额", "amount"),
    Column("due_on", "到期日", "day"),
    Column("at", "时间", "moment"),
)
MORNING = datetime.fromisoformat("2026-01-31T09:30")
ROW: tuple[Cell, ...] = ("0001", "星河科技", 3, Decimal("1234567.80"), date(2026, 1, 31), MORNING)
EMPTY: tuple[Cell, ...] = (None,) * 6
FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", "＝1"]


def lines(*rows: tuple[Cell, ...], style: Style = PLAIN) -> Iterator[Line]:
    """Lines of cells, with a record behind each."""
    return (Line(row, {"code": row[0], "amount": row[3], "due_on": row[4]}, style) for row in rows)


def bytes_of(form: Format, *rows: tuple[Cell, ...], style: Style = PLAIN) -> bytes:
    """The file with these lines."""
    file = io.BytesIO()
    assert written(form, Sheet("客户", COLUMNS, 2), lines(*rows, style=style), file) == len(rows)
    return file.getvalue()


def read_back(content: bytes) -> list[list[object]]:
    """The first worksheet as a reader of workbooks sees it."""
    return [list(row) for row in CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()]


def test_csv_begins_with_a_mark_and_reads_back() -> None:
    content = bytes_of(Format.CSV, ROW, EMPTY)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 3
    assert list(csv.reader(io.StringIO(content.decode("utf-8-sig")))) == [
        ["客户编号", "名称", "跟进次数", "金额", "到期日", "时间"],
        ["0001", "星河科技", "3", "1234567.80", "2026-01-31", "2026-01-31 09:30"],
        [""] * 6,
    ]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_can_run_as_a_formula_and_numbers_stay_numbers(text: str) -> None:
    row = (text, text, -3, Decimal("-5.5"), None, None)
    shown = list(csv.reader(io.StringIO(bytes_of(Format.CSV, row).decode("utf-8-sig"))))[1]
    assert shown == [f"'{text}", f"'{text}", "-3", "-5.50", "", ""]
    content = bytes_of(Format.XLSX, row)
    assert read_back(content)[1][:4] == [text, text, -3, -5.5]
    assert b"<f>" not in sheet_xml(content)


def test_a_workbook_has_typed_cells() -> None:
    heading, first, second, third = read_back(bytes_of(Format.XLSX, ROW, EMPTY, ROW))
    assert heading == [column.heading for column in COLUMNS]
    assert first == ["0001", "星河科技", 3, 1234567.8, date(2026, 1, 31), MORNING]
    assert second == [""] * 6
    assert third == first


def test_a_workbook_is_ready_to_work_with() -> None:
    content = bytes_of(Format.XLSX, ROW)
    text = sheet_xml(content).decode()
    assert '<pane xSplit="2" ySplit="1"' in text
    assert '<autoFilter ref="A1:F2"/>' in text
    widths = [float(part.split('"')[0]) for part in text.split(' width="')[1:]]
    assert all(workbook.NARROWEST <= width <= workbook.WIDEST + 1 for width in widths)
    formats = zipfile.ZipFile(io.BytesIO(content)).read("xl/styles.xml").decode()
    assert 'formatCode="yyyy-mm-dd"' in formats
    assert 'formatCode="#,##0.00"' in formats
    assert 'numFmtId="49"' in formats or 'formatCode="@"' in formats


def test_a_line_looks_as_it_should() -> None:
    content = bytes_of(Format.XLSX, ROW, style=Style(light=True, strikethrough=True))
    formats = zipfile.ZipFile(io.BytesIO(content)).read("xl/styles.xml").decode()
    assert "<strike/>" in formats
    assert "<strike/>" not in zipfile.ZipFile(io.BytesIO(bytes_of(Format.XLSX, ROW))).read("xl/styles.xml").decode()


def test_more_lines_than_a_worksheet_holds_go_into_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_LINES", 2)
    for count, names in ((2, ["客户"]), (5, ["客户", "客户 (2)", "客户 (3)"])):
        book = CalamineWorkbook.from_filelike(io.BytesIO(bytes_of(Format.XLSX, *[ROW] * count)))
        assert book.sheet_names == names
        rows = [book.get_sheet_by_name(name).to_python() for name in names]
        assert sum(len(each) - 1 for each in rows) == count
        assert {str(each[0][0]) for each in rows} == {"客户编号"}


def test_what_excel_cannot_hold_is_still_there_as_text() -> None:
    row = ("a" * 40_000, "x", None, None, date(1899, 12, 31), datetime.fromisoformat("1850-01-01"))
    shown = read_back(bytes_of(Format.XLSX, row))[1]
    assert len(str(shown[0])) == workbook.LONGEST_TEXT
    assert shown[4:] == ["1899-12-31", "1850-01-01 00:00"]


def test_no_lines_are_a_table_too() -> None:
    assert len(read_back(bytes_of(Format.XLSX))) == 1
    assert json.loads(bytes_of(Format.JSON)) == []
    assert bytes_of(Format.JSONL) == b""


def test_json_holds_the_records() -> None:
    expected = {"code": "0001", "amount": "1234567.80", "due_on": "2026-01-31"}
    assert json.loads(bytes_of(Format.JSON, ROW, ROW)) == [expected, expected]
    assert [json.loads(each) for each in bytes_of(Format.JSONL, ROW, ROW).splitlines()] == [expected, expected]


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with pytest.raises(RuntimeError):
        break_off(path)
    assert list(tmp_path.iterdir()) == []
    with placed(path) as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_only_overwritten_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(b"mine")
    with pytest.raises(Taken), placed(path):
        pass
    with placed(path, overwriting=True) as file:
        file.write(b"yours")
    assert path.read_bytes() == b"yours"


def test_a_file_that_came_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with pytest.raises(Taken):
        meet(path)
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def break_off(path: Path) -> None:
    """Fail in the middle of writing."""
    with placed(path) as file:
        file.write(b"half")
        raise RuntimeError


def meet(path: Path) -> None:
    """Write a file while somebody else puts one there."""
    with placed(path) as file:
        file.write(b"ours")
        path.write_bytes(b"theirs")


def sheet_xml(content: bytes) -> bytes:
    """The first worksheet as it stands in the file."""
    return zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
