"""Writes the approved example of every event version that has none yet; what is approved is never written again."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import is_dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin
from uuid import NAMESPACE_URL, UUID, uuid5

from aggregates.base import Event, ImportedRow, personal_fields
from aggregates.registry import event_classes
from ledger.encoded.codec import encode, is_sealed, subject_of
from ledger.encoded.forms import body_fields, form_of, stored_type
from ledger.new_keys import NewKeys
from ledger.sealing import Keyring

FOLDER = Path(__file__).parent
EXAMPLE_KEY = bytes(range(32))
"""Guards nothing: the examples are to be opened for ever, by anybody."""
RECORDED_AT = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
KNOWN = {
    "lifecycle": "won",
    "currency": "CNY",
    "kind": "company",
    "stage": "negotiation",
    "method": "phone",
    "intent": "yes",
    "time_zone": "Asia/Shanghai",
    "market": "b2b",
}


def path_of(topic: str, version: int) -> Path:
    """Where the example of a version stands."""
    return FOLDER / f"{topic}.v{version}.json"


def example(event_class: type[Event]) -> Event:
    """An event with something in every field."""
    topic = form_of(event_class).topic
    body = {name: value_for(name, stored_type(hint)) for name, hint in body_fields(event_class).items()}
    if "changed" in body:
        body["changed"] = tuple(name for name in body if name not in ("changed", "contact_id", "former_name"))
    begins = {"originator_topic": topic.partition(".")[0]} if form_of(event_class).begins_aggregate else {}
    make: Any = event_class
    event: Event = make(
        originator_id=uuid5(NAMESPACE_URL, topic),
        originator_version=1 if begins else 7,
        timestamp=RECORDED_AT,
        actor="member:0d7c2f5e-8c1b-5a0e-9d7d-2f1f0a6f7a11",
        command_id=uuid5(NAMESPACE_URL, f"{topic} command"),
        source="api",
        reason="乱写的原因",
        imported=ImportedRow("sheet", "7", "sha256:00"),
        customer_id=uuid5(NAMESPACE_URL, f"{topic} customer"),
        **begins,
        **body,
    )
    return event


def value_for(name: str, hint: Any) -> Any:
    """Something that a field of this type may hold."""
    args = [each for each in get_args(hint) if each is not NoneType]
    if get_origin(hint) is tuple:
        return (value_for(name, args[0]),)
    if args:
        return value_for(name, args[0])
    if is_dataclass(hint):
        return hint(**{field: value_for(field, str) for field in hint.__dataclass_fields__})  # type: ignore[operator]
    if hint is datetime:
        return datetime.combine(date(2026, 2, 3), time(16, 30, 15, 250), tzinfo=UTC)
    return {
        str: KNOWN.get(name, f"{name} 值"),
        int: 3,
        bool: True,
        Decimal: Decimal("1234.50"),
        date: date(2026, 2, 3),
        UUID: uuid5(NAMESPACE_URL, name),
    }[hint]


def serialised(event: Event) -> dict[str, Any]:
    """The event as it stands in the ledger, with the key of its person, and what it must read as."""
    keyring, new = Keyring(None, EXAMPLE_KEY), NewKeys()
    shape = form_of(type(event))
    state = json.loads(encode(event, keyring, new))
    keys = {}
    if is_sealed(event):
        wrapped = new.wrapped(subject_of(event))
        assert wrapped is not None
        keys[str(subject_of(event))] = b64encode(wrapped).decode()
    return {
        "topic": shape.topic,
        "originator_id": str(event.originator_id),
        "originator_version": event.originator_version,
        "recorded_at": event.timestamp.isoformat(),
        "customer_id": str(event.customer_id),
        "state": state,
        "keys": keys,
        "opened": {name: getattr(event, name) for name in sorted(personal_fields(type(event)))},
    }


def main() -> None:
    """Write what is missing."""
    for topic, event_class in event_classes().items():
        path = path_of(topic, form_of(event_class).class_version)
        if not path.exists():
            text = json.dumps(serialised(example(event_class)), ensure_ascii=False, indent=2)
            path.write_text(text + "\n", encoding="utf-8")
            print(path.name)


if __name__ == "__main__":
    main()
