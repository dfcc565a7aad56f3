"""The feed: every event in order and without gaps, page by page or as a stream that never ends."""

from __future__ import annotations

import re
from asyncio import sleep
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import events
from api.answers.bulk import note_bulk
from api.answers.problems import FieldFault, Problem, invalid, malformed_header
from api.answers.shapes.ledger import Events
from api.answers.streams import HEARTBEAT, HEARTBEAT_SECONDS, Pulse, event_stream, message, wants_stream
from api.requests.asking import TOPIC, Parameter, ask
from api.requests.identity import identify
from api.requests.reading import json_response, require_reached
from api.services import Services, services_of
from ledger.errors import DatabaseAway
from ledger.follow.reading import read
from policy import Actor, Forbidden, Sight
from projections.engine.failures import NotBuilt

BATCH = 500
LOOKS_APART = 0.02
"""Seconds until it is looked again whose the newest events are."""
AFTER = Parameter("after", "number", "Begin after this position; 0 is the beginning.", 0)
LIMIT = Parameter("limit", "number", "Events a page.", 100, least=1, most=1000)
_POSITION = re.compile(r"\d{1,18}", re.ASCII)


def add_feed(router: APIRouter) -> None:
    """Puts the feed on the router."""
    takes = (AFTER, LIMIT, TOPIC)

    async def read_events(request: Request) -> Response:
        """The events after a position, in order and without gaps.

        With `Accept: text/event-stream` they come as a stream that goes on with what happens next; `Last-Event-ID`
        takes up a stream that broke off.
        """
        actor = await identify(request)
        crm = services_of(request)
        asked = ask(request, takes, None, b"")
        sight = crm.policy.sight(actor, "read-events")
        after, topics = asked.get("after", 0), asked.get("topic") or None
        last = last_event_id(request) if wants_stream(request) else None
        await run_in_threadpool(_require_written, crm, after, last)
        if wants_stream(request):
            return event_stream(_stream(request, crm, after if last is None else last, topics))
        return json_response(await run_in_threadpool(_page, crm, actor, sight, after, topics, asked.get("limit", 100)))

    router.add_api_route(
        "/events",
        read_events,
        methods=["GET"],
        response_model=Events,
        operation_id="read_events",
        summary="The events after a position, in order and without gaps",
        tags=["events"],
        openapi_extra={"parameters": [parameter.openapi for parameter in takes]},
    )


def last_event_id(request: Request) -> int | None:
    """The position in Last-Event-ID; an empty one is what a browser sends that saw none. Raises Problem 400."""
    given = request.headers.get("last-event-id", "").strip()
    if not given:
        return None
    if not _POSITION.fullmatch(given):
        raise malformed_header("Last-Event-ID", "event-position")
    return int(given)


def _require_written(crm: Services, after: int, last: int | None) -> None:
    """Who went on from a position that does not exist yet would miss everything up to there."""
    if last is None:
        require_reached(crm, after)
    elif last > (head := crm.ledger.head()):
        values = {"after": last, "head": head}
        raise invalid(FieldFault("header", "/Last-Event-ID", "position-ahead", values))


def _page(
    crm: Services, actor: Actor, sight: Sight, after: int, topics: tuple[str, ...] | None, limit: int
) -> dict[str, Any]:
    """The events among so many that are within sight; the position that was looked through to is told in any case.

    Whoever does not see everything is shown no further than it is known whose everything is.
    """
    head, seen = crm.ledger.head(), crm.reader.seen(sight)
    upto = head if seen.position is None else min(head, seen.position)
    with crm.database.connection(autocommit=True) as connection:
        found = [event for batch in read(connection, after, upto, topics=topics, limit=limit) for event in batch]
    shown = events.shown([event for event in found if seen.shows(event.customer_id)], crm.keyring, seen.opens)
    more = len(found) == limit and found[-1].position < upto
    page = {"items": shown, "next": found[-1].position if more else max(after, upto), "more": more, "position": head}
    note_bulk(crm, actor, "read-events", sight, page)
    return page


async def _stream(request: Request, crm: Services, after: int, topics: tuple[str, ...] | None) -> AsyncIterator[bytes]:
    pulse: Pulse = request.app.state.pulse
    spoken = monotonic()
    while not await request.is_disconnected():
        try:
            actor = await identify(request)
            sight = crm.policy.sight(actor, "read-events")
            page = await run_in_threadpool(_page, crm, actor, sight, after, topics, BATCH)
        except (Problem, Forbidden):
            return
        except (DatabaseAway, NotBuilt):
            await pulse.wait()
            continue
        for event in page["items"]:
            yield message(event["topic"], event, event["position"])
            spoken = monotonic()
        after = page["next"]
        if page["next"] < page["position"] and not page["more"]:
            await sleep(LOOKS_APART)
        elif not page["more"]:
            await pulse.wait()
        if monotonic() - spoken > HEARTBEAT_SECONDS:
            yield HEARTBEAT
            spoken = monotonic()
