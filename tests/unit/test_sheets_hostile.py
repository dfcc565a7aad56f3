"""Files that nobody should be hurt by: texts that would run as formulas, and bytes that are no table at all."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from sheets.formulas import neutral, plain
from sheets.importing.report import MOST_KEPT, Tally
from sheets.reading import Column as Wanted
from sheets.reading import Layout, Refusal, Row, Unreadable, open_table
from sheets.reading.encoding import KNOWN
from sheets.writing import Column, Format, Line, Sheet, written

SIGNS = "=+-@\t\r\n＝＋－＠"
LAYOUT = Layout((Wanted("no", ("no", "编号")), Wanted("name", ("name", "名称"), required=False)), heading_within=3)
COLUMNS = (Column("text", "text", "text"), Column("code", "code", "code"), Column("amount", "amount", "amount"))


def exported(form: Format, text: str, code: str, amount: Decimal) -> bytes:
    file = io.BytesIO()
    line = Line((text, code, amount), {})
    written(form, Sheet("Table", COLUMNS), [line], file)
    return file.getvalue()


def cells_of(content: bytes) -> list[str]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))[1]


texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=20)
starts = st.builds("".join, st.tuples(st.sampled_from(["", "'", "''"]), st.sampled_from(list(SIGNS)), texts))


@given(texts | starts)
def test_what_was_made_harmless_is_what_it_was_when_it_is_read_again(text: str) -> None:
    assert plain(neutral(text)) == text


@given(starts, st.decimals(-(10**9), 10**9, places=2))
def test_no_cell_of_a_csv_file_runs_and_amounts_stay_amounts(text: str, amount: Decimal) -> None:
    first, second, third = cells_of(exported(Format.CSV, text, text, amount))
    assert first == second
    assert first[0] not in SIGNS or (first[0] == "+" and first[1:].isdigit())
    assert Decimal(third) == amount


@pytest.mark.parametrize("phone", ["+8613812345678", "+85291234567", "13812345678", "021-62345678"])
def test_telephone_numbers_stay_as_they_are(phone: str) -> None:
    assert cells_of(exported(Format.CSV, phone, phone, Decimal("-12.50"))) == [phone, phone, "-12.50"]


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "+1+2", '=HYPERLINK("http://x")'])
def test_a_workbook_holds_texts_and_numbers_as_what_they_are(text: str, tmp_path: Path) -> None:
    book = tmp_path / "table.xlsx"
    book.write_bytes(exported(Format.XLSX, text, text, Decimal("-12.50")))
    with zipfile.ZipFile(book) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    row = CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()[1]
    assert row == [text, text, -12.5]


@pytest.mark.parametrize("text", ["=1+1", "-2+3", "'=x", "''@x", "+85291234567", "'quoted'", "- 要回访"])
def test_an_exported_table_is_imported_as_it_was(text: str, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_bytes(exported(Format.CSV, text, "0007", Decimal("-1.00")))
    layout = Layout((Wanted("text", ("text",)), Wanted("code", ("code",)), Wanted("amount", ("amount",))))
    with open_table(table, layout) as opened:
        (row,) = opened.rows()
    assert isinstance(row, Row)
    assert row.cells == {"text": text, "code": "0007", "amount": "-1.00"}


def read(content: bytes, encoding: str | None = None) -> list[Row | Refusal]:
    """Everything in the file; one that cannot be read at all is its refusals."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(content)
        try:
            with open_table(path, LAYOUT, encoding=encoding) as table:
                return list(table.rows())
        except Unreadable as unreadable:
            return list(unreadable.refusals)


HEADS = st.sampled_from([b"", b"no,name\n", "编号,名称\r\n".encode("gb18030"), b"\xef\xbb\xbfno;name\n", b"PK\x03\x04"])
BYTES = (b'"', b'""', b"\0", b"\r", b"\n", b",", b"\xff", b"\xfe\xff", b"\x80\x80", b"=1+1", b"\xc2\xa1", b"'=")
NASTY = st.sampled_from(BYTES)
encodings = st.none() | st.sampled_from(sorted(KNOWN)) | st.just("nonsense")


@settings(max_examples=300, deadline=None)
@given(HEADS, st.lists(NASTY | st.binary(max_size=30), max_size=40).map(b"".join), encodings)
def test_whatever_is_in_a_file_it_is_read_or_refused(head: bytes, rest: bytes, encoding: str | None) -> None:
    for found in read(head + rest, encoding):
        assert isinstance(found, (Row, Refusal))


def bomb() -> bytes:
    """A small workbook that would be large if anybody unpacked it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/worksheets/sheet1.xml", b"<c>" + b"0" * 50_000_000)
        parts.writestr("[Content_Types].xml", b"<Types/>")
    return packed.getvalue()


LARGE: dict[str, Callable[[], bytes]] = {
    "a workbook that unpacks to fifty megabytes": bomb,
    "one cell": lambda: b'no,name\n1,"' + b"x" * 20_000_000,
    "one row of many cells": lambda: b"no,name\n" + b"," * 5_000_000,
    "one line break after the other": lambda: b'no,name\n1,"' + b"\n" * 300_000,
    "one quote after the other": lambda: b"no,name\n" + b'"' * 5_000_000,
    "compressed": lambda: gzip.compress(b"no,name\n1,x\n"),
}


@pytest.mark.parametrize("kind", LARGE)
def test_no_file_takes_more_memory_than_a_row_may(kind: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_bytes(LARGE[kind]())
        tracemalloc.start()
        try:
            refusals = 0
            try:
                with open_table(path, LAYOUT) as table:
                    refusals = sum(isinstance(found, Refusal) for found in table.rows())
            except Unreadable as unreadable:
                refusals = len(unreadable.refusals)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert refusals > 0, kind
    assert most < 150_000_000, (kind, most)


def test_days_and_nothing_are_written_as_they_are() -> None:
    file = io.BytesIO()
    columns = (Column("day", "day", "day"), Column("none", "none", "text"))
    written(Format.CSV, Sheet("Table", columns), [Line((date(2026, 1, 31), None), {})], file)
    assert cells_of(file.getvalue()) == ["2026-01-31", ""]


def test_any_number_of_refused_rows_are_counted_without_being_remembered() -> None:
    tally = Tally()
    tracemalloc.start()
    try:
        for line in range(2, 150_002):
            shown = tally.refuse("invoice", [Refusal("ragged-row", "table.csv", line)])
            assert len(shown) == 1
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert tally.refused_rows == 150_000
    assert len(tally.refusals) == MOST_KEPT
    assert tally.refuse("payment", [Refusal("ragged-row", "table.csv", 2)]) == []
    assert tally.refuse("payment", [Refusal("ragged-row", "table.csv", 150_001)]) == []
    assert tally.refused_rows == 150_000
    assert ("table.csv", 2) in tally.refused_lines
    assert ("table.csv", 1) not in tally.refused_lines
    assert ("another.csv", 2) not in tally.refused_lines
    assert ("table.csv", 10**9) not in tally.refused_lines
    assert most < 40_000_000
