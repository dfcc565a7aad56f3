"""The catalogue of events is up to date, and what was approved once loads for ever."""

from __future__ import annotations

import json
from base64 import b64decode
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from aggregates.base import personal_fields
from aggregates.registry import event_classes
from events.approve import EXAMPLE_KEY, FOLDER, example, path_of
from ledger.catalogue import markdown
from ledger.encoded.codec import decode, encode, to_event
from ledger.encoded.forms import form
from ledger.new_keys import NewKeys
from ledger.sealing import Keyring

APPROVED = sorted(FOLDER.glob("*.v*.json"))
DOCUMENT = Path(__file__).parents[2] / "docs" / "events.md"


def test_the_document_says_what_the_code_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == markdown(), "run: python -m ledger.catalogue"


@pytest.mark.parametrize("topic", event_classes())
def test_every_event_has_an_approved_example(topic: str) -> None:
    assert path_of(topic, form(topic).class_version) in APPROVED, "run: python tests/events/approve.py"


@pytest.mark.parametrize("topic", event_classes())
def test_every_event_is_explained(topic: str) -> None:
    assert (event_classes()[topic].__doc__ or "").rstrip().endswith(".")


@pytest.mark.parametrize("path", APPROVED, ids=lambda path: path.stem)
def test_an_approved_example_loads_both_ways(path: Path) -> None:
    approved = json.loads(path.read_text(encoding="utf-8"))
    keyring = Keyring(None, EXAMPLE_KEY)
    for subject, wrapped in approved["keys"].items():
        keyring.take_over(UUID(subject), b64decode(wrapped), keyring.standing())
    fast = decode(
        approved["topic"],
        json.dumps(approved["state"], ensure_ascii=False, separators=(",", ":")).encode(),
        originator_id=UUID(approved["originator_id"]),
        originator_version=approved["originator_version"],
        recorded_at=datetime.fromisoformat(approved["recorded_at"]),
        customer_id=UUID(approved["customer_id"]),
    )
    event = to_event(fast, keyring)

    assert {name: keyring.open(getattr(fast, name)) for name in approved["opened"]} == approved["opened"]
    assert {name: getattr(event, name) for name in approved["opened"]} == approved["opened"]
    for name in form(approved["topic"]).clear:
        assert getattr(event, name[0]) == getattr(fast, name[0])
    if f".v{form(approved['topic']).class_version}." in path.name:
        assert as_json(event) == {k: v for k, v in approved["state"].items() if k != "sealed"}
        assert set(approved["opened"]) == personal_fields(type(event))


def as_json(event: Any) -> dict[str, Any]:
    """What the event is written as now, without its sealed part, which is never the same twice."""
    state: dict[str, Any] = msgspec.json.decode(encode(event, Keyring(None, EXAMPLE_KEY), NewKeys()))
    state.pop("sealed", None)
    return state


@pytest.mark.parametrize("topic", event_classes())
def test_an_example_fills_every_field(topic: str) -> None:
    event = example(event_classes()[topic])
    assert all(value is not None for value in vars(event).values())
