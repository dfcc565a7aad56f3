"""The routes of imports: what can be imported, asking for it, following it and calling it off."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, BinaryIO

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.answers.problems import FieldFault, Problem, invalid, job_finished
from api.answers.streams import event_stream, wants_stream
from api.imports.permitted import require_permissions
from api.imports.shapes import FORM, ImportJob, ImportJobs, ImportProfiles, ImportReport
from api.imports.told import job_document, profile_document, report_document
from api.imports.uploads import uploaded
from api.limits.queueing import bulkhead
from api.requests.asking import Asked, Parameter, ask
from api.requests.following import followed
from api.requests.identity import identify
from api.requests.reading import add_read, json_response
from api.requests.standing import standing
from api.services import Services, services_of
from policy import Actor
from policy.identity.standing import require_standing
from sheets.jobs import Job, Order, book
from sheets.opening import load, names
from sheets.profile import Profile
from sheets.reading.encoding import KNOWN

RETRY_SECONDS = 30
ANSWERS = {
    "403": {"description": "A permission is missing that the profile needs; `errors` names each."},
    "429": {"description": "Too many imports are waiting."},
}
PLACE = "/api/v1/imports"
PROFILE = Parameter(
    "profile", "enum", "What the files are: one of `GET /api/v1/imports/profiles`.", "ibm-receivables", choices=names()
)
DRY_RUN = Parameter(
    "dry_run", "bool", "Check everything, the rules of the business included, and write nothing.", False
)
ENCODING = Parameter("encoding", "enum", "How the files are encoded, where that is not certain.", choices=tuple(KNOWN))
LIMIT = Parameter("limit", "number", "Imports a page.", 50, least=1, most=200)
BEFORE = Parameter("before", "uuid", "`next` of the page before.")
JOB = Parameter("id", "uuid", "The import.", "0192f0c1-7d5a-7cc3-a1b2-0123456789ab", place="path")


def list_import_profiles(crm: Services, asked: Asked) -> Any:  # noqa: ARG001 - as every reading is asked
    """What can be imported, and the files and columns that are expected."""
    return {"items": [profile_document(load(name)) for name in names()]}


def list_imports(crm: Services, asked: Asked) -> Any:
    """The imports asked for, the newest first.
    Those of the last 30 days; what `crm import` brings in stands in the ledger only."""
    limit = asked.get("limit", 50)
    with crm.database.connection(autocommit=True) as connection:
        jobs = book.latest(connection, limit + 1, asked.get("before"))
    page = [job_document(job, asked.language) for job in jobs[:limit]]
    return {"items": page, "next": str(page[-1]["id"]) if len(jobs) > limit else None}


async def start_import(request: Request) -> Response:
    """Import files; a worker does it, and the answer says where to follow it.
    A row is written whole or not at all, and never twice, so an import may be asked for again at any time.
    It needs the permissions of all commands of the profile, for everybody's records; a dry run needs the same."""
    actor, crm, asked = await _admitted(request, (PROFILE, DRY_RUN, ENCODING), "import")
    if asked.get("profile") is None:
        raise invalid(FieldFault("query", "/profile", "missing"))
    profile = load(asked.get("profile"))
    require_permissions(crm.policy, actor, profile)
    order = _order(actor, profile, asked)
    await run_in_threadpool(_require_room, crm)
    async with uploaded(request, profile) as files:
        job = await bulkhead(request, "uploads").run(request, _request, crm, actor, order, files)
    headers = {"Location": f"{PLACE}/{job.job_id}", "Retry-After": "1"}
    return json_response(job_document(job, asked.language), 202, headers)


def _order(actor: Actor, profile: Profile, asked: Asked) -> Order:
    """What is asked for, with the limits of the token, if it is asked with one."""
    token = actor.credential if actor.credential and actor.credential.kind == "token" else None
    return Order(
        profile.name,
        asked.get("dry_run", False),
        asked.get("encoding"),
        actor.id,
        actor.member_id,
        actor.only,
        None if token is None else token.digest,
    )


def _require_room(crm: Services) -> None:
    with crm.database.connection(autocommit=True) as connection:
        if book.is_full(connection):
            headers = {"Retry-After": str(RETRY_SECONDS)}
            raise Problem(429, "too-many-requests", {"seconds": RETRY_SECONDS}, headers=headers)


