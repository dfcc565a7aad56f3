"""Events as the API shows them: what happened, to what, by whom, with personal fields opened."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from ledger.encoded.forms import FastEvent, body_fields, form
from ledger.sealing import Keyring


@cache
def _names(topic: str) -> tuple[str, ...]:
    return tuple(body_fields(form(topic).event_class))


def shown(events: Sequence[FastEvent], keyring: Keyring) -> list[dict[str, Any]]:
    """The events, ready for JSON; a personal field whose key was destroyed is null."""
    keyring.open_blobs([blob for event in events if (blob := event.blob) is not None])
    return [_one(event, keyring) for event in events]


def _one(event: Any, keyring: Keyring) -> dict[str, Any]:
    return {
        "position": event.position,
        "id": event.originator_id,
        "version": event.originator_version,
        "topic": event.topic,
        "recorded_at": event.recorded_at,
        "customer_id": event.customer_id,
        "actor": event.actor,
        "command_id": event.command_id,
        "source": event.source,
        "reason": event.reason,
        "data": {name: _plain(keyring.open(getattr(event, name))) for name in _names(event.topic)},
    }


def _plain(value: Any) -> Any:
    """What msgspec cannot write by itself."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
