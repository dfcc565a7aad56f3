"""Every refusal there is has its sentence in Chinese and in English, with every value it names."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from string import Formatter
from typing import Any, get_args

import pytest
from pydantic.fields import FieldInfo
from pydantic_core import core_schema

from aggregates.base import DomainError, value_names
from api.answers.field_codes import OURS
from api.answers.refusals import STATUS
from api.texts import LANGUAGES, Language, catalogue, field_text, joined, preferred, problem_text
from commands import ALL
from commands.fields.faults import FAULT_CODES
from projections.engine.lists.refused import QueryRefused

ROOMS = ("aggregates", "policy", "ledger", "commands", "projections")
NOT_OURS = """
    no_such_attribute json_type needs_python_object frozen_field frozen_instance get_attribute_error json_invalid
    dataclass_exact_type named_tuple_type default_factory_not_called iterable_type iteration_error frozen_dict_type
    ordered_dict_type counter_type deque_type set_item_not_hashable bytes_type bytes_too_short bytes_too_long
    bytes_invalid_encoding missing_sentinel_error ellipsis_error time_type time_parsing time_delta_type
    time_delta_parsing is_instance_of is_subclass_of callable_type arguments_type missing_argument
    unexpected_keyword_argument missing_keyword_only_argument unexpected_positional_argument
    missing_positional_only_argument multiple_argument_values url_type url_parsing url_syntax_violation url_too_long
    url_scheme fraction_type fraction_parsing complex_type complex_str_parsing"""
"""Errors of kinds of fields that no command has; that there is none is what the next test checks."""


def refusals() -> Iterator[type[DomainError]]:
    """Every kind of refusal in the rooms below."""
    for room in ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            importlib.import_module(module.name)
    waiting = [DomainError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind is not DomainError and kind.__module__.split(".")[0] in ROOMS:
            yield kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_a_text_that_names_only_values_it_has(language: Language) -> None:
    texts = catalogue(language)
    for kind in refusals():
        section = "fields" if issubclass(kind, QueryRefused) else "problems"
        assert kind.code in texts[section], f"{kind.code} has no text in {language}"
        template = texts[section][kind.code]
        template = template if isinstance(template, str) else template["detail"]
        assert set(_names(template)) <= value_names(kind) | {"code"}, kind.code


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_validation_error_has_a_text(language: Language) -> None:
    fields = catalogue(language)["fields"]
    assert set(OURS) == set(get_args(core_schema.ErrorType)) - set(NOT_OURS.split())
    assert set(OURS.values()) - set(fields) == set()
    assert set(FAULT_CODES) - set(fields) == set()


def test_codes_of_fields_are_our_own() -> None:
    assert [code for code in catalogue("en")["fields"] if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)] == []


def test_a_sentence_never_lists_nothing() -> None:
    listing = {code for code, text in catalogue("en")["fields"].items() if "{accepted}" in text}
    assert field_text("unknown-parameter", {"accepted": ()}, "en") == "is not a known parameter; none is known here"
    assert {"unknown-field", "unknown-parameter", "unfit-filter-value"} <= listing & set(catalogue("en")["bare"])


def test_what_several_fields_are_told_is_one_sentence() -> None:
    said = [("name", "is required"), ("", "does not fit")]
    assert joined(said, 2, "en") == "name: is required; does not fit"
    assert joined(said, 5, "zh-CN") == "name：is required；does not fit；另有 3 处"
    assert joined([], 0, "en") == "Something in it does not fit."


def test_commands_have_only_kinds_of_fields_whose_errors_have_texts() -> None:
    unforeseen = {"bytes", "time", "timedelta", "url", "complex", "callable", "is-instance", "generator", "arguments"}
    for command in ALL:
        assert unforeseen & set(_kinds(command.__pydantic_core_schema__)) == set(), command.__name__
        assert all(isinstance(field, FieldInfo) for field in command.model_fields.values())


def _kinds(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield schema["type"]
        for name, inner in schema.items():
            if name not in ("metadata", "serialization", "ref"):
                yield from _kinds(inner)
    elif isinstance(schema, (list, tuple)):
        for inner in schema:
            yield from _kinds(inner)


def test_both_languages_say_the_same_things() -> None:
    chinese, english = catalogue("zh-CN"), catalogue("en")
    for section in ("problems", "fields", "kinds", "things", "bare", "reasons", "joining"):
        assert set(chinese[section]) == set(english[section]), section
        for code, text in english[section].items():
            other = chinese[section][code]
            assert sorted(set(_names(_whole(text)))) == sorted(set(_names(_whole(other)))), code


def _whole(text: Any) -> str:
    return text if isinstance(text, str) else f"{text['title']} {text['detail']}"


def _names(template: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(template) if name]


def test_every_status_belongs_to_a_refusal_that_exists() -> None:
    assert set(STATUS) <= {kind.code for kind in refusals()}


def test_what_a_client_wrote_is_shown_back_only_as_it_can_be_sent() -> None:
    title, detail = problem_text("duplicate-key", {"name": "a\ud800\0{x}"}, "en")
    assert title == "A name stands twice in the body"
    assert detail.encode()
    assert "{x}" in detail
    assert field_text("no-such-code", {}, "zh-CN") == "不符合要求（no-such-code）"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("zh", "zh-CN"),
        ("zh-Hans-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr, zh;q=0.3, en;q=0.2", "zh-CN"),
        ("zh;q=0, en", "en"),
        ("zh;q=nonsense", "en"),
        ("*", "en"),
        (";;;,,,=", "en"),
    ],
)
def test_the_language_follows_the_header(header: str | None, language: str) -> None:
    assert preferred(header) == language
