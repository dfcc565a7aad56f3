"""Everything there is: the aggregates, their events by topic, and the refusals by code."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from aggregates.base import Aggregate, DomainError, Event
from aggregates.customer import Customer
from aggregates.import_batch import ImportBatch
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import Pipeline
from aggregates.product import Product
from aggregates.receivable import Receivable
from aggregates.team import Team
from aggregates.workspace import Workspace

ALL: tuple[type[Aggregate], ...] = (
    Customer,
    Opportunity,
    Receivable,
    Member,
    Team,
    Product,
    Pipeline,
    Workspace,
    ImportBatch,
)


@cache
def event_classes() -> Mapping[str, type[Event]]:
    """The class of every event, by its topic."""
    return {kind.TOPIC: kind for aggregate in ALL for kind in _events_of(aggregate)}


@cache
def refusals() -> Mapping[str, type[DomainError]]:
    """Every refusal of a business rule, by its code."""
    return {refusal.code: refusal for refusal in _kinds_of(DomainError)}


def _events_of(aggregate: type[Aggregate]) -> list[type[Event]]:
    names = dict.fromkeys(name for base in reversed(aggregate.__mro__) for name in vars(base) if name != "Event")
    kinds = (vars(aggregate).get(name) for name in names)
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Event)]


def _kinds_of(refusal: type[DomainError]) -> list[type[DomainError]]:
    return [kind for direct in refusal.__subclasses__() for kind in (direct, *_kinds_of(direct))]
