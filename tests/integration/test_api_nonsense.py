"""Nonsense in every field of every command and every parameter of every read: a clear answer, never a 500.

Nothing is left to chance: each field is tried with each value. The app is called without a client in between, which
makes some thousands of requests a matter of seconds.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from api.changes.writes import WRITES
from integration.serving import Api
from keys import TOKEN

NONSENSE: list[Any] = [
    None,
    "",
    " ",
    "a\0b",
    "\ud800",
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
    "长" * 10_001,
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
PARTS = {"type", "title", "status", "detail", "instance", "code", "errors"}
AT_ONCE = 16
Answer = tuple[int, dict[str, str], bytes]


async def ask(app: Any, method: str, path: str, query: str = "", body: bytes = b"") -> Answer:
    """One request to the app itself."""
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
    if body:
        headers.append((b"content-type", b"application/json"))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": quote(path).encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": headers,
        "server": ("test", 80),
        "client": ("test", 1),
    }
    sent: list[dict[str, Any]] = []
    given = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(given, {"type": "http.disconnect"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], told, b"".join(message.get("body", b"") for message in sent[1:])


def check_all(api: Api, asked: Iterator[tuple[str, str, str, bytes]]) -> dict[int, int]:
    """Asks all of it, some at once; each answer is the expected one or a whole problem. How many had which status."""
    counts: dict[int, int] = {}

    async def worker() -> None:
        for method, path, query, body in asked:
            status, headers, answered = await ask(api.client.app, method, path, query, body)
            check(f"{method} {path}?{query[:200]} {body[:300]!r}", status, headers, answered)
            counts[status] = counts.get(status, 0) + 1

    async def together() -> None:
        await asyncio.gather(*(worker() for _ in range(AT_ONCE)))

    assert api.client.portal is not None
    api.client.portal.call(together)
    return counts


def check(asked: str, status: int, headers: dict[str, str], answered: bytes) -> None:
    """It went well, or the answer is a problem in its whole shape."""
    said = f"{asked}: {status} {answered[:500]!r}"
    assert status < 500, said
    if status < 400:
        return
    assert headers["content-type"] == "application/problem+json", said
    assert headers["content-language"] == "en", said
    problem = json.loads(answered)
    assert set(problem) == PARTS, said
    assert problem["status"] == status, said
    assert problem["code"] not in ("refused", "internal"), said
    assert problem["title"], said
    assert problem["detail"], said
    if status == 422:
        assert problem["errors"], said
    for error in problem["errors"]:
        assert set(error) == {"in", "pointer", "code", "message"}, said
        assert error["pointer"] == "" or error["pointer"].startswith("/"), said
        assert error["message"], said
        assert f"({error['code']})" not in error["message"], said
        assert "_" not in error["code"], said


def commands(ids: dict[str, str]) -> Iterator[tuple[str, str, str, bytes]]:
    for write in WRITES:
        path = "/api/v1" + write.path.replace("{id}", ids.get(write.path.split("/")[1], str(uuid4())))
        for inside in write.path_fields:
            path = path.replace(f"{{{inside}}}", str(uuid4()) if inside.endswith("_id") else "0")
        for name in write.command.model_fields:
            for value in NONSENSE:
                yield write.method, path, "", json.dumps({**write.example, name: value}).encode()


def test_no_field_of_any_command_breaks_the_service(api: Api) -> None:
    customer = api.customer("原样")
    stages = [{"key": "lead", "zh": "线索", "en": "Lead"}]
    ids = {
        "customers": customer,
        "opportunities": api.opportunity(customer),
        "receivables": api.receivable(customer),
        "teams": api.done("/teams", {"name": "一部"})["id"],
        "members": api.done("/members", {"name": "赵"})["id"],
        "products": api.done("/products", {"name": "云"})["id"],
        "pipelines": api.done("/pipelines", {"name": "大客户", "stages": stages})["id"],
    }
    counts = check_all(api, commands(ids))
    assert sum(counts.values()) == len(NONSENSE) * sum(len(write.command.model_fields) for write in WRITES)
    assert counts[422] > counts.get(200, 0) + counts.get(201, 0) > 0


def items(customer: str) -> Iterator[tuple[str, str, str, bytes]]:
    whole = {"command": "tag", "to": customer, "if_match": None, "body": {"tag": "a"}}
    for name in (*whole, "other"):
        for value in NONSENSE:
            yield "POST", "/api/v1/commands", "", json.dumps({"commands": [{**whole, name: value}]}).encode()


def test_no_field_of_a_batch_breaks_the_service(api: Api) -> None:
    assert sum(check_all(api, items(api.customer("批"))).values()) == 5 * len(NONSENSE)


def reads(api: Api, customer: str) -> Iterator[tuple[str, str, str, bytes]]:
    """Each kind of parameter of each read with each value; filters once for each kind of value and operator."""
    document = api.client.get("/api/v1/openapi.json").json()
    tried: set[str] = set()
    for path, operations in document["paths"].items():
        address = path.replace("{name}", "tracking").replace("{id}", customer).replace("{job_id}", str(uuid4()))
        for parameter in operations.get("get", {}).get("parameters", ()):
            kind = json.dumps(parameter["schema"]) + parameter["name"].partition("[")[2]
            if parameter["in"] != "query" or ("[" in parameter["name"] and kind in tried):
                continue
            tried.add(kind)
            for value in NONSENSE:
                shown = value if isinstance(value, str) else json.dumps(value)
                typed = quote(shown.encode("utf-8", "surrogatepass")[:2_000])
                yield "GET", address, f"{quote(parameter['name'])}={typed}", b""


def test_no_parameter_of_any_read_breaks_the_service(api: Api) -> None:
    customer = api.customer("原样二")
    asked = list(reads(api, customer))
    names = {query.partition("=")[0] for _, _, query, _ in asked}
    assert {"as_of", "on", "after", "cursor", "limit", "sort", "q", "version", "topic"} <= names
    counts = check_all(api, iter(asked))
    assert counts[422] > counts[200] > 0


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
                headers = {name.lower(): value for name, value in answered.headers.items()}
                check(f"{method} {path} {nonsense}", answered.status_code, headers, answered.content)
