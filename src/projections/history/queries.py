"""What can be asked of the history: one customer's, or everything that happened, with filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from projections.history.fields import plan
from projections.history.labels import Lang
from projections.history.names import names_in
from projections.history.records import Reading, Record, at_positions, beginnings, contacts_added, records
from projections.history.sentences import Past, Telling

DEFAULT_LIMIT = 50


@dataclass(frozen=True)
class Asked:
    """Which events: every condition given must hold.

    `upto` is the last position known (`as_of`); `on` the last business day; `recorded_from` and `recorded_until` bound
    the recorded time, the latter excluded.
    """

    customer_id: UUID | None = None
    aggregate_id: UUID | None = None
    command_id: UUID | None = None
    topics: Sequence[str] = ()
    actors: Sequence[str] = ()
    sources: Sequence[str] = ()
    upto: int | None = None
    on: date | None = None
    recorded_from: datetime | None = None
    recorded_until: datetime | None = None


@dataclass(frozen=True)
class HistoryPage:
    """Some of the events; `next` is the position to go on from (`beyond`), None at the end."""

    items: list[dict[str, Any]]
    next: int | None


CONDITIONS: tuple[tuple[str, LiteralString], ...] = (
    ("customer_id", "e.customer_id = %(customer_id)s"),
    ("aggregate_id", "e.originator_id = %(aggregate_id)s"),
    ("command_id", "e.command_id = %(command_id)s"),
    ("topics", "e.topic = ANY(%(topics)s)"),
    ("actors", "e.actor = ANY(%(actors)s)"),
    ("sources", "e.source = ANY(%(sources)s)"),
    ("upto", "e.position <= %(upto)s"),
    ("on", "e.occurred_on <= %(on)s"),
    ("recorded_from", "e.recorded_at >= %(recorded_from)s"),
    ("recorded_until", "e.recorded_at < %(recorded_until)s"),
)


def of_customer(
    reading: Reading,
    customer_id: UUID,
    *,
    lang: Lang = "zh",
    asked: Asked | None = None,
    newest_first: bool = True,
    beyond: int | None = None,
    limit: int | None = DEFAULT_LIMIT,
) -> HistoryPage:
    """What happened with a customer, its opportunities and receivables included; all of it without a limit."""
    asked = replace(asked or Asked(), customer_id=customer_id)
    return events(reading, lang=lang, asked=asked, newest_first=newest_first, beyond=beyond, limit=limit)


def events(
    reading: Reading,
    *,
    lang: Lang = "zh",
    asked: Asked | None = None,
    newest_first: bool = True,
    beyond: int | None = None,
    limit: int | None = DEFAULT_LIMIT,
) -> HistoryPage:
    """Everything that happened, each event with its sentence and its changes."""
    where, params = _where(asked or Asked(), newest_first=newest_first, beyond=beyond)
    order: LiteralString = " ORDER BY e.position DESC" if newest_first else " ORDER BY e.position"
    params["limit"] = None if limit is None else limit + 1
    found = records(reading, where + order + " LIMIT %(limit)s", params)
    shown = found if limit is None else found[:limit]
    telling = _telling(reading, shown, lang)
    return HistoryPage(
        items=[telling.entry(record) for record in shown],
        next=shown[-1].position if len(found) > len(shown) else None,
    )


def event(reading: Reading, position: int, *, lang: Lang = "zh") -> dict[str, Any] | None:
    """The event at a position, or nothing."""
    found = at_positions(reading, [position])
    return next((_telling(reading, [each], lang).entry(each) for each in found.values()), None)


def _where(asked: Asked, *, newest_first: bool, beyond: int | None) -> tuple[LiteralString, dict[str, Any]]:
    params: dict[str, Any] = {}
    where: LiteralString = " WHERE TRUE"
    for name, condition in CONDITIONS:
        value = getattr(asked, name)
        if value is not None and value != ():
            params[name] = list(value) if name in ("topics", "actors", "sources") else value
            where += " AND " + condition
    if beyond is not None:
        params["beyond"] = beyond
        where += " AND e.position < %(beyond)s" if newest_first else " AND e.position > %(beyond)s"
    return where, params


def _telling(reading: Reading, shown: Sequence[Record], lang: Lang) -> Telling:
    """Fetches what these events refer to: former values, beginnings, names."""
    here = {record.position: record for record in shown}
    earlier = {position for record in shown for position in record.before.values() if position} - here.keys()
    at = here | at_positions(reading, earlier)
    began = {record.originator_id: record for record in shown if record.version == 1}
    began |= beginnings(reading, {record.originator_id for record in shown} - began.keys())
    contacts_of = {
        record.customer_id for record in shown if plan(record.topic).of_contact and record.customer_id is not None
    }
    past = Past(at, began, contacts_added(reading, list(contacts_of)))
    every = [*at.values(), *began.values()]
    pipelines = {str(record.get("pipeline_id")) for record in began.values() if record.get("pipeline_id")}
    return Telling(names_in(reading, every, pipelines, lang), past)
