"""What a customer is found by."""

from __future__ import annotations

import pytest

from projections.tracking.spelling import folded, pairs, search_text, sort_key


def test_a_name_is_found_as_written_as_pinyin_and_by_initials() -> None:
    """DAT-4."""
    lines = search_text(False, "重庆长城音乐有限公司", "曾国藩", "C202405001", None).split("\n")
    assert lines == [
        "重庆长城音乐有限公司",
        "chongqingchangchengyinyueyouxiangongsi",
        "cqccyyyxgs",
        "曾国藩",
        "zengguofan",
        "zgf",
        "c202405001",
    ]


@pytest.mark.parametrize(
    ("written", "meant"), [("ＡＢＣ　科技", "abc 科技"), ("  Acme   Ltd ", "acme ltd"), ("ﬁne", "fine")]
)
def test_width_capitals_and_spaces_make_no_difference(written: str, meant: str) -> None:
    assert folded(written) == meant


def test_a_family_name_is_read_as_one_only_where_a_person_is_meant() -> None:
    assert sort_key(True, "单雄信") == "shan xiong xin 单雄信"
    assert sort_key(False, "单证公司") == "dan zheng gong si 单证公司"


def test_names_sort_as_a_dictionary_does() -> None:
    names = ["张三", "安达", "重庆", "Acme", "成都", "绿地"]
    assert sorted(names, key=lambda name: sort_key(False, name) or "") == [
        "Acme", "安达", "成都", "重庆", "绿地", "张三",
    ]  # fmt: skip


def test_pairs_come_from_what_is_written_in_chinese_each_once() -> None:
    assert pairs("科技科技", None, "A001", "王五") == ["科技", "技科", "王五"]
    assert pairs(None, "李") == []


def test_without_names_there_is_nothing_to_find() -> None:
    """A customer whose data was erased."""
    assert search_text(False, None, None, "C202405001", None) == "c202405001"
    assert sort_key(False, None) is None
