"""What auditors read: a customer's history, and everything that happened."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from aggregates.customer import Customer
from api.answers.bulk import note_bulk
from api.answers.shapes.ledger import History
from api.reads.records import require_seen
from api.requests.asking import AFTER, AS_OF, ID, ON, TOPIC, Asked, Parameter
from api.requests.reading import Moment, add_read, json_response, looking_at
from api.services import Services
from projections.engine.lists.cursor import Cursors
from projections.history import queries
from projections.history.labels import Lang
from projections.history.records import Reading

LIMIT = Parameter("limit", "number", "Events a page.", 50, least=1, most=200)
CURSOR = Parameter("cursor", "text", "`next` of the page before, with everything else the same.")
ORDER = Parameter("order", "enum", "Newest first unless it is said otherwise.", choices=("newest", "oldest"))
LANG = Parameter(
    "lang", "enum", "The language of the sentences; that of Accept-Language otherwise.", choices=("zh", "en")
)
PAGED = (ON, AS_OF, AFTER, ORDER, LANG, LIMIT, CURSOR)
ACTOR = Parameter("actor", "text", "Only what these did, with commas between.", "import:maven-pipeline", many=True)
SOURCE = Parameter(
    "source", "text", "Only what came through these doors.", choices=("api", "web", "import", "rule"), many=True
)
CUSTOMER = Parameter("customer_id", "uuid", "Only what belongs to this customer.")
AGGREGATE = Parameter("aggregate_id", "uuid", "Only what happened to this record.")
COMMAND = Parameter("command_id", "uuid", "Only what this one command did.")
FROM = Parameter("recorded_from", "instant", "Recorded at this moment or later.", "2026-01-01T00:00:00+08:00")
UNTIL = Parameter("recorded_until", "instant", "Recorded before this moment.", "2026-02-01T00:00:00+08:00")


def list_customer_history(crm: Services, asked: Asked) -> Any:
    """Everything that happened with a customer, its opportunities and receivables included.

    Each event as a sentence, with what was there before and after it, who did it, when, and through which door.
    """
    with looking_at(crm, "history", asked) as moment:
        found = _page(crm, asked, moment, {"customer_id": asked.id})
    if not found["items"]:
        require_seen(crm.ledger.load(Customer, asked.id), asked.sight)
    return _told(found, asked)


def list_audit_events(crm: Services, asked: Asked) -> Any:
    """Everything that happened in the workspace, to filter by what, who, where from and when."""
    names = ("customer_id", "aggregate_id", "command_id", "recorded_from", "recorded_until")
    given = {name: asked.get(name) for name in names}
    given |= {f"{name}s": asked.get(name, ()) for name in ("topic", "actor", "source")}
    with looking_at(crm, "history", asked) as moment:
        found = _page(crm, asked, moment, given)
    note_bulk(crm, asked.actor, "read-audit", asked.sight, found)
    return _told(found, asked)


def _page(crm: Services, asked: Asked, moment: Moment, given: dict[str, Any]) -> dict[str, Any]:
    lang = lang_of(asked)
    upto = None if asked.as_of is None else moment.position
    wanted = queries.Asked(**given, upto=upto, on=asked.on)
    newest_first = asked.get("order") != "oldest"
    cursors, question = Cursors(crm.cursor_secret), _question(asked.actor.id, wanted, newest_first)
    page = queries.events(
        Reading(moment.connection, crm.keyring, moment.opened),
        lang=lang,
        asked=wanted,
        newest_first=newest_first,
        beyond=asked.beyond(cursors, question),
        limit=asked.get("limit", 50),
    )
    following = None if page.next is None else cursors.write([page.next], question)
    return {"items": page.items, "next": following, "position": moment.position}


def lang_of(asked: Asked) -> Lang:
    """The language of the sentences."""
    lang: Lang = asked.get("lang") or ("zh" if asked.language == "zh-CN" else "en")
    return lang


def _told(page: dict[str, Any], asked: Asked) -> Response:
    """The answer, which says in which language its sentences are."""
    language = "zh-CN" if lang_of(asked) == "zh" else "en"
    return json_response(page, headers={"Content-Language": language, "Vary": "Accept-Language"})


def _question(viewer: str, wanted: queries.Asked, newest_first: bool) -> bytes:
    return b"history" + msgspec.json.encode([viewer, asdict(wanted), newest_first])


def add_history_reads(router: APIRouter) -> None:
    """Puts these reads on the router."""
    add_read(
        router,
        "/customers/{id}/history",
        list_customer_history,
        shows=History,
        action="read-history",
        takes=(ID, *PAGED),
    )
    filters = (TOPIC, ACTOR, SOURCE, CUSTOMER, AGGREGATE, COMMAND, FROM, UNTIL)
    add_read(router, "/audit/events", list_audit_events, shows=History, action="read-audit", takes=(*PAGED, *filters))
