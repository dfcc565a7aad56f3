"""What the shapes of answers share; the rows of a list are described by the list itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, create_model

from projections.engine.lists.listing import Listing
from projections.engine.lists.values import Kind

Amount = Annotated[str, Field(description="a decimal string", examples=["1200.50"])]
Position = Annotated[int, Field(description="the last position of the ledger that this answer knows", examples=[1024])]
Key = Annotated[dict[str, str | None], Field(examples=[{"region": "West", "currency": "CNY"}])]

_TYPES: dict[Kind, Any] = {
    "text": str,
    "enum": str,
    "number": int,
    "decimal": Amount,
    "date": date,
    "instant": datetime,
    "uuid": UUID,
    "bool": bool,
    "tags": list[str],
}


def row_of(name: str, listing: Listing) -> type[BaseModel]:
    """The shape of a list's rows."""
    fields: dict[str, Any] = {}
    for column_name, column in listing.columns.items():
        if column.shown:
            kind = dict[str, str] if "jsonb" in column.sql else _TYPES[column.kind]
            kind = Annotated[kind, Field(examples=[column.choices[0]])] if column.choices else kind
            fields[column_name] = (kind | None if column.nullable else kind, ...)
    made: type[BaseModel] = create_model(name, **fields)
    return made


def page_of(name: str, listing: Listing, **more: Any) -> type[BaseModel]:
    """The shape of a page of a list, whose rows have what is given beside the list's own columns."""
    row = create_model(name, __base__=row_of(f"{name}Row", listing), **more)
    made: type[BaseModel] = create_model(
        f"{name}Page",
        items=(list[row], ...),
        next=(str | None, Field(description="the cursor of the next page; null on the last")),
        total=(int | None, Field(default=None, description="only with include_total=true")),
        position=(Position, ...),
        on=(date | None, Field(description="the business day it is true of")),
    )
    return made


class AnyObject(BaseModel, extra="allow"):
    """A record with its fields."""

    position: Position
