"""The HTTP application: routes, and the one place where errors become problem documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from anyio import CapacityLimiter
from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from psycopg_pool import PoolClosed, PoolTimeout
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from aggregates.base import DomainError
from api import feed
from api.answers.denied import is_denied, note_denied
from api.answers.field_codes import our_code
from api.answers.problems import FieldFault, Problem, invalid, response
from api.answers.refusals import broken, problem_of
from api.answers.streams import Pulse
from api.changes import writes
from api.changes.batches import add_batches
from api.documents import docs, openapi
from api.identity import MOST_HASHING, add_identity
from api.imports import add_imports
from api.limits.buckets import Limits
from api.limits.limiting import Limited
from api.limits.queueing import bulkheads
from api.noted import id_in
from api.operations import health
from api.operations.metrics import Metrics
from api.operations.watching import Tell, Watched
from api.reads import add_reads
from api.requests.bodies import MAX_BODY
from api.requests.direct import Direct
from api.requests.identity import Identities
from api.services import Services, services_of
from ledger.errors import CredentialEnded, DatabaseAway
from projections.engine.failures import BuildFailed, NotBuilt

PREFIX = "/api/v1"
_KNOWN: tuple[type[Exception], ...] = (
    Problem,
    DomainError,
    DatabaseAway,
    ValidationError,
    psycopg.Error,
    PoolTimeout,
    PoolClosed,
    NotBuilt,
    BuildFailed,
)


def create_app(services: Services, limits: Limits | None = None, tell: Tell | None = None) -> FastAPI:
    """The service over HTTP, on the pieces it is given; `tell` writes a line for each request."""
    app = FastAPI(
        title="Genjin",
        version="1",
        description="Customers, opportunities and receivables: now, on any day, and as they were known at any moment.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.services = services
    app.state.identities = Identities(services.tokens.actor_of)
    app.state.metrics = Metrics()
    app.state.bulkheads = bulkheads()
    app.state.hashing = CapacityLimiter(MOST_HASHING)
    app.state.pulse = Pulse(services.database)
    router = APIRouter(prefix=PREFIX, route_class=Direct)
    writes.add_writes(router)
    add_batches(router)
    add_reads(router)
    add_imports(router)
    add_identity(router)
    feed.add_feed(router)
    docs.add_docs(router, app)
    app.router.routes += router.routes
    health.add_health(app)
    openapi.install(app)
    for kind in _KNOWN:
        app.add_exception_handler(kind, _refuse)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _unfit)
    app.add_exception_handler(Exception, _break_down)
    _surround(app, limits or Limits(), tell)
    return app


def _surround(app: FastAPI, limits: Limits, tell: Tell | None) -> None:
    """Puts what holds for every request around all the rest, the answer to a mistake of ours included."""
    build = app.build_middleware_stack
    metrics: Metrics = app.state.metrics
    app.build_middleware_stack = lambda: Watched(Limited(build(), limits), metrics, tell)  # type: ignore[method-assign]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.pulse.close()


async def _refuse(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem is None:
        return await _break_down(request, error)
    if isinstance(error, CredentialEnded):
        request.app.state.identities.forget()
    actor = getattr(request.state, "actor", None)
    if actor is not None and is_denied(error):
        await run_in_threadpool(note_denied, services_of(request), actor, error)
    return response(problem, request)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path[:200]
    if error.status_code == 404:
        return response(Problem(404, "no-route", {"path": path}), request)
    if error.status_code == 405:
        accepted = openapi.methods_at(request.app, request.url.path)
        values = {"path": path, "method": request.method[:20], "accepted": accepted}
        return response(Problem(405, "method-not-allowed", values, headers={"Allow": ", ".join(accepted)}), request)
    if error.status_code == 413:
        return response(Problem(413, "body-too-large", {"limit": MAX_BODY}), request)
    return response(Problem(error.status_code, "malformed-json", {"reason": "unreadable"}), request)


async def _unfit(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [_fault(found) for found in error.errors()]
    return response(invalid(*faults), request)


def _fault(found: Any) -> FieldFault:
    place, *rest = [str(step) for step in found["loc"]] or ["body"]
    where: Any = place if place in ("body", "query", "path", "header") else "body"
    return FieldFault(where, "/" + "/".join(rest), our_code(found["type"]), found.get("ctx") or {})


async def _break_down(request: Request, error: Exception) -> Response:
    return response(broken(error, id_in(request.scope)), request)
