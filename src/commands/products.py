"""What can be asked for about products."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from aggregates.product import Product
from commands.base import Changed, Command, CreatingCommand, Work
from commands.fields import Code, CurrencyField, Label, Line, Money


class Description(BaseModel):
    """What is known of a product beside its name."""

    code: Code | None = None
    series: Label | None = Field(None, description="The series it belongs to.")
    price: Money | None = Field(None, description="The list price.")
    currency: CurrencyField | None = Field(None, description="Of the price.")


PRODUCT_FIELDS = ("name", *Description.model_fields)


class AddProduct(Description, CreatingCommand):
    """Add a product to the list; its name must be new."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "GTX Pro", "series": "GTX", "price": "4821"}]})

    name: Line

    def create(self, work: Work) -> Changed:
        """Add the product."""
        given = self.given(*PRODUCT_FIELDS)
        if self.price is not None:
            given["currency"] = self.currency or work.settings.currency
        return (Product.add(work.new_id(), **given),)


class ReviseProduct(Description, Command):
    """Change what is known of the product: only what is given, null clears it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"price": "4990.00"}]})

    name: Line | None = Field(None, description="It can be changed, not cleared.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Revise the product."""
        product = work.load(Product, to)
        given = self.given(*PRODUCT_FIELDS)
        if self.price is not None and "currency" not in given and product.data["currency"] is None:
            given["currency"] = work.settings.currency
        product.revise(**given)
        return (product,)
