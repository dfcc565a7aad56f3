"""What a client is told when something cannot be done: RFC 9457 problem details, in the client's language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.texts import Language, field_text, preferred, problem_text

Place = Literal["body", "query", "path", "header"]


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


def pointer_to(path: Iterable[str | int]) -> str:
    """The RFC 6901 pointer to a place in a body."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def document(problem: Problem, language: Language, instance: str) -> dict[str, Any]:
    """The problem as a client reads it."""
    title, detail = problem_text(problem.code, problem.values, language)
    return {
        "type": f"/api/v1/problems/{problem.code}",
        "title": title,
        "status": problem.status,
        "detail": detail,
        "instance": instance,
        "code": problem.code,
        "errors": [
            {
                "in": fault.place,
                "pointer": fault.pointer,
                "code": fault.code,
                "message": field_text(fault.code, fault.values, language),
            }
            for fault in problem.faults
        ],
    }


def response(problem: Problem, request: Request) -> Response:
    """The answer that carries the problem, in the language that was asked for."""
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
