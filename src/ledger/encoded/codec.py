"""Events into bytes and back: JSON in clear, with the personal fields sealed in one part."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.utils import get_topic

from aggregates.base import Event, ImportedRow
from ledger.encoded.forms import FastEvent, form, form_of
from ledger.errors import Malformed
from ledger.new_keys import NewKeys
from ledger.sealing import Keyring

__all__ = ["FastEvent", "decode", "encode", "fast", "to_event"]

_write = msgspec.json.Encoder().encode


def fast(topic: str) -> Callable[[bytes], FastEvent]:
    """What reads the stored states of a topic; raises UnknownTopic."""
    return form(topic).decode


def encode(event: Event, keyring: Keyring, new: NewKeys) -> bytes:
    """The stored state of an event; what is None by default is left out. Keys that are made for it go into `new`.

    Raises SubjectErased.
    """
    shape = form_of(type(event))
    values = vars(event)
    state: dict[str, Any] = {"class_version": shape.class_version} if shape.class_version > 1 else {}
    for name, even_none in shape.clear:
        value = values[name]
        if value is not None or even_none:
            state[name] = value
    if event.imported is not None:
        state["imported"] = _stored_row(event.imported)
    if shape.personal:
        secret = {name: values[name] for name in shape.personal if values[name] is not None}
        if secret:
            subject = subject_of(event)
            state["sealed"] = keyring.seal(subject, event.originator_id, event.originator_version, secret, new)
    return _write(state)


def _stored_row(row: ImportedRow) -> dict[str, str]:
    """As rows were stored before one could replace another, where this one replaces none."""
    stored = {"profile": row.profile, "key": row.key, "digest": row.digest}
    return stored if row.replaces is None else stored | {"replaces": row.replaces}


def subject_of(event: Event) -> UUID:
    """Whom the personal fields of an event are about."""
    subject = getattr(event, form_of(type(event)).subject)
    if not isinstance(subject, UUID):
        raise TypeError(f"{type(event).__qualname__} has personal fields and nobody in {form_of(type(event)).subject}")
    return subject


def is_sealed(event: Event) -> bool:
    """It has personal fields with something in them."""
    values = vars(event)
    return any(values[name] is not None for name in form_of(type(event)).personal)


def decode(
    topic: str,
    state: bytes,
    *,
    originator_id: UUID,
    originator_version: int,
    recorded_at: datetime | None,
    customer_id: UUID | None,
    position: int = 0,
) -> FastEvent:
    """One stored event with the columns of its row; raises UnknownTopic, Malformed."""
    try:
        event = form(topic).decode(state)
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise Malformed(f"{topic} v{originator_version} of {originator_id}: {error}") from error
    event.position = position
    event.originator_id = originator_id
    event.originator_version = originator_version
    event.recorded_at = recorded_at
    event.customer_id = customer_id
    return event


def to_event(event: FastEvent, keyring: Keyring) -> Event:
    """The library's event with its personal fields opened; those of a destroyed key read as None."""
    shape = form(event.topic)
    values: dict[str, Any] = {
        "originator_id": event.originator_id,
        "originator_version": event.originator_version,
        "timestamp": event.recorded_at,
        "customer_id": event.customer_id,
    }
    if shape.begins_aggregate:
        values["originator_topic"] = get_topic(shape.aggregate_class)
    for name, _ in shape.clear:
        values[name] = getattr(event, name)
    if shape.personal:
        blob = event.blob
        opened = {} if blob is None else keyring.open_blob(blob)
        for name in shape.personal:
            values[name] = opened.get(name)
    result = object.__new__(shape.event_class)
    object.__setattr__(result, "__dict__", values)
    return result
