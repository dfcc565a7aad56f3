"""What a list understands of a query string, and how it says what it does not, without a database."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.engine.lists.filtering import Column, part_of
from projections.engine.lists.listing import Listing
from projections.engine.lists.query import Filter, Query
from projections.engine.lists.refused import QueryRefused
from projections.engine.lists.values import Kind, Unreadable, read_list, read_value

SHELF = Listing(
    columns={
        "id": Column("id", "uuid", nullable=False, sortable=True),
        "title": Column("title", "text", sortable=True),
        "pages": Column("pages", "number", sortable=True),
        "state": Column("state", "enum", choices=("new", "worn")),
        "marks": Column("marks", "tags"),
        "hidden": Column("hidden", "text", ops=()),
    },
    search=("title",),
    default_sort="-pages",
)


def refusal(action: Callable[[], Any]) -> QueryRefused:
    with pytest.raises(QueryRefused) as refused:
        action()
    return refused.value


def test_a_query_string_is_read_into_filters_and_the_rest() -> None:
    query = Query.parse(
        [("title[contains]", "a"), ("sort", "title"), ("limit", "7"), ("include_total", "true"), ("on", "x")],
        also=("on",),
    )
    assert query.filters == (Filter("title", "contains", "a"),)
    assert (query.sort, query.limit, query.include_total, query.q) == ("title", 7, True, None)


@pytest.mark.parametrize(
    ("pairs", "code", "parameter"),
    [
        ([("colour", "red")], "unknown-parameter", "colour"),
        ([("title[eq", "x")], "unknown-parameter", "title[eq"),
        ([("sort", "a"), ("sort", "b")], "repeated-parameter", "sort"),
        ([("limit", "0")], "unfit-limit", "limit"),
        ([("limit", "201")], "unfit-limit", "limit"),
        ([("limit", "٣")], "unfit-limit", "limit"),
        ([("include_total", "1")], "unfit-filter-value", "include_total"),
        ([("title[eq]", "x")] * 31, "too-many-filters", "title[eq]"),
    ],
)
def test_what_is_not_understood_is_named(pairs: list[tuple[str, str]], code: str, parameter: str) -> None:
    refused = refusal(lambda: Query.parse(pairs))
    assert (refused.code, refused.values["parameter"]) == (code, parameter)


@pytest.mark.parametrize(
    ("query", "code", "accepted"),
    [
        (Query(filters=(Filter("colour", "eq", "x"),)), "unknown-filter-field", "title"),
        (Query(filters=(Filter("hidden", "eq", "x"),)), "unknown-filter-field", "title"),
        (Query(filters=(Filter("title", "gt", "x"),)), "unknown-filter-operator", "contains"),
        (Query(filters=(Filter("state", "eq", "old"),)), "unfit-filter-value", "worn"),
        (Query(sort="marks"), "unknown-sort-field", "pages"),
        (Query(sort="pages,-pages"), "unknown-sort-field", "pages"),
        (Query(sort="--pages"), "unknown-sort-field", "pages"),
    ],
)
def test_a_list_says_what_it_would_accept(query: Query, code: str, accepted: str) -> None:
    refused = refusal(lambda: SHELF.check(query))
    assert refused.code == code
    assert accepted in refused.values["accepted"]


def test_a_list_without_a_search_says_so() -> None:
    refused = refusal(lambda: Listing(columns=SHELF.columns).check(Query(q="x")))
    assert (refused.code, refused.values["most"]) == ("unfit-search", 0)


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("number", "-12", -12),
        ("decimal", "12.50", Decimal("12.50")),
        ("date", "2024-02-29", date(2024, 2, 29)),
        ("instant", "2026-01-31T09:30:00+08:00", datetime(2026, 1, 31, 1, 30, tzinfo=UTC)),
        ("instant", "2026-01-31T09:30:00.5Z", datetime(2026, 1, 31, 9, 30, 0, 500_000, tzinfo=UTC)),
        ("instant", "2026-01-31T09:30:00 08:00", datetime(2026, 1, 31, 1, 30, tzinfo=UTC)),
        ("uuid", str(UUID(int=7)), UUID(int=7)),
        ("bool", "true", True),
        ("text", "云", "云"),
    ],
)
def test_values_are_typed_by_the_kind_of_their_column(kind: Kind, raw: str, value: Any) -> None:
    assert read_value(kind, raw) == value


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        ("number", "1.0"),
        ("number", "1_0"),
        ("number", "١"),
        ("number", "9" * 19),
        ("decimal", "NaN"),
        ("decimal", "1e5"),
        ("decimal", "-"),
        ("date", "2025-02-29"),
        ("date", "20250228"),
        ("instant", "2026-01-31"),
        ("instant", "2026-01-31T09:30:00"),
        ("instant", "0001-01-01T00:00:00+14:00"),
        ("uuid", "7"),
        ("uuid", "{" + str(UUID(int=7)) + "}"),
        ("bool", "yes"),
        ("text", "a\0"),
        ("text", "\ud800"),
        ("text", "x" * 501),
    ],
)
def test_what_is_no_value_of_the_kind_is_unreadable(kind: Kind, raw: str) -> None:
    with pytest.raises(Unreadable):
        read_value(kind, raw)


def test_lists_are_separated_by_commas_unless_quoted() -> None:
    assert read_list("text", 'a,"b, c"') == ["a", "b, c"]
    for raw in ("", ",".join("a" * 201), '"a'):
        with pytest.raises(Unreadable):
            read_list("text", raw)


@given(st.text())
def test_no_text_breaks_out_of_a_pattern(text: str) -> None:
    pattern = part_of(text)
    inner = pattern[1:-1]
    plain = inner.replace("\\\\", "").replace("\\%", "").replace("\\_", "")
    assert "%" not in plain
    assert "_" not in plain


@given(st.lists(st.tuples(st.text(), st.text())), st.text())
def test_no_query_string_does_anything_but_be_refused(pairs: list[tuple[str, str]], sort: str) -> None:
    with suppress(QueryRefused):
        SHELF.check(Query.parse([*pairs, ("sort", sort)]))
