"""Fields with a list to choose from: the key is stored; a Chinese or English name of it is understood too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints

from aggregates.choices import (
    Attitude,
    Basis,
    Category,
    Choice,
    Inclination,
    Intent,
    Interaction,
    Kind,
    LeadSource,
    Lifecycle,
    Market,
    Method,
    Result,
    Role,
    Tier,
)
from commands.fields.faults import fault
from commands.fields.text import tidy_line


def _one_of(kind: type[Choice]) -> Callable[[Any], Any]:
    def chosen(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        choice = kind.meant_by(value)
        if choice is None:
            raise fault("unknown-choice", accepted=", ".join(kind))
        return choice

    return chosen


def _known_or_free(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    source = LeadSource.meant_by(value)
    return tidy_line(value) if source is None else source.value


AttitudeField = Annotated[Attitude, BeforeValidator(_one_of(Attitude))]
BasisField = Annotated[Basis, BeforeValidator(_one_of(Basis))]
CategoryField = Annotated[Category, BeforeValidator(_one_of(Category))]
InclinationField = Annotated[Inclination, BeforeValidator(_one_of(Inclination))]
IntentField = Annotated[Intent, BeforeValidator(_one_of(Intent))]
InteractionField = Annotated[Interaction, BeforeValidator(_one_of(Interaction))]
KindField = Annotated[Kind, BeforeValidator(_one_of(Kind))]
LifecycleField = Annotated[Lifecycle, BeforeValidator(_one_of(Lifecycle))]
MarketField = Annotated[Market, BeforeValidator(_one_of(Market))]
MethodField = Annotated[Method, BeforeValidator(_one_of(Method))]
ResultField = Annotated[Result, BeforeValidator(_one_of(Result))]
RoleField = Annotated[Role, BeforeValidator(_one_of(Role))]
TierField = Annotated[Tier, BeforeValidator(_one_of(Tier))]

LeadSourceField = Annotated[
    str,
    StringConstraints(min_length=1, max_length=50),
    BeforeValidator(_known_or_free),
    Field(examples=["exhibition"]),
]
"""Where the customer comes from: one of the known sources by key or name, or a text of your own (CUS-7)."""
