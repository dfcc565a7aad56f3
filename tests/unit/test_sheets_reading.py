"""Reading a file: every row with its line, every refusal with its place, and good rows lost to none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sheets.reading import Column, Layout, Refusal, Row, Unreadable, inspect, open_table
from sheets.reading.records import LONGEST_CELL, LONGEST_LINE, MOST_LINES

LAYOUT = Layout((Column("no", ("no",)), Column("name", ("name", "名称")), Column("amount", ("amount",))))
CHINESE = Layout((Column("no", ("编号",)), Column("name", ("名称",))))


def write(folder: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "table.csv"
    path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
    return path


def read(path: Path, layout: Layout = LAYOUT, encoding: str | None = None) -> tuple[list[Row], list[Refusal]]:
    with open_table(path, layout, encoding=encoding) as table:
        found = list(table.rows())
    return [r for r in found if isinstance(r, Row)], [r for r in found if isinstance(r, Refusal)]


def refused(path: Path, layout: Layout = LAYOUT, encoding: str | None = None) -> tuple[Refusal, ...]:
    with pytest.raises(Unreadable) as unreadable:
        read(path, layout, encoding)
    return unreadable.value.refusals


def test_rows_come_with_their_lines_and_every_cell_as_text(tmp_path: Path) -> None:
    rows, refusals = read(write(tmp_path, 'no,name,amount\r\n0007,Acme ,1.50\r\n\r\n,,\r\n8,"a, ""b""\nc",2\r\n9,Z,3'))
    assert refusals == []
    assert [(row.line, row.cells) for row in rows] == [
        (2, {"no": "0007", "name": "Acme", "amount": "1.50"}),
        (5, {"no": "8", "name": 'a, "b"\nc', "amount": "2"}),
        (7, {"no": "9", "name": "Z", "amount": "3"}),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(tmp_path: Path, end: str) -> None:
    rows, refusals = read(write(tmp_path, end.join(("no,name,amount", "1,A,2", "2,B,3"))))
    assert ([row.line for row in rows], refusals) == ([2, 3], [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_shows_the_known_headings(tmp_path: Path, delimiter: str) -> None:
    rows, _ = read(
        write(
            tmp_path,
            f"no{delimiter}name{delimiter}amount\n1{delimiter}a,b;c|d\t{delimiter}2\n".replace(
                "a,b;c|d\t", '"a,b;c|d"'
            ),
        )
    )
    assert rows[0].cells == {"no": "1", "name": "a,b;c|d", "amount": "2"}


@pytest.mark.parametrize(
    ("encoding", "found", "how"),
    [
        ("utf-8", "utf-8", "certain"),
        ("utf-8-sig", "utf-8-sig", "mark"),
        ("utf-16", "utf-16", "mark"),
        ("utf-32", "utf-32", "mark"),
        ("gb18030", "gb18030", "heading"),
        ("gbk", "gb18030", "heading"),
    ],
)
def test_an_encoding_is_found_when_there_is_no_doubt(tmp_path: Path, encoding: str, found: str, how: str) -> None:
    path = write(tmp_path, "编号,名称\n001,上海跟进科技有限公司\n", encoding)
    rows, refusals = read(path, CHINESE)
    assert (rows[0].cells, refusals) == ({"no": "001", "name": "上海跟进科技有限公司"}, [])
    inspection = inspect(path, headings=CHINESE.headings)
    assert (inspection.encoding.name, inspection.encoding.how) == (found, how)


def test_gbk_under_ascii_headings_is_refused_until_it_is_stated(tmp_path: Path) -> None:
    path = write(tmp_path, "no,name,amount\n1,Acme,2\n2,跟进科技,3\n", "gbk")
    (refusal,) = refused(path)
    assert (refusal.code, refusal.line, refusal.value) == ("wrong-encoding", 3, "0xB8")
    assert refusal.values == {"encoding": "utf-8", "byte": "0xB8", "offset": 26}
    rows, _ = read(path, encoding="gbk")
    assert rows[1].cells["name"] == "跟进科技"


def test_latin_1_is_refused_and_not_taken_for_chinese(tmp_path: Path) -> None:
    path = write(tmp_path, "no,name,amount\n1,Café Müller,2\n", "iso-8859-1")
    assert [r.code for r in refused(path)] == ["wrong-encoding"]
    assert read(path, encoding="windows-1252")[0][0].cells["name"] == "Café Müller"


def test_a_short_text_that_fits_two_encodings_is_not_guessed(tmp_path: Path) -> None:
    """These four bytes are 协会 in GBK and two Cyrillic letters in UTF-8."""
    assert "协".encode("gbk") == b"\xd0\xad"
    path = write(tmp_path, b"no,name,amount\n1,\xd0\xad\xd0\xad,2\n")
    assert [(r.code, r.values) for r in refused(path)] == [("ambiguous-encoding", {"candidates": "utf-8, gb18030"})]
    assert read(path, encoding="gb18030")[0][0].cells["name"] == "协协"
    assert read(path, encoding="utf-8")[0][0].cells["name"] == "ЭЭ"


def test_european_text_in_utf_8_is_not_held_up(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path, "no,name,amount\n1,Café Müller,2\n2,Иван,3\n"))
    assert [row.cells["name"] for row in rows] == ["Café Müller", "Иван"]


def test_bytes_cut_off_in_the_middle_of_a_character_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "no,name,amount\n1,跟进,2\n3,进".encode()[:-1])
    assert [(r.code, r.line) for r in refused(path)] == [("wrong-encoding", 3)]


def test_a_wrong_byte_far_into_a_large_file_is_found_at_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, b"no,name,amount\n" + b"1,Acme,2\n" * 200_000 + b"2,\xff,3\n")
    (refusal,) = refused(path)
    assert (refusal.line, refusal.values["offset"]) == (200_002, 15 + 9 * 200_000 + 2)


def test_a_stated_encoding_must_not_contradict_the_mark(tmp_path: Path) -> None:
    path = write(tmp_path, "no,name,amount\n1,A,2\n", "utf-16")
    assert [r.code for r in refused(path, encoding="gbk")] == ["encoding-contradicts-mark"]
    assert [r.code for r in refused(path, encoding="klingon")] == ["unknown-encoding"]


def test_utf_16_without_a_mark_must_be_stated(tmp_path: Path) -> None:
    path = write(tmp_path, "no,name,amount\n1,进,2\n", "utf-16-le")
    assert refused(path)[0].code in ("wrong-encoding", "missing-column")
    assert read(path, encoding="utf-16-le")[0][0].cells["name"] == "进"


@pytest.mark.parametrize(("content", "code"), [(b"", "empty-file"), (b"\n\n \n", "empty-file")])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    assert [r.code for r in refused(write(tmp_path, content))] == [code]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert [r.code for r in refused(tmp_path / "none.csv")] == ["unreadable-file"]


def test_a_missing_column_is_named_with_what_would_do(tmp_path: Path) -> None:
    (refusal,) = refused(write(tmp_path, "no,title,amount\n1,A,2\n"))
    assert (refusal.code, refusal.line, refusal.column) == ("missing-column", 1, "name")
    assert refusal.values == {"accepted": "name, 名称", "found": "no, title, amount"}


def test_a_column_that_stands_there_twice_is_refused(tmp_path: Path) -> None:
    assert [(r.code, r.column) for r in refused(write(tmp_path, "no,name,amount,名称\n1,A,2,B\n"))] == [
        ("duplicate-column", "name")
    ]


def test_headings_match_without_case_width_and_blanks_and_others_are_told(tmp_path: Path) -> None:
    with open_table(write(tmp_path, "\ufeffNO, Name ,ＡＭＯＵＮＴ,extra,\n1,A,2,x,\n"), LAYOUT) as table:
        assert table.unknown == ("extra",)
        assert [row.cells for row in table.rows() if isinstance(row, Row)] == [{"no": "1", "name": "A", "amount": "2"}]


def test_a_heading_below_titles_is_found_when_the_layout_allows_it(tmp_path: Path) -> None:
    path = write(tmp_path, "Sales 2020\n\nfrom,to\nno,name,amount\n1,A,2\n")
    titled = Layout(LAYOUT.columns, heading_within=3)
    assert [row.line for row in read(path, titled)[0]] == [5]
    assert {r.code for r in refused(path)} == {"missing-column"}


def test_a_ragged_row_is_refused_and_the_others_stand(tmp_path: Path) -> None:
    rows, refusals = read(write(tmp_path, "no,name,amount\n1,A\n2,B,3\n3,C,4,5\n"))
    assert [row.line for row in rows] == [3]
    assert [(r.code, r.line, r.value, r.values) for r in refusals] == [
        ("ragged-row", 2, "1,A", {"cells": 2, "expected": 3}),
        ("ragged-row", 4, "3,C,4,5", {"cells": 4, "expected": 3}),
    ]


def test_a_cell_under_no_heading_is_refused(tmp_path: Path) -> None:
    rows, refusals = read(write(tmp_path, "no,name,amount,\n1,A,2,\n2,B,3,lost\n"))
    assert ([row.line for row in rows], [(r.code, r.line, r.value) for r in refusals]) == (
        [2],
        [("cell-without-heading", 3, "lost")],
    )


def test_nul_in_a_cell_is_refused_with_its_column(tmp_path: Path) -> None:
    rows, refusals = read(write(tmp_path, b"no,name,amount\n1,A\x00B,2\n2,B,3\n"))
    assert [row.line for row in rows] == [3]
    assert [(r.code, r.line, r.column, r.value) for r in refusals] == [("nul-in-cell", 2, "name", r"A\x00B")]


def test_a_huge_cell_is_refused_and_shown_short(tmp_path: Path) -> None:
    longest = "x" * LONGEST_CELL
    rows, refusals = read(write(tmp_path, f"no,name,amount\n1,{longest},2\n2,{longest}x,3\n3,{longest * 5},4\n4,D,5\n"))
    assert [row.line for row in rows] == [2, 5]
    assert [(r.code, r.line) for r in refusals] == [("cell-too-long", 3), ("cell-too-long", 4)]
    assert all(len(r.value or "") <= 80 for r in refusals)


def test_a_line_without_end_is_refused_without_being_held_in_memory(tmp_path: Path) -> None:
    endless = "1," * LONGEST_LINE
    rows, refusals = read(write(tmp_path, f"no,name,amount\n{endless}\n2,B,3\n"))
    assert [row.line for row in rows] == [3]
    assert [(r.code, r.line) for r in refusals] == [("line-too-long", 2)]


def test_text_after_a_closing_quote_is_refused(tmp_path: Path) -> None:
    rows, refusals = read(write(tmp_path, 'no,name,amount\n1,"A"B,2\n2,C,3\n'))
    assert [row.line for row in rows] == [3]
    assert [(r.code, r.line, r.value) for r in refusals] == [("text-after-quote", 2, '1,"A"B,2')]


@pytest.mark.parametrize(
    "after",
    ["2,B,3\n3,C,4\n", '2,"B",3\n3,C,4\n', '2,"B, Ltd",3\n3,C,4\n', '2,B,3\n3,"C",4\n', '2,B,"3"\n3,C,4\n'],
)
def test_a_quote_that_is_never_closed_costs_its_own_line_only(tmp_path: Path, after: str) -> None:
    rows, refusals = read(write(tmp_path, 'no,name,amount\n0,Z,1\n1,"A,2\n' + after))
    assert [(r.code, r.line) for r in refusals] == [("quote-not-closed", 3)]
    assert [row.line for row in rows] == [2, 4, 5]


def test_an_open_quote_does_not_read_the_whole_file(tmp_path: Path) -> None:
    good = "".join(f"{n},B,3\n" for n in range(MOST_LINES * 3))
    rows, refusals = read(write(tmp_path, 'no,name,amount\n1,"A,2\n' + good))
    assert ([r.code for r in refusals], len(rows)) == (["quote-not-closed"], MOST_LINES * 3)


def test_a_broken_heading_is_refused(tmp_path: Path) -> None:
    assert refused(write(tmp_path, 'no,"name,amount\n1,A,2\n'))[0].code == "quote-not-closed"
