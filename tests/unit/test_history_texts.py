"""The texts of the history: every event has its sentence in both languages, every field its name."""

from __future__ import annotations

import re

import pytest

from aggregates.registry import event_classes
from projections.history.fields import SET, plan
from projections.history.labels import CHOICES, FIELDS, choice_label
from projections.history.sentences import UNSAID
from projections.history.templates import gaps, rendered
from projections.history.texts import TEXTS

KNOWN_GAPS = {
    "actor",
    "what",
    "changes",
    "contact",
    "entry_number",
    "follower",
    "unanswered",
    "money",
    "former money",
}


def test_every_event_has_a_sentence_in_both_languages_and_no_sentence_is_left_over() -> None:
    assert set(TEXTS) == set(event_classes())
    assert all(zh and en and zh != en for zh, en in TEXTS.values())


@pytest.mark.parametrize("topic", sorted(TEXTS))
def test_a_sentence_only_speaks_of_what_the_event_says_and_says_the_same_in_both_languages(topic: str) -> None:
    zh, en = TEXTS[topic]
    assert gaps(zh) == gaps(en)
    known = plan(topic)
    said = {*known.clear, *known.personal, *SET.get(topic, ())}
    for gap in gaps(zh) - KNOWN_GAPS:
        assert gap.removeprefix("former ") in said, gap
    assert "actor" in gaps(zh)


@pytest.mark.parametrize("topic", sorted(TEXTS))
def test_every_field_of_an_event_has_a_name_in_both_languages(topic: str) -> None:
    known = plan(topic)
    assert {*known.clear, *known.personal} - UNSAID <= set(FIELDS)


def test_no_chinese_in_english_and_none_missing_in_chinese() -> None:
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for zh, en in [*TEXTS.values(), *FIELDS.values()]:
        assert chinese.search(zh), zh
        assert not chinese.search(en), en


def test_choices_are_shown_by_name_and_free_text_as_it_is() -> None:
    assert choice_label("customer.lifecycle-moved", "lifecycle", "won", "zh") == "成交客户"
    assert choice_label("customer.intent-set", "intent", "none", "en") == "none"
    assert choice_label("customer.follow-up-logged", "intent", "hesitating", "zh") == "有意向徘徊犹豫"
    assert choice_label("customer.registered", "lead_source", "老同学", "zh") is None
    assert choice_label("receivable.issued", "amount", "won", "zh") is None
    assert "method" in CHOICES


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"who": "张三", "from": "甲", "to": "乙"}, "张三由「甲」改为「乙」。"),
        ({"who": "张三", "to": "乙"}, "张三改为「乙」。"),
        ({}, "空改为「空」。"),
    ],
)
def test_a_part_in_brackets_is_left_out_where_a_value_is_missing(known: dict[str, str], sentence: str) -> None:
    assert rendered("{who}[由「{from}」]改为「{to}」。", lambda gap: known.get(gap, ""), "空") == sentence
