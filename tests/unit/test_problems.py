"""Problem documents, strict bodies and what the documentation shows, without a database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from aggregates.refusals import DateInFuture
from api import reference
from api.answers.problems import FieldFault, Problem, document, invalid, pointer_to
from api.answers.refusals import problem_of, unknown_reference
from api.answers.shapes.common import AnyObject
from api.app import create_app
from api.changes.writes import WRITES
from api.requests.bodies import refuse_ambiguous, refuse_malformed
from commands import ALL
from ledger.errors import ClaimTaken, DatabaseAway, DatabaseBusy, NotFound, StaleVersion


def caused(error: Exception, cause: Exception) -> Exception:
    """The error, because of another one."""
    error.__cause__ = cause
    return error


@pytest.fixture(scope="module")
def app() -> FastAPI:
    services: Any = SimpleNamespace(tokens=SimpleNamespace(actor_of=lambda _: None), database=None)
    return create_app(services)


def test_a_problem_says_everything_the_standard_asks_for() -> None:
    shown = document(invalid(FieldFault("body", "/amount", "too-large", {"le": 100})), "en", "/x")
    assert shown["type"] == "/api/v1/problems/invalid-fields"
    assert (shown["status"], shown["code"], shown["instance"]) == (422, "invalid-fields", "/x")
    fault = {"in": "body", "pointer": "/amount", "code": "too-large"}
    assert shown["errors"] == [{**fault, "message": "should be 100 or less"}]
    assert shown["detail"] == "amount: should be 100 or less"


def test_pointers_are_escaped() -> None:
    assert pointer_to(["a/b", "c~d", 0]) == "/a~1b/c~0d/0"
    assert pointer_to([]) == ""


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NotFound("customer", UUID(int=1)), 404, "not-found"),
        (StaleVersion(1, 2, ("name",)), 412, "stale-version"),
        (ClaimTaken("invoice-no", "7", UUID(int=1)), 409, "claim-taken"),
        (DatabaseAway("gone"), 503, "database-away"),
        (DatabaseBusy("no connection"), 503, "database-busy"),
        (psycopg.OperationalError("gone"), 503, "database-away"),
        (psycopg.errors.DiskFull("no room"), 503, "database-full"),
        (psycopg.errors.ConfigurationLimitExceeded("temporary files"), 503, "database-full"),
        (psycopg.errors.ReadOnlySqlTransaction("no writing"), 503, "database-read-only"),
        (psycopg.errors.QueryCanceled("timeout"), 503, "query-too-slow"),
        (psycopg.errors.LockNotAvailable("timeout"), 503, "database-busy"),
        (psycopg.errors.OutOfMemory("no memory"), 503, "database-busy"),
        (psycopg.errors.TooManyConnections("no more"), 503, "database-busy"),
        (caused(DatabaseAway("full"), psycopg.errors.DiskFull("no room")), 503, "database-full"),
        (caused(DatabaseBusy("write"), psycopg.errors.QueryCanceled("timeout")), 503, "database-busy"),
        (Problem(418, "refused"), 418, "refused"),
    ],
)
def test_each_error_below_has_its_status(error: Exception, status: int, code: str) -> None:
    problem = problem_of(error)
    assert problem is not None
    assert (problem.status, problem.code) == (status, code)
    assert ("Retry-After" in problem.headers) == (status == 503)


def test_a_mistake_of_ours_is_no_problem_of_the_client() -> None:
    assert problem_of(KeyError("x")) is None


def test_a_stale_version_names_each_field_that_was_changed() -> None:
    problem = problem_of(StaleVersion(3, 5, ("industry", "notes")))
    assert problem is not None
    shown = document(problem, "en", "/x")
    message = "was changed after version 3; the record is at version 5 now"
    told = {"in": "body", "code": "changed-since", "message": message}
    fields = [told | {"pointer": f"/{name}"} for name in ("industry", "notes")]
    assert shown["errors"] == fields
    assert "industry, notes" in shown["detail"]


def test_a_version_ahead_of_the_record_says_which_is_current() -> None:
    problem = problem_of(StaleVersion(999, 2, ()))
    assert problem is not None
    assert (problem.status, problem.code) == (412, "version-ahead")
    shown = document(problem, "en", "/x")
    assert "Version 999 does not exist yet; the current one is 2." in shown["detail"]
    assert [fault["pointer"] for fault in shown["errors"]] == ["/If-Match"]


def test_a_refusal_names_the_field_that_would_have_to_be_another() -> None:
    from datetime import date

    problem = problem_of(DateInFuture(field="occurred_on", day=date(2026, 1, 2), today=date(2026, 1, 1)))
    assert problem is not None
    assert [fault.pointer for fault in problem.faults] == ["/occurred_on"]
    taken = problem_of(ClaimTaken("legacy-code", "A001", UUID(int=1)))
    assert taken is not None
    assert [fault.pointer for fault in taken.faults] == ["/legacy_code"]


def test_an_unknown_id_is_found_in_the_body_that_held_it() -> None:
    wanted = uuid4()
    problem = unknown_reference(NotFound("member", wanted), {"a": [{"owner_id": wanted}]})
    assert problem is not None
    assert problem.faults[0].pointer == "/a/0/owner_id"
    assert unknown_reference(NotFound("member", wanted), {"a": 1}) is None


@pytest.mark.parametrize("body", [b'{"a": 1, "a": 2}', b'[{"x": {"b": 1, "b": 1}}]'])
def test_a_name_that_stands_twice_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        refuse_ambiguous(body)
    assert (refused.value.status, refused.value.code) == (400, "duplicate-key")


@pytest.mark.parametrize(
    "body", [b'{"a": "\\\\u0000"}', '{"a": "\u4e2d"}'.encode(), b'{"a": 1e999, "b": 12345678901234567890, "c": 1.50}']
)
def test_what_only_looks_ambiguous_passes(body: bytes) -> None:
    refuse_ambiguous(body)


@pytest.mark.parametrize("number", ["0.1000000000000000055", "10.000000000000000001", "1e-99999999999999999999"])
def test_a_number_that_would_be_read_as_another_is_refused(number: str) -> None:
    with pytest.raises(Problem) as refused:
        refuse_ambiguous(b'{"a": [1.5, %s]}' % number.encode())
    assert [(fault.pointer, fault.code) for fault in refused.value.faults] == [("/a/1", "inexact-number")]


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"[" * 100_000, 400, None),
        (b'{"a": ["\\udc00"]}', 422, "/a/0"),
        (b'{"a": "\\ud83d\\ude00 \\ud83d"}', 422, "/a"),
    ],
)
def test_what_cannot_be_read_says_why(body: bytes, status: int, pointer: str | None) -> None:
    with pytest.raises(Problem) as refused:
        refuse_malformed(body, "why")
    assert refused.value.status == status
    assert [fault.pointer for fault in refused.value.faults] == ([] if pointer is None else [pointer])


def test_every_command_has_a_route_and_an_example_that_fits() -> None:
    assert {write.command for write in WRITES} == set(ALL)
    for write in WRITES:
        path = {name: "1" if name == "entry" else str(UUID(int=1)) for name in write.path_fields}
        fields = {**write.example, **{name: int(v) if name == "entry" else v for name, v in path.items()}}
        write.command.model_validate_json(json.dumps(fields))


def test_the_document_is_complete(app: FastAPI) -> None:
    document = app.openapi()
    names: list[str] = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            names.append(operation["operationId"])
            assert operation["summary"], path
            assert "401" in operation["responses"], path
            success = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            assert "$ref" in success["content"]["application/json"]["schema"], (method, path)
            declared = {item["name"] for item in operation.get("parameters", ()) if item["in"] == "path"}
            assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}, path
            if method in ("post", "patch") and "requestBody" in operation:
                assert all("example" in body for body in operation["requestBody"]["content"].values()), path
    assert len(names) == len(set(names))
    known = set(document["components"]["schemas"])
    assert set(_references(document)) <= {f"#/components/schemas/{name}" for name in known}


def test_every_answer_and_body_has_an_example_that_fits(app: FastAPI) -> None:
    models = {route.operation_id: route.response_model for route in routes_of(app)}
    for path, operations in app.openapi()["paths"].items():
        for operation in operations.values():
            answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
            for answer in answers:
                example = answer["content"]["application/json"]["example"]
                model = models[operation["operationId"]]
                model.model_validate_json(json.dumps(example), extra=None if model is AnyObject else "forbid")
                assert "…" not in json.dumps(example, ensure_ascii=False), (path, example)
            for body in operation.get("requestBody", {}).get("content", {}).values():
                assert "example" in body, path


def routes_of(app: FastAPI) -> list[Any]:
    """Every route that is documented."""
    return [route for route in app.routes if getattr(route, "operation_id", None)]


def test_what_stands_in_the_address_is_no_part_of_the_body(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    for write in WRITES:
        schema = schemas[write.command.__name__]
        assert not set(write.path_fields) & ({*schema["properties"], *schema.get("required", ())}), write.path
        assert set(write.example) <= set(schema["properties"])
        assert set(schema.get("required", ())) == set(write.required_fields)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def test_the_documentation_needs_no_other_host(app: FastAPI) -> None:
    client = TestClient(app)
    page = client.get("/api/v1/docs").text
    assert "http://" not in page
    assert "https://" not in page
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon.png"):
        assert f"/api/v1/docs/{name}" in page
        assert client.get(f"/api/v1/docs/{name}").status_code == 200
    assert client.get("/api/v1/docs/../app.py").status_code == 404
    assert client.get("/api/v1/docs/secrets.txt").status_code == 404
    assert client.get("/api/v1/openapi.json").json() == app.openapi()
    assert client.get("/api/v1/problems/stale-version").json()["status"] == 412


def test_the_page_on_the_api_mentions_every_route_as_it_is_now() -> None:
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
    assert page == reference.rewritten(page), "run: python -m api.reference"


def test_a_mistake_of_ours_is_told_by_a_number_only(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: str) -> None:
        raise RuntimeError("a secret")

    services: Any = SimpleNamespace(tokens=SimpleNamespace(actor_of=broken), database=None)
    client = TestClient(create_app(services), raise_server_exceptions=False)
    answered = client.get("/api/v1/customers", headers={"Authorization": "Bearer x"})
    assert answered.status_code == 500
    assert answered.headers["content-type"] == "application/problem+json"
    assert "a secret" not in answered.text
    assert answered.json()["code"] == "internal"
    assert "a secret" in caplog.text
