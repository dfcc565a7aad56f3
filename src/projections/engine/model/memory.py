"""A fold without a database, as tests use it."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, TypeVar

from eventsourcing.utils import get_topic

from aggregates.base import Event
from projections.engine.model.declaration import Projection

P = TypeVar("P", bound=Projection)


def fold(projection: type[P], events: Iterable[Any]) -> P:
    """Fold events from empty tables: `fold(Tracking, events).customers[customer_id].follow_ups`.

    Takes events as the library makes them (positions are counted from 1, the moment they were decided serves as the
    recorded one) or as the ledger reads them.
    """
    folded = projection()
    for position, event in enumerate(events, start=1):
        folded.handle(_as_read(event, position) if isinstance(event, Event) else event)
    return folded


def _as_read(event: Event, position: int) -> SimpleNamespace:
    return SimpleNamespace(**vars(event), topic=get_topic(type(event)), position=position, recorded_at=event.timestamp)
