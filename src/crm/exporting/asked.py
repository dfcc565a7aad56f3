"""What an export is asked for: read and refused as the API reads and refuses it, before a row is fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from api.answers.problems import Problem, document
from api.answers.refusals import problem_of
from api.reads import history
from api.requests.asking import AS_OF, ON, TOPIC
from projections.engine.lists.listing import Listing
from projections.engine.lists.query import Query
from projections.pipeline import OPPORTUNITIES
from projections.receivables import OVERDUE, RECEIVABLES
from projections.tracking.columns import LISTING as TRACKING

LISTINGS: Mapping[str, Listing] = {
    "tracking": TRACKING,
    "opportunities": OPPORTUNITIES,
    "receivables": RECEIVABLES,
    "overdue": OVERDUE,
}
ABOUT_HISTORY = {
    each.name: each
    for each in (
        TOPIC,
        history.ACTOR,
        history.SOURCE,
        history.CUSTOMER,
        history.AGGREGATE,
        history.COMMAND,
        history.FROM,
        history.UNTIL,
    )
}
ORDERS = {None: False, "position": False, "-position": True}
"""Whether the newest events come first, by what is sorted by."""


class Unanswerable(Exception):
    """The question does not fit the table; the message says why, and what would."""


@dataclass(frozen=True)
class Asked:
    """A question to one table: the day, the moment of knowledge, and what to filter and sort by."""

    table: str
    on: date | None
    as_of: datetime | None
    query: Query
    events: Mapping[str, Any]
    newest_first: bool


def asked_of(
    table: str,
    *,
    on: str | None = None,
    as_of: str | None = None,
    filters: Sequence[str] = (),
    q: str | None = None,
    sort: str | None = None,
) -> Asked:
    """The question in typed values. Raises Unanswerable."""
    try:
        pairs = [_pair(each) for each in filters]
        day, moment = None if on is None else ON.read(on), None if as_of is None else AS_OF.read(as_of)
        if table == "history":
            return Asked(table, day, moment, Query(), _about_events(pairs, q), _is_newest_first(sort))
        own = [(name, value) for name, value in (("q", q), ("sort", sort)) if value is not None]
        query = Query.parse([*pairs, *own])
        LISTINGS[table].check(query)
        return Asked(table, day, moment, query, {}, newest_first=False)
    except Unanswerable:
        raise
    except Exception as error:
        raise Unanswerable(why(error)) from None


def why(error: Exception) -> str:
    """The sentence the API has for a refusal; what is no refusal is raised again."""
    problem = problem_of(error)
    if problem is None:
        raise error
    return _sentence(problem)


def _sentence(problem: Problem) -> str:
    shown = document(problem, "en", "")
    faults = [f"{each['pointer'].lstrip('/')}: {each['message']}" for each in shown["errors"]]
    return "; ".join(faults) or str(shown["detail"])


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or name in ("q", "sort", "cursor", "limit", "include_total"):
        raise Unanswerable(f"A filter is written field[op]=value, as in 'amount[gte]=1000', and not {text!r}.")
    return name, value


def _about_events(pairs: Sequence[tuple[str, str]], q: str | None) -> dict[str, Any]:
    known = ", ".join(f"{name}=..." for name in ABOUT_HISTORY)
    if q is not None:
        raise Unanswerable(f"The history cannot be searched; it can be filtered by {known}.")
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name not in ABOUT_HISTORY or name in found:
            raise Unanswerable(f"The history is filtered by {known}, each once, and not by {name!r}.")
        found[name] = ABOUT_HISTORY[name].read(value)
    return {f"{name}s" if name in ("topic", "actor", "source") else name: value for name, value in found.items()}


def _is_newest_first(sort: str | None) -> bool:
    if sort not in ORDERS:
        raise Unanswerable(f"The history is sorted by position or -position, and not by {sort!r}.")
    return ORDERS[sort]