def _request(crm: Services, actor: Actor, order: Order, files: dict[str, BinaryIO]) -> Job:
    """The files come first and the ledger's lock last: it is not held while they are stored."""
    with crm.database.connection() as connection, connection.transaction():
        job = book.request(connection, crm.keyring, order, files)
        require_standing(connection, actor, crm.policy, "import")
        return job


async def read_import(request: Request) -> Response:
    """How far an import is, and at its end the report with every row that was refused.
    With `Accept: text/event-stream` it is the stream of its progress."""
    _, crm, asked = await _admitted(request, (JOB,), "read-imports")
    if wants_stream(request):
        return await _followed(request, crm, asked)

    def report() -> dict[str, Any]:
        job = _find(crm, asked)
        with crm.database.connection(autocommit=True) as connection:
            outcome = book.outcome(connection, crm.keyring, job.job_id) if job.is_over else None
        return report_document(job, outcome, asked.language)

    headers = {"Content-Language": asked.language, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    return json_response(await run_in_threadpool(report), headers=headers)


async def follow_import(request: Request) -> Response:
    """The progress of an import as server-sent events: `progress`, and `done` with the last."""
    _, crm, asked = await _admitted(request, (JOB,), "read-imports")
    return await _followed(request, crm, asked)


async def cancel_import(request: Request) -> Response:
    """Call an import off; what was written stays, and asking for it again goes on from there.
    One that is done or has failed is 409 `job-finished`."""
    actor, crm, asked = await _admitted(request, (JOB,), "import")

    def cancel() -> Job | None:
        with standing(crm, actor, "import") as (connection, _):
            return book.cancel(connection, asked.id)

    job = await run_in_threadpool(cancel)
    if job is None:
        raise _unknown(asked)
    if job.state in ("done", "failed"):
        raise job_finished(job.job_id, job.state)
    return json_response(job_document(job, asked.language), 202)


async def _admitted(request: Request, takes: tuple[Parameter, ...], action: str) -> tuple[Actor, Services, Asked]:
    actor = await identify(request)
    crm: Services = services_of(request)
    asked = ask(request, takes, None, b"")
    crm.policy.require(actor, action)
    return actor, crm, asked


def _find(crm: Services, asked: Asked) -> Job:
    with crm.database.connection(autocommit=True) as connection:
        job = book.find(connection, asked.id)
    if job is None:
        raise _unknown(asked)
    return job


def _unknown(asked: Asked) -> Problem:
    return Problem(404, "not-found", {"kind": "job", "id": asked.id})


async def _followed(request: Request, crm: Services, asked: Asked) -> Response:
    find = partial(_find, crm, asked)
    job = await run_in_threadpool(find)
    return event_stream(followed(request, "read-imports", job, find, lambda job: job_document(job, asked.language)))


def add_imports(router: APIRouter) -> None:
    """Puts these routes on the router."""
    add_read(router, "/imports/profiles", list_import_profiles, shows=ImportProfiles, action="read-imports")
    add_read(router, "/imports", list_imports, shows=ImportJobs, action="read-imports", takes=(LIMIT, BEFORE))
    one = "/imports/{id}"
    _add(router, "POST", "/imports", start_import, ImportJob, (PROFILE, DRY_RUN, ENCODING), 202)
    _add(router, "GET", one, read_import, ImportReport, (JOB,))
    _add(router, "GET", f"{one}/events", follow_import, ImportJob, (JOB,))
    _add(router, "DELETE", one, cancel_import, ImportJob, (JOB,), 202)


def _add(
    router: APIRouter,
    method: str,
    path: str,
    handler: Callable[[Request], Awaitable[Response]],
    shows: Any,
    takes: tuple[Parameter, ...],
    status: int = 200,
) -> None:
    summary, _, more = inspect.cleandoc(handler.__doc__ or "").partition("\n")
    documented: dict[str, Any] = {
        "parameters": [each.openapi | ({"required": True} if each is PROFILE else {}) for each in takes]
    }
    if method == "POST":
        documented |= {"requestBody": FORM, "responses": ANSWERS}
    router.add_api_route(
        path,
        handler,
        methods=[method],
        status_code=status,
        response_model=shows,
        operation_id=handler.__name__,
        summary=summary,
        description=more.strip() or summary,
        tags=["imports"],
        openapi_extra=documented,
    )
