"""Events as the API shows them: what happened, to what, by whom, with personal fields opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from ledger.encoded.forms import FastEvent, body_fields, form
from ledger.sealing import Keyring
from policy.masking import MASKED_FIELDS, masked


@cache
def _names(topic: str) -> tuple[str, ...]:
    return tuple(body_fields(form(topic).event_class))


def shown(events: Sequence[FastEvent], keyring: Keyring, opens: Callable[[UUID | None], bool]) -> list[dict[str, Any]]:
    """The events, ready for JSON; a personal field whose key was destroyed is null.

    `opens` says of which customers contact details are shown as they are; those of others are masked.
    """
    keyring.open_blobs([blob for event in events if (blob := event.blob) is not None])
    return [_one(event, keyring, is_open=opens(event.customer_id)) for event in events]


def _one(event: Any, keyring: Keyring, *, is_open: bool) -> dict[str, Any]:
    data = {name: _plain(keyring.open(getattr(event, name))) for name in _names(event.topic)}
    if not is_open:
        data = {name: masked(value) if name in MASKED_FIELDS else value for name, value in data.items()}
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
        "data": data,
    }


def _plain(value: Any) -> Any:
    """What msgspec cannot write by itself."""
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
