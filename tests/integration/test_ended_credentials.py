"""Every route that writes, tried with what ended elsewhere a moment ago: it is refused, and nothing is written.

The process that is asked remembers who it was; so nothing but the check in the writing transaction is in the way.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pytest
from starlette.testclient import TestClient

import integration.test_api_commands as commands
from api.app import create_app
from api.changes.writes import WRITES
from api.identity.routes import ROUTES
from api.limits.buckets import Allowance, Limits
from commands.members import GiveRoles
from integration.elsewhere import ENDINGS, Elsewhere, Visitor, elsewhere, everything_written
from integration.serving import Api, serving
from integration.test_api_imports import ended, invoices

HISTORY = "history"


@dataclass
class Tried(Api):
    """The service as an administrator sees it; each change is tried with what ended before it is done."""

    other: Elsewhere | None = None

    def request(self, method: str, path: str, **more: Any) -> Any:
        """Any request, once refused to each of those whose time is over."""
        if method != "GET":
            refuse_all(self, method, path, **more)
        return super().request(method, path, **more)


@pytest.fixture(scope="module")
def api(server: str) -> Iterator[Tried]:
    """The service with real tokens, and another process beside it."""
    with serving(server) as served, elsewhere(server, served.services.database.schema) as other:
        for path in ("/tracking", "/opportunities", "/receivables", "/audit/events"):
            served.read(path)
        served.services.tokens = served.services.identity.bearers
        app = create_app(served.services, Limits(unauthenticated=Allowance(0, 0)))
        with TestClient(app, raise_server_exceptions=False) as client:
            visitor = other.visitor()
            served.services.directory.expire()
            yield Tried(client, served.services, visitor.id, headers=visitor.bearer, other=other)


def refuse_all(api: Tried, method: str, path: str, **more: Any) -> None:
    """The request is refused with each credential that ended a moment ago, and leaves nothing behind."""
    for what, _, statuses, answer, before, after in attempts(api, method, path, **more):
        assert answer.status_code in statuses, f"{method} {path} with {what}: {answer.status_code} {answer.text}"
        if answer.status_code == 401:
            assert answer.headers["www-authenticate"].startswith("Bearer"), f"{method} {path} with {what}"
        assert after == before, f"{method} {path} with {what} wrote something"


def attempts(api: Tried, method: str, path: str, **more: Any) -> Iterator[tuple[Any, ...]]:
    """The request with each of them: what it was, by whom, what refuses it, the answer, what was there and is there."""
    other = api.other
    assert other is not None
    given = more.pop("headers", {})
    for what, end, headers, statuses in ENDINGS:
        visitor = seen(api, other.visitor())
        own = {**given, **headers(visitor)}
        assert api.client.get("/api/v1/me", headers=own).status_code == 200
        sent = {name: of(visitor) if callable(of) else of for name, of in more.items()}
        with remembering(api, visitor):
            end(other, visitor)
            with other.database.connection() as connection:
                before = everything_written(connection, path)
            address = path if path.startswith("/api") else f"/api/v1{path}"
            answer = api.client.request(method, address, headers=own, **sent)
        with other.database.connection() as connection:
            after = everything_written(connection, path)
        yield what, visitor, statuses, answer, before, after


def seen(api: Tried, visitor: Visitor) -> Visitor:
    """The same visitor, whom the process knows from now on, for as long as it remembers members."""
    api.services.directory.expire()
    assert api.client.get("/api/v1/me", headers=visitor.bearer).status_code == 200
    return visitor


def remembering(api: Tried, visitor: Visitor) -> ExitStack:
    """As if sessions were remembered like tokens: what ends one in the middle of a request has the same effect."""
    sessions = api.services.identity.sessions
    stack = ExitStack()
    stack.enter_context(patch.object(sessions, "find", {visitor.session.text: sessions.find(visitor.session.text)}.get))
    return stack


def test_no_command_is_done(api: Tried) -> None:
    commands.test_every_command_is_done_over_http(api)


def test_no_batch_is_done(api: Tried) -> None:
    customer = api.customer("批量")
    body = {"commands": [{"command": "tag", "to": customer, "body": {"tag": "a"}}] * 2}
    assert api.post("/commands", body).json()["done"] == 2


def others() -> dict[str, dict[str, Any]]:
    """How each of the other routes that write is asked, by route."""
    files = {"file": ("invoices.csv", invoices("ENDED").encode())}
    return {
        "POST /me/password": {"json": _another_password},
        "POST /tokens": {"json": {"name": "another"}},
        "DELETE /tokens": {},
        "DELETE /tokens/{token_id}": {},
        "POST /members/{id}/tokens": {"json": {"name": "theirs"}},
        "DELETE /members/{id}/tokens": {},
        "DELETE /members/{id}/tokens/{token_id}": {},
        "POST /members/{id}/invitation-link": {},
        "POST /members/{id}/password-reset-link": {},
        "POST /imports": {"params": {"profile": "ibm-receivables"}, "files": files},
        "DELETE /imports/{id}": {},
        "POST /projections/{name}/rebuilds": {},
        "DELETE /projections/{name}/rebuilds/{job_id}": {},
        "POST /customers/{id}/contact-details": {"json": {"reason": "回访"}},
        "GET /customers/{id}/disclosure": {},
        "GET /customers/{id}/contacts/{contact_id}/disclosure": {},
    }


def _another_password(visitor: Visitor) -> dict[str, str]:
    return {"current_password": visitor.password, "new_password": secrets.token_urlsafe(18)}


SIGNING_OUT = "DELETE /session"
"""Ends what was signed in with, be it over already."""
OPEN = {f"{route.method} {route.path}" for route in ROUTES if route.is_open}
"""Ask for something else than a credential: a password, or a code for one time."""
NOTING = {"GET /customers/{id}/disclosure", "GET /customers/{id}/contacts/{contact_id}/disclosure"}
"""Reads that note an export."""


def test_every_route_that_writes_is_tried(api: Tried) -> None:
    document = api.client.get("/api/v1/openapi.json").json()
    routes = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in document["paths"].items()
        for method in operations
        if path.startswith("/api/v1/") and method != "get"
    }
    by_command = {f"{write.method} {write.path}" for write in WRITES} | {"POST /commands"}
    assert routes == (others().keys() - NOTING) | by_command | OPEN | {SIGNING_OUT}


@pytest.mark.parametrize("route", others())
def test_nothing_else_is_written(api: Tried, route: str) -> None:
    method, _, path = route.partition(" ")
    ids, more = _ids(api, path), others()[route]
    refuse_all(api, method, path.format(**ids), **more)
    assert api.other is not None
    visitor = seen(api, api.other.visitor())
    sent = {name: of(visitor) if callable(of) else of for name, of in more.items()}
    where = path.format(**(ids | {"token_id": str(visitor.token_id)} if path.startswith("/tokens") else ids))
    done = api.client.request(method, f"/api/v1{where}", headers=visitor.bearer, **sent)
    if route == "POST /imports":
        ended(plain(api), done.json()["id"])
    assert done.is_success or (done.status_code == 409 and done.json()["code"] == "job-finished"), done.text


def plain(api: Tried) -> Api:
    """The service without trying anything first."""
    return Api(api.client, api.services, api.member_id, headers=api.headers)


def _ids(api: Tried, path: str) -> dict[str, str]:
    """What the route is about: something that is there."""
    own = plain(api)
    assert api.other is not None
    if path.startswith("/customers"):
        customer = own.customer("甲", kind="person", contacts=[{"name": "王", "mobile": "13912345678"}])
        own.read("/audit/events", limit=1)
        contact = own.get(f"/customers/{customer}").json()["contacts"][0]["contact_id"]
        return {"id": customer, "contact_id": contact}
    if path.startswith("/imports/"):
        files = {"file": ("invoices.csv", invoices(secrets.token_hex(3)).encode())}
        job = own.request("POST", "/imports?profile=ibm-receivables", files=files).json()["id"]
        return {"id": ended(own, job)["id"]}
    if path.startswith("/projections"):
        job = own.post("/projections/tracking/rebuilds").json()
        return {"name": HISTORY} if "{job_id}" not in path else {"name": "tracking", "job_id": job["job_id"]}
    member = api.other.visitor("sales")
    if path.startswith("/members"):
        body = {"email": f"{secrets.token_hex(5)}@example.com"}
        own.done(f"/members/{member.id}/invitation", body)
        return {"id": str(member.id), "token_id": str(member.token_id)}
    return {"token_id": str(member.token_id)}


def test_who_is_told_that_the_credential_ended(api: Tried) -> None:
    tried = {what: answer for what, _, _, answer, _, _ in attempts(api, "POST", "/tokens", json={"name": "x"})}
    for what in ("a revoked token", "an ended session"):
        assert tried[what].json()["code"] == "credential-ended", what
        assert tried[what].headers["www-authenticate"] == 'Bearer realm="genjin", error="invalid_token"'


def test_an_ended_token_is_forgotten_as_soon_as_it_is_found_out(api: Tried) -> None:
    statuses = {
        what: api.client.get("/api/v1/me", headers=visitor.bearer).status_code
        for what, visitor, _, _, _, _ in attempts(api, "POST", "/tokens", json={"name": "x"})
    }
    assert statuses["a revoked token"] == 401


def test_roles_that_were_taken_away_permit_nothing(api: Tried) -> None:
    other = api.other
    assert other is not None
    visitor, member = seen(api, other.visitor()), other.visitor("sales")
    other.do(GiveRoles.model_validate({"roles": ["sales"]}), visitor.id)
    for path in (f"/members/{member.id}/tokens", "/projections/tracking/rebuilds"):
        answer = api.client.post(f"/api/v1{path}", headers=visitor.bearer, json={"name": "x"})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
