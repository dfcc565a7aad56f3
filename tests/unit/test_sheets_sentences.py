"""Every refusal and remark of an import has its sentence in both languages, with its values in it."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import sheets
from sheets.reading import Refusal
from sheets.sentences import SENTENCES, sentence

SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in Path(sheets.__file__ or "").parent.rglob("*.py"))
RAISED = re.compile(r'(?:Refusal|Misfit|refuse|remarks\.add|_wrong_heading|Broken)\(\s*"([a-z-]+)"')


def test_every_code_that_is_raised_has_a_sentence() -> None:
    raised = set(RAISED.findall(SOURCE)) | {"quote-not-closed", "text-after-quote", "line-too-long", "cell-too-long"}
    assert raised >= {"ragged-row", "not-a-date", "missing-column", "unknown-reference", "alias-applied"}
    assert raised <= set(SENTENCES)


def test_every_sentence_belongs_to_a_code_that_is_raised() -> None:
    assert [code for code in SENTENCES if f'"{code}"' not in SOURCE.replace(f'    "{code}": {{', "")] == []


@pytest.mark.parametrize("code", SENTENCES)
def test_both_languages_tell_the_same_values(code: str) -> None:
    told = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in SENTENCES[code].values()]
    assert set(SENTENCES[code]) == {"en", "zh"}
    assert told[0] == told[1]


def test_a_sentence_has_its_values() -> None:
    refusal = Refusal("ragged-row", "a.csv", 2, values={"cells": 2, "expected": 3})
    assert sentence(refusal) == "the row has 2 cells, the heading 3"
    assert sentence(refusal, "zh") == "该行有 2 个单元格,标题有 3 个"


def test_refusals_of_others_are_left_to_who_knows_them() -> None:
    refusal = Refusal("before-issued", "a.csv", 2, values={"issued_on": "2013-01-02"})
    assert sentence(refusal, "zh", lambda code, values, language: f"{language}:{code}") == "zh:before-issued"
    assert sentence(refusal) == "before-issued (issued_on 2013-01-02)"


def test_a_changed_row_tells_its_columns_with_what_is_recorded() -> None:
    differences = [
        {"column": "amount", "recorded": "5", "found": "6"},
        {"column": "name", "recorded": None, "found": "B"},
    ]
    changed = Refusal("changed-row", "a.csv", 2, values={"differences": differences})
    assert sentence(changed) == (
        "the row has changed since it was imported (amount: recorded as '5', in the file '6'; "
        "name: recorded otherwise than 'B'); the change is reported, not applied"
    )
    assert "amount:记录为 '5',文件中是 '6';name:" in sentence(changed, "zh")
