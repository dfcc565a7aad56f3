"""A small business to fold: shops that belong to customers, in towns that belong to nobody, and what they sell."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from eventsourcing.domain import event
from msgspec import Struct

from aggregates.base import Acting, Aggregate, Created, Event, Personal, acting
from ledger.ledger import Ledger
from ledger.outcome import Outcome
from projections.engine import Projection, folds, folds_every, table

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


class Town(Aggregate):
    """Where shops are; it concerns every customer."""

    TOPIC = "test-town"

    class Founded(Created):
        """The town is there."""

        TOPIC = "test-town.founded"
        name: str

    class Renamed(Event):
        """The town has another name."""

        TOPIC = "test-town.renamed"
        name: str

    @classmethod
    def found(cls, name: str) -> Town:
        """Found a town."""
        return cls.begin(cls.Founded, id=uuid4(), customer_id=None, name=name)

    def __init__(self, name: str) -> None:
        self.name = name

    @event(Renamed)
    def rename(self, name: str) -> None:
        """Give it another name."""
        self.name = name


class Shop(Aggregate):
    """A shop of a customer: its own, or one of several."""

    TOPIC = "test-shop"

    class Opened(Created):
        """The shop is open."""

        TOPIC = "test-shop.opened"
        town_id: UUID | None
        keeper: Personal[str | None]
        tags: tuple[str, ...]

    class Sold(Event):
        """Something was sold."""

        TOPIC = "test-shop.sold"
        item: int
        amount: Decimal
        on: date
        buyer: Personal[str | None]

    class Returned(Event):
        """Something came back."""

        TOPIC = "test-shop.returned"
        item: int

    class Closed(Event):
        """The shop is closed."""

        TOPIC = "test-shop.closed"

    class Poisoned(Event):
        """Nothing that a fold could digest."""

        TOPIC = "test-shop.poisoned"

    @classmethod
    def open(cls, owner: UUID, town_id: UUID | None, keeper: str | None, tags: tuple[str, ...]) -> Shop:
        """Open a shop."""
        return cls.begin(cls.Opened, id=uuid4(), customer_id=owner, town_id=town_id, keeper=keeper, tags=tags)

    def __init__(self, customer_id: UUID) -> None:
        self._customer_id = customer_id

    @property
    def customer_id(self) -> UUID:
        """Whose shop it is."""
        return self._customer_id

    @event(Sold)
    def sell(self, item: int, amount: Decimal, on: date, buyer: str | None) -> None:
        """Sell something."""

    @event(Returned)
    def take_back(self, item: int) -> None:
        """Take something back."""

    @event(Closed)
    def close(self) -> None:
        """Close it."""

    @event(Poisoned)
    def poison(self) -> None:
        """Do what no fold can digest."""


class TownRow(Struct):
    """A town."""

    town_id: UUID
    name: str


class ShopRow(Struct):
    """A shop and what it has taken."""

    shop_id: UUID
    customer_id: UUID
    town: str | None
    keeper: str | None
    last_buyer: str | None
    tags: tuple[str, ...]
    counts: dict[str, int]
    sales: int = 0
    takings: Decimal = Decimal(0)
    last_on: date | None = None
    last_at: datetime | None = None
    last_topic: str | None = None


class SaleRow(Struct):
    """Something sold and not returned."""

    shop_id: UUID
    item: int
    amount: Decimal
    mark: bytes


class OwnerRow(Struct):
    """Somebody who has shops."""

    customer_id: UUID
    shops: int = 0


class LineRow(Struct):
    """That something happened."""

    position: int
    customer_id: UUID | None
    topic: str


class Shops(Projection):
    """Every kind of table: shared, by one key and by two, append-only."""

    name, version = "shops", 1
    towns = table("towns", TownRow, key="town_id", shared=True)
    shops = table("shops", ShopRow, key="shop_id", indexes=("customer_id, shop_id", "sales DESC WHERE sales > 0"))
    sales = table("sales", SaleRow, key=("shop_id", "item"))
    owners = table("owners", OwnerRow, key="customer_id")
    lines = table("lines", LineRow, key="position", append_only=True)

    @folds(Town.Founded)
    def founded(self, event: Town.Founded) -> None:
        self.towns.add(TownRow(event.originator_id, event.name))

    @folds(Town.Renamed)
    def renamed(self, event: Town.Renamed) -> None:
        self.towns[event.originator_id].name = event.name

    @folds(Shop.Opened)
    def opened(self, event: Any) -> None:
        town = self.towns.get(event.town_id) if event.town_id else None
        self.shops.add(
            ShopRow(
                event.originator_id,
                event.customer_id,
                town.name if town else None,
                event.keeper,
                None,
                event.tags,
                {},
            )
        )
        owner = self.owners.get(event.customer_id)
        if owner is None:
            self.owners.add(owner := OwnerRow(event.customer_id))
        owner.shops += 1

    @folds(Shop.Sold)
    def sold(self, event: Any) -> None:
        shop = self.shops[event.originator_id]
        shop.sales += 1
        shop.takings += event.amount
        shop.last_on = event.on
        shop.last_at = event.recorded_at
        shop.last_buyer = event.buyer
        shop.counts[str(event.item)] = shop.counts.get(str(event.item), 0) + 1
        if self.sales.get((event.originator_id, event.item)) is None:
            self.sales.add(SaleRow(event.originator_id, event.item, event.amount, b"\x00\xff"))

    @folds(Shop.Returned)
    def returned(self, event: Any) -> None:
        if (event.originator_id, event.item) in self.sales:
            self.sales.remove((event.originator_id, event.item))

    @folds(Shop.Closed)
    def closed(self, event: Any) -> None:
        for sale in self.sales.of(event.originator_id):
            self.sales.remove((sale.shop_id, sale.item))
        self.shops.remove(event.originator_id)
        self.owners[event.customer_id].shops -= 1

    @folds_every
    def line(self, event: Any) -> None:
        self.lines.add(LineRow(event.position, event.customer_id, event.topic))
        shop = self.shops.get(event.originator_id)
        if shop is not None:
            shop.last_topic = event.topic


class Takings(Projection):
    """One table, few topics."""

    name, version = "takings", 1
    takings = table("takings", OwnerRow, key="customer_id")

    @folds(Shop.Sold)
    def sold(self, event: Any) -> None:
        row = self.takings.get(event.customer_id)
        if row is None:
            self.takings.add(row := OwnerRow(event.customer_id))
        row.shops += 1


class Lines(Projection):
    """Append-only tables and nothing else."""

    name, version = "lines", 1
    lines = table("lines", LineRow, key="position", append_only=True)

    @folds_every
    def line(self, event: Any) -> None:
        self.lines.add(LineRow(event.position, event.customer_id, event.topic))


class Delicate(Projection):
    """It cannot digest what is poisoned."""

    name, version = "delicate", 1
    counts = table("counts", OwnerRow, key="customer_id")

    @folds(Shop.Sold, Shop.Opened)
    def counted(self, event: Any) -> None:
        row = self.counts.get(event.customer_id)
        if row is None:
            self.counts.add(row := OwnerRow(event.customer_id))
        row.shops += 1

    @folds(Shop.Poisoned)
    def poisoned(self, event: Any) -> None:
        raise ValueError("this is poison")


@contextmanager
def working() -> Iterator[None]:
    """Somebody does something."""
    with acting(Acting("member:1", uuid4(), "api", NOW)):
        yield


class Trade:
    """Makes things happen in the shops, the same things for the same seed."""

    def __init__(self, ledger: Ledger, seed: int = 1) -> None:
        self.ledger = ledger
        self.random = random.Random(seed)
        self.shops: list[Shop] = []
        self.towns: list[Town] = []
        self.owners: list[UUID] = [uuid4() for _ in range(6)]

    def step(self) -> Outcome:
        """One thing."""
        with working():
            return self.ledger.save(*self._happens())

    def steps(self, number: int) -> int:
        """Several things; the position of the last one."""
        return max(self.step().position for _ in range(number))

    def open(self, owner: UUID | None = None) -> Shop:
        """A new shop, not saved yet."""
        town = self.random.choice(self.towns).id if self.towns else None
        shop = Shop.open(owner or self.random.choice(self.owners), town, "张三", ("new", 'a "b"'))
        self.shops.append(shop)
        return shop

    def _happens(self) -> tuple[Aggregate, ...]:
        chance = self.random.random()
        if not self.shops or chance < 0.15:
            return (self.open(),)
        if chance < 0.2:
            self.towns.append(Town.found("Suzhou"))
            return (self.towns[-1],)
        if chance < 0.25 and self.towns:
            town = self.random.choice(self.towns)
            town.rename(f"Town {self.random.randrange(100)}")
            return (town,)
        shop = self.random.choice(self.shops)
        if chance < 0.3:
            shop.close()
            self.shops.remove(shop)
        elif chance < 0.4:
            shop.take_back(self.random.randrange(4))
        else:
            amount = Decimal(self.random.randrange(10_000)) / 100
            for _ in range(self.random.randrange(1, 4)):
                shop.sell(self.random.randrange(4), amount, date(2026, 1, 1 + self.random.randrange(28)), "李四\n'")
        return (shop,)
