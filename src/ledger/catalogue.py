"""The catalogue of events: what can happen, told from the code; `python -m ledger.catalogue` writes docs/events.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin
from uuid import UUID

from aggregates.base import Aggregate, Event, personal_fields
from aggregates.registry import ALL, event_classes
from ledger.encoded.forms import body_fields, form_of, stored_type

_INTRODUCTION = """\
# Events

What can happen, written by `python -m ledger.catalogue` from the code (a test keeps it up to date). A topic and its
fields are never given another meaning: a new field is optional, anything else is a new version with an upcast, or a new
event. An approved example of every version stands in `tests/events/` and loads for ever.

## What every event has

| where | name | what it is |
|---|---|---|
| column | `position` | the place in the ledger: 1, 2, 3 and so on, in the order of commits |
| column | `originator_id`, `originator_version` | the aggregate it happened to, and the number in its history |
| column | `topic` | what happened |
| column | `recorded_at` | when it was recorded, by the clock of the database; never earlier than the event before |
| column | `customer_id` | the customer it belonged to when recorded; none for what concerns the whole workspace |
| column | `chain` | SHA-256 of the chain before and of this row; see below |
| state | `actor` | who did it: `member:<id>`, `rule:<name>` or `import:<batch>` |
| state | `command_id` | the same for all events of one request |
| state | `source` | the door it came through: `api`, `web`, `import`, `rule` |
| state | `reason` | why, where somebody said so |
| state | `imported` | the profile, the key and the digest of the imported row that it came from |
| state | `sealed` | the personal fields, encrypted (AES-256-GCM) with the key of the person they are about |
| state | `class_version` | the version of the event's fields; 1 where it is not named |

The state is JSON: ids, dates, moments and amounts are texts. A field that is none is left out. Personal fields (**P**)
read as none once the key of their person is destroyed.

**The chain.** The chain of an event is SHA-256 of the chain before it (before the first one, the 16 bytes of the
ledger's random id) and of position, originator_id, originator_version, topic, recorded_at, customer_id and state, each
after its length: four bytes, the highest first. Whole numbers are eight bytes, the time is in microseconds since
2000-01-01 UTC, no customer is the length -1 (that is how `COPY ... (FORMAT binary)` sends a row).
"""

_KINDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    bool: "yes or no",
    Decimal: "decimal",
    date: "date",
    datetime: "moment",
    UUID: "id",
}


def markdown() -> str:
    """The whole catalogue."""
    return "\n".join([_INTRODUCTION, *(line for aggregate in ALL for line in _aggregate(aggregate))]).rstrip() + "\n"


def _aggregate(aggregate: type[Aggregate]) -> Iterator[str]:
    topic: str = vars(aggregate)["TOPIC"]
    yield f"## {topic}"
    yield ""
    yield _sentence(aggregate)
    yield ""
    for name, event_class in event_classes().items():
        if name.partition(".")[0] == topic:
            yield from _event(name, event_class)


def _event(topic: str, event_class: type[Event]) -> Iterator[str]:
    version = form_of(event_class).class_version
    yield f"### {topic}" + (f" (version {version})" if version > 1 else "")
    yield ""
    yield _sentence(event_class)
    if event_class.claims is not Event.claims:
        yield f"*Claims:* {_sentence(event_class.claims)}"
    if personal_fields(event_class):
        yield f"*Sealed for:* `{event_class.SUBJECT}`."
    yield ""
    rows = list(_fields(event_class))
    if rows:
        yield from ("| field | type | |", "|---|---|---|", *rows, "")


def _fields(event_class: type[Event]) -> Iterator[str]:
    defaults = {each.name: each.default for each in fields(event_class)}
    sealed = personal_fields(event_class)
    for name, hint in body_fields(event_class).items():
        notes = ["**P**"] if name in sealed else []
        default = defaults[name]
        if default is not MISSING and default is not None:
            notes.append(f"otherwise `{str(default).lower() if isinstance(default, bool) else default}`")
        yield f"| `{name}` | {_kind(stored_type(hint))} | {', '.join(notes)} |"


def _kind(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        parts = [_kind(each) for each in get_args(hint) if each is not NoneType]
        return " or ".join(parts) + (" or none" if NoneType in get_args(hint) else "")
    if get_origin(hint) is tuple:
        return f"list of {_kind(get_args(hint)[0])}"
    if is_dataclass(hint):
        return "{" + ", ".join(f"`{each.name}`" for each in fields(hint)) + "}"
    return _KINDS.get(hint) or str(getattr(hint, "__name__", hint))


def _sentence(thing: Any) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((thing.__doc__ or "").strip().partition("\n\n")[0].split())


if __name__ == "__main__":
    Path(sys.argv[1] if len(sys.argv) > 1 else "docs/events.md").write_text(markdown(), encoding="utf-8")
