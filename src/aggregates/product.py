"""A product: something we sell."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from eventsourcing.domain import event

from aggregates.base import Aggregate, Claim, Created, DomainError, Event
from aggregates.changes import changes


class ProductNameMissing(DomainError):
    """A product has a name: it can be changed, not cleared."""

    code = "product-name-missing"
    at = "name"


class Product(Aggregate):
    """Something we sell, at a list price if it has one (ORD-7)."""

    TOPIC = "product"

    class Added(Created):
        """A product was added to the list."""

        TOPIC = "product.added"
        name: str
        code: str | None = None
        series: str | None = None
        price: Decimal | None = None
        currency: str | None = None

        def claims(self) -> Iterator[Claim]:
            """A name belongs to one product, however it is capitalised."""
            yield Claim("product-name", self.name.casefold())

    class Revised(Event):
        """Some of it was changed: the fields that `changed` names; `former_name` is the name given up, if it was."""

        TOPIC = "product.revised"
        changed: tuple[str, ...]
        name: str | None = None
        code: str | None = None
        series: str | None = None
        price: Decimal | None = None
        currency: str | None = None
        former_name: str | None = None

        def claims(self) -> Iterator[Claim]:
            """A new name is taken and the former one is free again."""
            former, new = (self.former_name or "").casefold(), (self.name or "").casefold()
            if "name" in self.changed and former != new:
                yield Claim("product-name", former, released=True)
                yield Claim("product-name", new)

    @classmethod
    def add(cls, id: UUID, *, name: str, **rest: Any) -> Self:
        """Add it to the list: its name, and what else is known (code, series, price, currency)."""
        return cls.begin(cls.Added, id=id, customer_id=None, name=name, **rest)

    def __init__(
        self, name: str, code: str | None, series: str | None, price: Decimal | None, currency: str | None
    ) -> None:
        self.data: dict[str, Any] = {
            "name": name,
            "code": code,
            "series": series,
            "price": price,
            "currency": currency,
        }

    @property
    def name(self) -> str:
        """What it is called."""
        return str(self.data["name"])

    def revise(self, **given: Any) -> None:
        """Change the fields that are given and differ from what is known."""
        if "name" in given and given["name"] is None:
            raise ProductNameMissing
        changed = changes(self.data, given)
        if changed:
            former_name = self.name if "name" in changed else None
            self.trigger_event(self.Revised, changed=tuple(changed), former_name=former_name, **changed)

    @event(Revised)
    def _revised(
        self,
        changed: tuple[str, ...],
        name: str | None,
        code: str | None,
        series: str | None,
        price: Decimal | None,
        currency: str | None,
    ) -> None:
        new = {"name": name, "code": code, "series": series, "price": price, "currency": currency}
        self.data.update({field: new[field] for field in changed})
