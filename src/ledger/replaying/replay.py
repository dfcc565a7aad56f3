"""Replaying: an aggregate from its stored events, quickly."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from eventsourcing.domain import BaseAggregate, CanMutateAggregate, DecoratedFuncCaller, decorated_funcs

from aggregates.base import Event
from ledger.encoded.codec import to_event
from ledger.encoded.forms import FastEvent, form
from ledger.errors import Malformed
from ledger.sealing import Keyring

Aggregate = BaseAggregate[UUID]


@dataclass(frozen=True)
class Applier:
    """How one kind of event changes its aggregate, and which of its fields that takes."""

    apply: Callable[..., None] | None
    names: tuple[str, ...]
    personal: frozenset[str]
    as_library_does: bool


@cache
def applier(topic: str) -> Applier:
    """The method that is marked with this event, to be called without the library's event in between."""
    shape = form(topic)
    function = decorated_funcs.get(shape.event_class)
    names = tuple(inspect.signature(function).parameters)[1:] if function else ()
    return Applier(
        apply=function,
        names=names,
        personal=frozenset(names) & frozenset(shape.personal),
        as_library_does=shape.begins_aggregate or _has_an_apply_of_its_own(shape.event_class),
    )


def _has_an_apply_of_its_own(event_class: type[Event]) -> bool:
    return any(
        "apply" in vars(each) for each in event_class.__mro__ if each not in (CanMutateAggregate, DecoratedFuncCaller)
    )


def replay(aggregate: Aggregate | None, events: Iterable[FastEvent], keyring: Keyring) -> Aggregate | None:
    """Let everything happen again that the events say; gives what the library's own `mutate` would."""
    steps = [(event, applier(event.topic)) for event in events]
    blobs = (event.blob for event, step in steps if step.personal or step.as_library_does)
    keyring.open_blobs([blob for blob in blobs if blob is not None])
    for event, step in steps:
        if step.as_library_does:
            aggregate = to_event(event, keyring).mutate(aggregate)
            continue
        if aggregate is None or event.originator_version != aggregate.version + 1:
            raise Malformed(
                f"version {event.originator_version} of {event.originator_id} does not follow the one before"
            )
        if step.apply is not None:
            step.apply(aggregate, **_arguments(event, step, keyring))
        aggregate.version = event.originator_version
        aggregate.modified_on = event.recorded_at  # type: ignore[assignment]
    return aggregate


def _arguments(event: FastEvent, step: Applier, keyring: Keyring) -> dict[str, Any]:
    if not step.personal:
        return {name: getattr(event, name) for name in step.names}
    blob = event.blob
    opened = {} if blob is None else keyring.open_blob(blob)
    return {name: opened.get(name) if name in step.personal else getattr(event, name) for name in step.names}
