"""Whether the process lives, whether it is ready to serve, and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from fastapi import FastAPI
from psycopg_pool import PoolClosed, PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.limits.queueing import Bulkhead
from api.requests.reading import json_response
from api.services import Services, services_of
from ledger.errors import DatabaseAway
from projections import ALL
from projections.engine.status import Status, status

MAX_DELAY_SECONDS = 15.0
AWAY = (DatabaseAway, psycopg.Error, PoolTimeout, PoolClosed)


def add_health(app: FastAPI) -> None:
    """Puts the health routes on the app; they need no token and show no data."""

    async def healthz(_: Request) -> Response:
        return json_response({"alive": True})

    async def readyz(request: Request) -> Response:
        checks = await run_in_threadpool(readiness, services_of(request))
        ready = all(check["ok"] for check in checks.values())
        return json_response({"ready": ready, "checks": checks}, 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        crm = services_of(request)
        state = request.app.state
        found = state.metrics.exposed() + _pool(crm) + _queues(crm, state.bulkheads)
        return Response(found + await run_in_threadpool(_lags, crm), media_type="text/plain; version=0.0.4")

    app.add_api_route("/healthz", healthz, include_in_schema=False)
    app.add_api_route("/readyz", readyz, include_in_schema=False)
    app.add_api_route("/metrics", metrics, include_in_schema=False)


def readiness(crm: Services) -> dict[str, dict[str, Any]]:
    """What must be well before requests are sent here: the database, its schema, and each read model's delay."""
    try:
        current = crm.schema_is_current()
        found = {each.projection: each for each in _statuses(crm)} if current else {}
    except AWAY:
        return {"database": {"ok": False}}
    checks: dict[str, dict[str, Any]] = {"database": {"ok": True}, "schema": {"ok": current}}
    for projection in ALL:
        checks[f"projection {projection.name}"] = _within_delay(found.get(projection.name))
    return checks


def _within_delay(found: Status | None) -> dict[str, Any]:
    if found is None:
        return {"ok": False, "state": "building"}
    ok = found.state in ("running", "waiting") and found.seconds_behind <= MAX_DELAY_SECONDS
    return {"ok": ok, "state": found.state, "seconds_behind": found.seconds_behind}


def _statuses(crm: Services) -> list[Status]:
    versions = {projection.name: projection.version for projection in ALL}
    with crm.database.connection(autocommit=True) as connection:
        return [each for each in status(connection) if versions.get(each.projection) == each.version]


def _pool(crm: Services) -> bytes:
    """Gauges of this process's connections to the database."""
    lines = []
    for name, value in crm.database.standing.items():
        lines += [f"# TYPE genjin_database_connections_{name} gauge", f"genjin_database_connections_{name} {value}"]
    return ("\n".join(lines) + "\n").encode()


def _queues(crm: Services, bulkheads: Mapping[str, Bulkhead]) -> bytes:
    """Gauges of this process's queues: commands that wait for their record's turn, and work with threads of its own."""
    lines = ["# TYPE genjin_commands_waiting gauge", f"genjin_commands_waiting {crm.door.turns.waiting}"]
    for name in ("running", "waiting"):
        lines.append(f"# TYPE genjin_bulkhead_{name} gauge")
        lines += [f'genjin_bulkhead_{name}{{work="{work}"}} {getattr(each, name)}' for work, each in bulkheads.items()]
    return ("\n".join(lines) + "\n").encode()


def _lags(crm: Services) -> bytes:
    """Gauges of the read models; left out while the database is away."""
    try:
        found = _statuses(crm)
    except AWAY:
        return b"# TYPE genjin_database_up gauge\ngenjin_database_up 0\n"
    lines = ["# TYPE genjin_database_up gauge", "genjin_database_up 1"]
    gauges = {each.projection: _gauges(each) for each in found}
    for name in ("events_behind", "seconds_behind", "stopped", "position"):
        lines.append(f"# TYPE genjin_projection_{name} gauge")
        lines += [f'genjin_projection_{name}{{projection="{of}"}} {values[name]}' for of, values in gauges.items()]
    return ("\n".join(lines) + "\n").encode()


def _gauges(found: Status) -> dict[str, float]:
    return {
        "events_behind": found.events_behind,
        "seconds_behind": found.seconds_behind,
        "stopped": int(found.state == "stopped"),
        "position": found.position or 0,
    }
