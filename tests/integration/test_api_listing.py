"""Lists on the real database: every sort in pages gives every row once, in order, empty values included."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import permutations, product
from typing import Any, Literal

import psycopg
import pytest

from projections.engine.lists.cursor import Cursors
from projections.engine.lists.filtering import Column
from projections.engine.lists.listing import Listing
from projections.engine.lists.query import Filter, Query
from projections.engine.lists.refused import UnfitCursor

Rows = psycopg.Connection[Any]
CURSORS = Cursors(b"secret")
NULLS: tuple[Literal["largest", "smallest"], ...] = ("largest", "smallest")


def listing(nulls: Literal["largest", "smallest"]) -> Listing:
    return Listing(
        columns={
            "id": Column("id", "number", sortable=True, nullable=False),
            "name": Column("name", "text", sortable=True, nulls=nulls),
            "amount": Column("amount", "decimal", sortable=True, nulls=nulls),
            "day": Column("day", "date", sortable=True, nulls=nulls),
            "state": Column("state", "enum", choices=("open", "won"), nullable=False, sortable=True),
            "at": Column("at", "instant", sortable=True, nulls=nulls),
            "marks": Column("marks", "tags"),
            "late": Column("(day IS NOT NULL AND day < %(on)s)", "bool", nullable=False),
        },
        search=("name",),
        default_sort="name",
    )


@pytest.fixture(scope="module")
def rows(server: str) -> Iterator[Rows]:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            "CREATE TEMPORARY TABLE things (id integer PRIMARY KEY, name text, amount numeric, day date, state text, "
            "at timestamptz, marks text[])"
        )
        chance = random.Random(3)
        moment = datetime(2026, 1, 1, 1, 1, 1, 123456, tzinfo=UTC)
        for number in range(60):
            connection.execute(
                "INSERT INTO things VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [
                    number,
                    chance.choice([None, "a", "b", "c%", "d_", "云"]),
                    chance.choice([None, 1, 2, Decimal("2.5")]),
                    chance.choice([None, date(2026, 1, 1), date(2026, 1, 2)]),
                    chance.choice(["open", "won"]),
                    chance.choice([None, moment]),
                    chance.choice([None, [], ["x"], ["x", "y"]]),
                ],
            )
        yield connection


def expected(rows: Rows, sort: str, nulls: str) -> list[int]:
    """The order in plain SQL."""
    keys = []
    for word in sort.split(","):
        down = word.startswith("-")
        last = (nulls == "largest") != down
        keys.append(f"{word.removeprefix('-')} {'DESC' if down else 'ASC'} NULLS {'LAST' if last else 'FIRST'}")
    tie = "id DESC" if sort.split(",")[-1].startswith("-") else "id"
    found = rows.execute(f"SELECT id FROM things ORDER BY {', '.join(keys)}, {tie}".encode()).fetchall()
    return [number for (number,) in found]


@pytest.mark.parametrize("nulls", NULLS)
@pytest.mark.parametrize("number", [1, 2])
def test_pages_give_every_row_once_in_order(rows: Rows, nulls: Literal["largest", "smallest"], number: int) -> None:
    shelf = listing(nulls)
    for names in permutations(("name", "amount", "day", "state", "at", "id"), number):
        for signs in product(("", "-"), repeat=number):
            sort = ",".join(sign + name for sign, name in zip(signs, names, strict=True))
            query = Query(sort=sort, limit=17, cursors=CURSORS)
            found: list[int] = []
            while True:
                page = shelf.page(rows, query, source="things", params={"on": date(2026, 1, 2)})
                found += [item["id"] for item in page.items]
                if page.next is None:
                    break
                query = Query(sort=sort, limit=17, cursor=page.next, cursors=CURSORS)
            assert found == expected(rows, sort, nulls), sort


@pytest.mark.parametrize(
    ("field", "op", "value", "condition"),
    [
        ("name", "eq", "a", "name = 'a'"),
        ("name", "ne", "a", "name IS DISTINCT FROM 'a'"),
        ("name", "contains", "%", "strpos(name, '%') > 0"),
        ("name", "contains", "_", "strpos(name, '_') > 0"),
        ("name", "contains", "C", "strpos(name, 'c') > 0"),
        ("name", "contains", "'; DROP TABLE things; --", "FALSE"),
        ("name", "in", "a,云", "name IN ('a', '云')"),
        ("name", "isnull", "true", "name IS NULL"),
        ("name", "isnull", "false", "name IS NOT NULL"),
        ("amount", "gte", "2", "amount >= 2"),
        ("amount", "in", "1,2.5", "amount IN (1, 2.5)"),
        ("day", "lt", "2026-01-02", "day < '2026-01-02'"),
        ("at", "eq", "2026-01-01T09:01:01.123456+08:00", "at IS NOT NULL"),
        ("id", "lte", "10", "id <= 10"),
        ("marks", "contains", "x", "'x' = ANY(marks)"),
        ("marks", "in", "y,z", "'y' = ANY(marks)"),
        ("marks", "isnull", "true", "coalesce(cardinality(marks), 0) = 0"),
        ("late", "eq", "true", "day < '2026-01-02'"),
    ],
)
def test_filters_find_what_they_say(rows: Rows, field: str, op: str, value: str, condition: str) -> None:
    query = Query(filters=(Filter(field, op, value),), limit=200, include_total=True)
    page = listing("largest").page(rows, query, source="things", params={"on": date(2026, 1, 2)})
    found = rows.execute(f"SELECT id FROM things WHERE {condition} ORDER BY id".encode()).fetchall()
    assert sorted(item["id"] for item in page.items) == [number for (number,) in found]
    assert page.total == len(found)


def test_a_cursor_belongs_to_its_filter_sort_and_scope(rows: Rows) -> None:
    shelf = listing("largest")
    query = Query(sort="name", limit=5, scope="here", cursors=CURSORS)
    cursor = shelf.page(rows, query, source="things", params={"on": date(2026, 1, 2)}).next
    for other in (
        Query(sort="-name", limit=5, scope="here", cursor=cursor, cursors=CURSORS),
        Query(sort="name", limit=5, scope="there", cursor=cursor, cursors=CURSORS),
        Query(sort="name", limit=5, scope="here", q="a", cursor=cursor, cursors=CURSORS),
        Query(sort="name", filters=(Filter("id", "gt", "1"),), scope="here", cursor=cursor, cursors=CURSORS),
        Query(sort="name", limit=5, scope="here", cursor=cursor, cursors=Cursors(b"other")),
    ):
        with pytest.raises(UnfitCursor):
            shelf.page(rows, other, source="things", params={"on": date(2026, 1, 2)})
