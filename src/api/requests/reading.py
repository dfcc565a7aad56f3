"""Reads: what is asked is checked, a read model is looked at, and the answer says up to which position it knows."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.answers.bulk import note_bulk
from api.answers.encoding import to_json
from api.answers.problems import FieldFault, Problem, invalid
from api.limits.queueing import bulkhead
from api.requests.asking import Asked, Parameter, ask, listing_parameters
from api.requests.days import business_day
from api.requests.identity import identify
from api.services import Services, services_of
from ledger.errors import NotFound
from policy import Actor
from projections.engine.failures import NotBuilt, StillBuilding
from projections.engine.lists.listing import Listing, Page
from projections.engine.lists.refused import MaskedField

LIVE_SECONDS, COPY_SECONDS = 5.0, 10.0
"""How long a request waits for a position to be visible, and for a copy as of a moment to be built."""
Connection = Any
Reading = Callable[[Services, Asked], Any]


@dataclass(frozen=True)
class Moment:
    """A read model as it is looked at: its connection, the last position in it, and the business day asked about.

    `opened` are the customers whose contact details may be shown as they are; None for all.
    """

    connection: Connection
    position: int
    on: date
    opened: frozenset[UUID] | None = None


@contextmanager
def looking_at(crm: Services, projection: str, asked: Asked) -> Iterator[Moment]:
    """The read model now, or as of the moment asked about, with at least the position asked for in it."""
    as_of = None if asked.as_of is None else crm.ledger.position_at(asked.as_of)
    require_reached(crm, asked.after)
    on = asked.on or business_day(crm, asked.as_of, as_of)
    patience = 0.0 if not asked.may_wait else LIVE_SECONDS if as_of is None else COPY_SECONDS
    with crm.reader.at(projection, as_of, asked.after, patience, asked.sight) as view:
        yield Moment(view.connection, view.position, on, view.opened)


def require_reached(crm: Services, after: int | None) -> None:
    """A position that does not exist yet is not waited for."""
    if after and after > (head := crm.ledger.head()):
        raise invalid(FieldFault("query", "/after", "position-ahead", {"after": after, "head": head}))


def paged(page: Page, moment: Moment) -> dict[str, Any]:
    """A page of a list as it is answered."""
    shown: dict[str, Any] = {"items": page.items, "next": page.next, "position": moment.position, "on": moment.on}
    if page.total is not None:
        shown["total"] = page.total
    return shown


def one_record(kind: str, id: UUID, found: dict[str, Any] | None, moment: Moment) -> Response:
    """One record of a read model as it is answered, with its version; raises NotFound when there is none."""
    if found is None:
        raise NotFound(kind, id)
    shown = found | {"position": moment.position, "on": moment.on}
    return json_response(shown, headers={"ETag": f'"{found["version"]}"'})


def add_read(
    router: APIRouter,
    path: str,
    reading: Reading,
    *,
    shows: type[BaseModel],
    action: str,
    takes: Sequence[Parameter] = (),
    listing: Listing | None = None,
    tag: str | None = None,
    also: Sequence[str] = (),
) -> None:
    """Puts a read on the router: identity, policy, parameters, the read itself in a thread, and its documentation.

    `also` are the media types in which it answers beside JSON.
    """
    said = inspect.cleandoc(reading.__doc__ or "")
    summary, _, more = said.partition("\n")
    documented = [parameter.openapi for parameter in takes]
    if listing is not None:
        documented += listing_parameters(listing)
    other = {media_type: {"schema": {"type": "string"}, "example": ""} for media_type in also}
    router.add_api_route(
        path,
        _endpoint(reading, tuple(takes), listing, action),
        methods=["GET"],
        response_model=shows,
        name=reading.__name__,
        operation_id=reading.__name__,
        summary=summary,
        description=more.strip() or summary,
        tags=[tag or path.split("/")[1]],
        openapi_extra={"parameters": documented} | ({"responses": {"200": {"content": other}}} if other else {}),
    )


def _endpoint(
    reading: Reading, takes: tuple[Parameter, ...], listing: Listing | None, action: str
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        actor = await identify(request)
        crm = services_of(request)
        asked = ask(request, takes, listing, crm.cursor_secret, actor)
        read = partial(_read, crm, reading, actor=actor, action=action, listing=listing, takes=takes)
        if asked.as_of is not None:
            return await bulkhead(request, "moments").run(request, read, asked)
        with suppress(NotBuilt):
            return await run_in_threadpool(read, replace(asked, may_wait=False))
        return await bulkhead(request, "waiting-reads").run(request, read, asked)

    return endpoint


def _read(
    crm: Services,
    reading: Reading,
    asked: Asked,
    actor: Actor,
    action: str,
    listing: Listing | None,
    takes: tuple[Parameter, ...],
) -> Response:
    sight = crm.policy.sight(actor, action)
    asked.require(takes)
    if listing is not None and not sight.is_unmasked:
        _refuse_masked(listing, asked, crm.policy.roles_for("see-contacts"))
    try:
        shown = reading(crm, replace(asked, sight=sight))
        note_bulk(crm, actor, action, sight, shown)
    except StillBuilding as building:
        return being_built(building)
    return shown if isinstance(shown, Response) else json_response(shown)


def _refuse_masked(listing: Listing, asked: Asked, roles: tuple[str, ...]) -> None:
    try:
        listing.refuse_masked(asked.query)
    except MaskedField as refused:
        values = {**refused.values, "roles": roles}
        fault = FieldFault("query", f"/{refused.parameter}", refused.code, values)
        raise Problem(403, refused.code, values, [fault]) from None


def being_built(building: StillBuilding) -> Response:
    """202: the copy as of that moment takes longer than a request may; it says where to follow it."""
    where = f"/api/v1/projections/{building.projection}/copies/{building.job_id}"
    shown = {"job_id": building.job_id, "projection": building.projection, "state": "building", "follow": where}
    return json_response(shown, 202, {"Location": where, "Retry-After": "2"})


def json_response(shown: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """The answer as JSON: amounts as decimal strings with two decimals, moments in UTC."""
    return Response(to_json(shown), status_code=status, headers=headers, media_type="application/json")
