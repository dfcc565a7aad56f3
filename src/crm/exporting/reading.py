"""Reads all of a table: page after page in one snapshot, so that what is written meanwhile changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, tzinfo
from typing import Any

from api.requests.days import business_day, settings_at
from crm.exporting.asked import Asked
from crm.services import Services
from policy import Actor
from projections.engine.lists.listing import Page
from projections.engine.lists.query import Query
from projections.history import queries as history
from projections.history.records import Reading
from projections.pipeline import page as opportunities
from projections.pipeline.stage_names import stage_names
from projections.receivables import overdue
from projections.receivables import page as receivables
from projections.tracking.currencies import currencies
from projections.tracking.queries import page as tracking
from sheets.writing import Line
from sheets.writing.tables import Layout
from sheets.writing.tables.headings import Lang

PAGE = 2_000
"""Rows that are in memory at a time."""
EVENTS_A_PAGE = 500
PATIENCE = 600.0
"""Seconds that a copy as of a moment may take to be built."""

Connection = Any
PAGES: Mapping[str, tuple[str, str, Callable[[Connection, Query, date], Page]]] = {
    "tracking": ("tracking", "read-tracking", tracking),
    "opportunities": ("pipeline", "read-opportunities", opportunities),
    "receivables": ("receivables", "read-receivables", receivables),
    "overdue": ("receivables", "read-receivables", overdue),
    "history": ("history", "read-audit", lambda *_: Page([])),
}
"""For each table: the read model it is in, what the policy calls reading it, and its pages."""


@dataclass(frozen=True)
class Taking:
    """A table that is open for reading to its end; `total` is None where it is not worth counting."""

    on: date
    position: int
    layout: Layout
    lines: Iterator[Line]
    total: int | None


@contextmanager
def taking(services: Services, asked: Asked, layout: Layout, lang: Lang, by: Actor) -> Iterator[Taking]:
    """Open the table as it is now, with all that was written before, or as it was known at the moment asked about.

    Raises DomainError, NotBuilt, StillBuilding, BuildFailed.
    """
    model, action, _ = PAGES[asked.table]
    services.policy.require(by, action)
    known = None if asked.as_of is None else services.ledger.position_at(asked.as_of)
    on = asked.on or business_day(services, asked.as_of, known)
    settings = services.door.settings() if known is None else settings_at(services, known)
    after = services.ledger.head() if known is None else None
    with services.reader.at(model, known, after, PATIENCE) as view:
        layout = _knowing(layout, asked.table, view.connection, lang, settings.currency)
        if asked.table == "history":
            rows, total = _events(services, asked, view.connection, view.position, lang), None
        else:
            rows, total = _rows(asked, view.connection, on), _total(asked, view.connection, on)
        yield Taking(on, view.position, layout, _lines(rows, layout, lang, settings.zone), total)


def _lines(rows: Iterator[dict[str, Any]], layout: Layout, lang: Lang, zone: tzinfo) -> Iterator[Line]:
    return (layout.line(row, lang, zone) for row in rows)


def _knowing(layout: Layout, table: str, connection: Connection, lang: Lang, currency: str) -> Layout:
    """The layout with what only the read model knows: the names of stages, and the currencies there are."""
    if table == "tracking":
        return replace(layout, currencies=currencies(connection) or (currency,))
    if table == "opportunities":
        return replace(layout, stages=stage_names(connection, lang))
    return layout


def _rows(asked: Asked, connection: Connection, on: date) -> Iterator[dict[str, Any]]:
    _, _, page_of = PAGES[asked.table]
    query: Query | None = replace(asked.query, limit=PAGE)
    while query is not None:
        page = page_of(connection, query, on)
        yield from page.items
        query = replace(query, cursor=page.next) if page.next else None


def _total(asked: Asked, connection: Connection, on: date) -> int | None:
    _, _, page_of = PAGES[asked.table]
    return page_of(connection, replace(asked.query, limit=1, include_total=True), on).total


def _events(
    services: Services, asked: Asked, connection: Connection, position: int, lang: Lang
) -> Iterator[dict[str, Any]]:
    wanted = history.Asked(**asked.events, upto=position, on=asked.on)
    beyond: int | None = None
    while True:
        page = history.events(
            Reading(connection, services.keyring),
            lang=lang,
            asked=wanted,
            newest_first=asked.newest_first,
            beyond=beyond,
            limit=EVENTS_A_PAGE,
        )
        yield from page.items
        if page.next is None:
            return
        beyond = page.next
