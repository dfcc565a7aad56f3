"""Nonsense in every field of every command and every parameter of every read: never a 500."""

from __future__ import annotations

import json
import random
from typing import Any
from uuid import uuid4

from api.writes import WRITES
from integration.serving import Api

NONSENSE: list[Any] = [
    None,
    "",
    " ",
    "a\0b",
    [],
    {},
    [[]],
    {"a": 1},
    -1,
    0,
    10**30,
    -(2**63) - 1,
    1.5,
    1e308,
    True,
    "长" * 20_000,
    "2025-02-30",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "NaN",
    "1e9999",
    "٣",
    "'; DROP TABLE events; --",
    "{x} %s %(y)s",
    "\u202e\u2028",
    "00000000-0000-0000-0000-000000000000",
]
ROUNDS = 400


def test_no_field_of_any_command_breaks_the_service(api: Api) -> None:
    chance = random.Random(7)
    customer = api.customer("原样")
    ids = {"customers": customer, "opportunities": api.opportunity(customer), "receivables": api.receivable(customer)}
    cases = [(write, name, value) for write in WRITES for name in write.command.model_fields for value in NONSENSE]
    for write, name, value in chance.sample(cases, ROUNDS):
        path = write.path.replace("{id}", ids.get(write.path.split("/")[1], str(uuid4())))
        for inside in write.path_fields:
            path = path.replace(f"{{{inside}}}", str(uuid4()) if inside.endswith("_id") else "0")
        body = json.dumps({**write.example, name: value})
        answered = api.request(write.method, path, content=body, headers={"Content-Type": "application/json"})
        assert answered.status_code < 500, f"{write.method} {path} {name}={value!r}: {answered.text}"
        if answered.status_code >= 400:
            assert answered.headers["content-type"] == "application/problem+json"
            assert answered.json()["code"] != "refused"


def test_no_parameter_of_any_read_breaks_the_service(api: Api) -> None:
    chance = random.Random(7)
    cases = []
    for path, operations in api.client.get("/api/v1/openapi.json").json()["paths"].items():
        for parameter in operations.get("get", {}).get("parameters", ()):
            if parameter["in"] == "query" and parameter["name"] != "as_of":
                cases += [(path, parameter["name"], str(value)[:2_000]) for value in NONSENSE]
    for path, name, value in chance.sample(cases, ROUNDS):
        address = path.replace("{name}", "tracking")
        for inside in ("{id}", "{job_id}"):
            address = address.replace(inside, str(uuid4()))
        answered = api.request("GET", address, params={name: value})
        assert answered.status_code < 500, f"{address} {name}={value!r}: {answered.text}"


def test_no_address_breaks_the_service(api: Api) -> None:
    for nonsense in ("%00", "%ff", "..%2f..", "%F0%9F%98%80", "a" * 5_000, "{id}", "%25s", "'"):
        for path in (
            "/customers/{}",
            "/opportunities/{}",
            "/projections/{}/rebuilds",
            "/problems/{}",
            "/docs/{}",
            "/{}",
        ):
            for method in ("GET", "POST", "DELETE", "PUT"):
                answered = api.request(method, path.format(nonsense))
                assert answered.status_code < 500, f"{method} {path} {nonsense}: {answered.text}"
