"""A read model is declared by its tables and its handlers, and folds events without a database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from msgspec import Struct

from aggregates.base import Acting, Aggregate, Event, acting
from projections.engine import DuplicateRow, Projection, fold, folds, folds_every, table
from projections.engine.model.columns import UnsupportedColumn, columns_of
from projections.engine.model.rows import AppendedRows, AppendOnly

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


class Shop(Aggregate):
    """Something to fold."""

    class Opened(Event):
        """The shop is open."""

        TOPIC = "fold-shop.opened"
        city: str

    class Sold(Event):
        """Something was sold."""

        TOPIC = "fold-shop.sold"
        item: int
        amount: Decimal

    class Closed(Event):
        """The shop is closed."""

        TOPIC = "fold-shop.closed"


class ShopRow(Struct):
    """A shop."""

    shop_id: UUID
    city: str
    sales: int = 0
    takings: Decimal = Decimal(0)


class SaleRow(Struct):
    """A sale."""

    shop_id: UUID
    item: int
    amount: Decimal


class LineRow(Struct):
    """That something happened."""

    position: int
    topic: str


class Shops(Projection):
    """Shops, their sales, and what happened."""

    name, version = "shops", 1
    shops = table("shops", ShopRow, key="shop_id")
    sales = table("sales", SaleRow, key=("shop_id", "item"), indexes=("amount, shop_id",))
    lines = table("lines", LineRow, key="position", append_only=True)

    @folds(Shop.Opened)
    def opened(self, event: Shop.Opened) -> None:
        self.shops.add(ShopRow(event.originator_id, event.city))

    @folds(Shop.Sold)
    def sold(self, event: Shop.Sold) -> None:
        shop = self.shops[event.originator_id]
        shop.sales += 1
        shop.takings += event.amount
        self.sales.add(SaleRow(event.originator_id, event.item, event.amount))

    @folds(Shop.Closed)
    def closed(self, event: Shop.Closed) -> None:
        for sale in self.sales.of(event.originator_id):
            self.sales.remove((sale.shop_id, sale.item))
        self.shops.remove(event.originator_id)

    @folds_every
    def line(self, event: Event) -> None:
        self.lines.add(LineRow(event.position, event.topic))  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def envelope() -> Iterator[None]:
    with acting(Acting("member:1", uuid4(), "api", NOW)):
        yield


def made(event_class: type[Event], shop: UUID, version: int, **fields: Any) -> Event:
    return event_class(originator_id=shop, originator_version=version, timestamp=NOW, **fields)


def opened(shop: UUID, version: int = 1) -> Event:
    return made(Shop.Opened, shop, version, city="Shanghai")


def sold(shop: UUID, item: int, amount: str, version: int = 2) -> Event:
    return made(Shop.Sold, shop, version, item=item, amount=Decimal(amount))


def closed(shop: UUID, version: int = 9) -> Event:
    return made(Shop.Closed, shop, version)


def test_each_event_changes_the_rows_its_handler_says() -> None:
    shop = uuid4()
    rows = fold(Shops, [opened(shop), sold(shop, 2, "3.50"), sold(shop, 1, "1.50")])
    assert rows.shops[shop] == ShopRow(shop, "Shanghai", sales=2, takings=Decimal("5.00"))
    assert [sale.item for sale in rows.sales.of(shop)] == [1, 2]
    assert rows.sales[shop, 2].amount == Decimal("3.50")


def test_the_handler_of_every_event_sees_those_without_a_method_too() -> None:
    shop = uuid4()
    rows = fold(Shops, [opened(shop), closed(shop)])
    assert [(line.position, line.topic) for line in rows.lines] == [(1, "fold-shop.opened"), (2, "fold-shop.closed")]
    assert len(rows.shops) == 0


def test_removed_rows_are_gone_from_their_group() -> None:
    shop = uuid4()
    rows = fold(Shops, [opened(shop), sold(shop, 1, "1"), sold(shop, 2, "2"), closed(shop)])
    assert rows.sales.of(shop) == []
    assert rows.sales.get((shop, 1)) is None
    assert (shop, 1) not in rows.sales


def test_a_missing_row_is_an_error_and_not_an_empty_one() -> None:
    with pytest.raises(KeyError):
        fold(Shops, [sold(uuid4(), 1, "1")])


def test_a_taken_key_is_refused() -> None:
    shop = uuid4()
    with pytest.raises(DuplicateRow):
        fold(Shops, [opened(shop), opened(shop, 2)])


def test_only_the_topics_with_a_method_are_read_unless_every_event_is_folded() -> None:
    class Quiet(Projection):
        name, version = "quiet", 1
        shops = table("shops", ShopRow, key="shop_id")

        @folds(Shop.Opened, Shop.Closed)
        def seen(self, event: Event) -> None: ...

    assert Quiet.topics_read() == frozenset({"fold-shop.opened", "fold-shop.closed"})
    assert Shops.topics_read() is None


def test_folding_one_event_in_two_methods_is_refused() -> None:
    with pytest.raises(TypeError, match="twice"):

        class Twice(Projection):
            name, version = "twice", 1

            @folds(Shop.Opened)
            def one(self, event: Event) -> None: ...

            @folds(Shop.Opened)
            def two(self, event: Event) -> None: ...


def test_a_key_must_be_a_column() -> None:
    with pytest.raises(ValueError, match="no column"):
        table("shops", ShopRow, key="nothing")


class AllRow(Struct):
    """Every kind of column."""

    id: UUID
    text: str | None
    tags: tuple[str, ...]
    extra: dict[str, str] | None
    blob: bytes
    kind: Literal["a", "b"] | None
    on: date
    at: datetime | None
    ok: bool


def test_columns_follow_the_annotations() -> None:
    assert [(c.name, c.sql_type, c.nullable) for c in columns_of(AllRow)] == [
        ("id", "uuid", False),
        ("text", "text", True),
        ("tags", "text[]", False),
        ("extra", "jsonb", True),
        ("blob", "bytea", False),
        ("kind", "text", True),
        ("on", "date", False),
        ("at", "timestamptz", True),
        ("ok", "boolean", False),
    ]


def test_floats_are_refused() -> None:
    class Inexact(Struct):
        share: float

    with pytest.raises(UnsupportedColumn, match="float"):
        columns_of(Inexact)


def test_append_only_rows_cannot_be_read_by_a_fold() -> None:
    rows: AppendedRows[LineRow] = AppendedRows("lines", ("position",))
    rows.add(LineRow(1, "x"))
    with pytest.raises(AppendOnly):
        rows[1]
