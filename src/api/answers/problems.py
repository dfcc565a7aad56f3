"""What a client is told when something cannot be done: RFC 9457 problem details, in the client's language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.noted import note_refusal
from api.texts import Language, field_text, joined, preferred, problem_text

Place = Literal["body", "query", "path", "header"]
MOST_TOLD, MOST_SUMMED_UP = 100, 3
"""Faults that a problem lists, and those of them that its `detail` repeats."""
LONGEST_STEP = 100
"""Signs of a name in a pointer: what a client made up may be as long as a body."""


def shortened(name: str) -> str:
    """A name that a client made up, as far as it may stand in an answer."""
    return re.sub(r"[^\w.\[\]-]", "?", name[:LONGEST_STEP])


@dataclass(frozen=True)
class FieldFault:
    """One field that does not fit: where it stands, a stable code, and the values its sentence needs."""

    place: Place
    pointer: str
    code: str
    values: Mapping[str, Any] = field(default_factory=dict)


class Problem(Exception):
    """A request that ends with a problem document; code and values are language-free."""

    def __init__(
        self,
        status: int,
        code: str,
        values: Mapping[str, Any] | None = None,
        faults: Iterable[FieldFault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code = status, code
        self.values: Mapping[str, Any] = values or {}
        self.faults = tuple(faults)
        self.headers = dict(headers or {})


def invalid(*faults: FieldFault) -> Problem:
    """422: fields that do not fit."""
    return Problem(422, "invalid-fields", {"count": len(faults)}, faults)


def malformed_header(name: str, kind: str) -> Problem:
    """400: a header that holds something else than it should."""
    values = {"header": name, "kind": kind}
    return Problem(400, "malformed-header", values, (FieldFault("header", f"/{name}", "malformed-header", values),))


def job_finished(job: UUID, state: str) -> Problem:
    """409: a job that cannot be stopped, because it has ended."""
    return Problem(409, "job-finished", {"job": job, "state": state})


def pointer_to(path: Iterable[str | int]) -> str:
    """The RFC 6901 pointer to a place in a body."""
    return "".join("/" + str(step)[:LONGEST_STEP].replace("~", "~0").replace("/", "~1") for step in path)


def document(problem: Problem, language: Language, instance: str) -> dict[str, Any]:
    """The problem as a client reads it."""
    errors = [_told(fault, language) for fault in problem.faults[:MOST_TOLD]]
    title, detail = problem_text(
        problem.code, {**problem.values, "said": _summed_up(problem, errors, language)}, language
    )
    return {
        "type": f"/api/v1/problems/{problem.code}",
        "title": title,
        "status": problem.status,
        "detail": detail,
        "instance": instance,
        "code": problem.code,
        "errors": errors,
    }


def _told(fault: FieldFault, language: Language) -> dict[str, str]:
    message = field_text(fault.code, fault.values, language)
    return {"in": fault.place, "pointer": fault.pointer, "code": fault.code, "message": message}


def _summed_up(problem: Problem, errors: list[dict[str, str]], language: Language) -> str:
    """What the first few fields are told, in one sentence."""
    said = [(each["pointer"].removeprefix("/"), each["message"]) for each in errors[:MOST_SUMMED_UP]]
    return joined(said, len(problem.faults), language)


def response(problem: Problem, request: Request) -> Response:
    """The answer that carries the problem, in the language that was asked for."""
    note_refusal(request.scope, problem.code)
    language = preferred(request.headers.get("accept-language"))
    body = msgspec.json.encode(_sendable(document(problem, language, request.url.path)))
    headers = {"Content-Language": language, "Vary": "Accept-Language", **problem.headers}
    return Response(body, status_code=problem.status, headers=headers, media_type="application/problem+json")


def _sendable(value: Any) -> Any:
    """The same without lone surrogates, which UTF-8 cannot carry."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_sendable(key): _sendable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_sendable(item) for item in value]
    return value
