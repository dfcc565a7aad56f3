"""The read models themselves: how far each is, and building one anew with its progress in sight."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.answers.problems import Problem, job_finished
from api.answers.shapes.projections import Jobs, ProjectionStatuses, RebuildJob
from api.answers.streams import event_stream, wants_stream
from api.requests.asking import Asked, Parameter, ask
from api.requests.following import followed
from api.requests.identity import identify
from api.requests.reading import add_read, json_response
from api.requests.standing import standing
from api.services import Services, services_of
from projections import ALL
from projections.engine.build import jobs
from projections.engine.status import status

NAMES = {projection.name: projection for projection in ALL}
NAME = Parameter("name", "enum", "The read model.", "tracking", choices=tuple(NAMES), place="path")
JOB = Parameter("job_id", "uuid", "The job.", "0192f0c1-7d5a-7cc3-a1b2-0123456789ab", place="path")


def list_projections(crm: Services, _: Asked) -> Any:
    """Every read model: its version, how far it is, how much it lags, and what stopped it if anything did."""
    with crm.database.connection(autocommit=True) as connection:
        return {"items": [asdict(each) for each in status(connection)], "position": crm.ledger.head()}


def list_rebuilds(crm: Services, asked: Asked) -> Any:
    """The rebuilds of a read model that were asked for last, the newest first."""
    return _listed(crm, "rebuild", asked)


def list_copies(crm: Services, asked: Asked) -> Any:
    """The copies as of a moment that were built last, the newest first."""
    return _listed(crm, "as-of", asked)


def _listed(crm: Services, kind: jobs.Kind, asked: Asked) -> Any:
    with crm.database.connection(autocommit=True) as connection:
        return {"items": [shown(job) for job in jobs.latest(connection, kind, asked.get("name"))]}


def shown(job: jobs.Job) -> dict[str, Any]:
    """A job as a client sees it."""
    return {name: value for name, value in asdict(job).items() if name in RebuildJob.model_fields}


def place_of(job_kind: str, name: str, job_id: UUID) -> str:
    """Where a job is followed."""
    folder = "rebuilds" if job_kind == "rebuild" else "copies"
    return f"/api/v1/projections/{name}/{folder}/{job_id}"


async def start_rebuild(request: Request) -> Response:
    """Build a read model anew while the present one goes on serving; who asks twice gets the same job."""
    crm, asked = await _admitted(request, (NAME,), "rebuild-projection")
    projection = NAMES[asked.get("name")]

    def order() -> jobs.Job:
        with standing(crm, asked.actor, "rebuild-projection") as (connection, _):
            return jobs.request(connection, "rebuild", projection.name, projection.version)

    job = await run_in_threadpool(order)
    where = place_of("rebuild", projection.name, job.job_id)
    return json_response(shown(job), 202, {"Location": where})


async def read_job(request: Request) -> Response:
    """How far a job is; with `Accept: text/event-stream` its progress as a stream that ends with it."""
    crm, asked = await _admitted(request, (NAME, JOB), _following(request))
    job = await run_in_threadpool(_find, crm, asked)
    if wants_stream(request):
        return event_stream(followed(request, _following(request), job, partial(_find, crm, asked), shown))
    return json_response(shown(job))


async def cancel_job(request: Request) -> Response:
    """Stop a job; the read model that serves stays as it is. One that has ended otherwise is 409 `job-finished`."""
    crm, asked = await _admitted(request, (NAME, JOB), "rebuild-projection")
    job = await run_in_threadpool(_find, crm, asked)

    def cancel() -> jobs.Job | None:
        with standing(crm, asked.actor, "rebuild-projection") as (connection, _):
            return jobs.cancel(connection, job.job_id)

    cancelled = await run_in_threadpool(cancel) or job
    if cancelled.state in ("done", "failed"):
        raise job_finished(cancelled.job_id, cancelled.state)
    return json_response(shown(cancelled), 202)


async def _admitted(request: Request, takes: tuple[Parameter, ...], action: str) -> tuple[Services, Asked]:
    actor = await identify(request)
    crm: Services = services_of(request)
    asked = ask(request, takes, None, b"", actor)
    crm.policy.require(actor, action)
    return crm, asked


def _following(request: Request) -> str:
    """What following a job takes: whoever asks for an earlier moment is told to follow the copy that is built."""
    return "read-copy" if "/copies/" in request.url.path else "read-projections"


def _find(crm: Services, asked: Asked) -> jobs.Job:
    with crm.database.connection(autocommit=True) as connection:
        job = jobs.find(connection, asked.get("job_id"))
    if job is None or job.projection != asked.get("name"):
        raise Problem(404, "not-found", {"kind": "job", "id": asked.get("job_id")})
    return job


def add_projection_reads(router: APIRouter) -> None:
    """Puts these routes on the router."""
    add_read(router, "/projections", list_projections, shows=ProjectionStatuses, action="read-projections")
    for folder, reading in (("rebuilds", list_rebuilds), ("copies", list_copies)):
        add_read(
            router, f"/projections/{{name}}/{folder}", reading, shows=Jobs, action="read-projections", takes=(NAME,)
        )
    handlers: list[tuple[str, str, Callable[[Request], Awaitable[Response]], int, str]] = [
        ("POST", "/projections/{name}/rebuilds", start_rebuild, 202, "start_rebuild"),
        ("GET", "/projections/{name}/rebuilds/{job_id}", read_job, 200, "read_rebuild"),
        ("DELETE", "/projections/{name}/rebuilds/{job_id}", cancel_job, 202, "cancel_rebuild"),
        ("GET", "/projections/{name}/copies/{job_id}", read_job, 200, "read_copy"),
    ]
    for method, path, handler, code, operation in handlers:
        takes = (NAME, JOB) if "{job_id}" in path else (NAME,)
        router.add_api_route(
            path,
            handler,
            methods=[method],
            status_code=code,
            response_model=RebuildJob,
            operation_id=operation,
            summary=(handler.__doc__ or "").partition(";")[0].rstrip("."),
            tags=["projections"],
            openapi_extra={"parameters": [parameter.openapi for parameter in takes]},
        )
