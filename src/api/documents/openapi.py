"""The OpenAPI document: what FastAPI knows of the routes, with the commands, the problems and the token added."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from api.answers.shapes.accesses import RevealAsked
from api.changes.batches import Batch
from api.changes.writes import WRITES
from api.examples import example_of
from api.identity.bodies import BODIES
from api.requests.pages import SESSION
from api.texts import field_text

TOO_MANY_DECIMALS = field_text("too-many-decimals", {}, "en")
SESSION_SAYS = (
    "Of `POST /session`; every change then needs its `X-CSRF-Token`. Behind TLS its name begins with `__Host-`."
)
_REF = "#/components/schemas/{model}"


class FieldProblem(BaseModel):
    """One field that does not fit."""

    where: str = Field(alias="in", description="body, query, path or header", examples=["body"])
    pointer: str = Field(description="RFC 6901 pointer to the field", examples=["/amount"])
    code: str = Field(examples=["too-many-decimals"])
    message: str = Field(examples=[TOO_MANY_DECIMALS])


class ProblemDocument(BaseModel):
    """RFC 9457 problem details; `code` is stable, the texts follow Accept-Language (zh-CN, en)."""

    type: str = Field(examples=["/api/v1/problems/invalid-fields"])
    title: str = Field(examples=["Some of what was sent does not fit"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=[f"amount: {TOO_MANY_DECIMALS}"])
    instance: str = Field(examples=["/api/v1/receivables"])
    code: str = Field(examples=["invalid-fields"])
    errors: list[FieldProblem]


_PROBLEMS = {
    "400": "The request cannot be read.",
    "401": "No valid token was sent, and no session goes on.",
    "403": "This member may not do this.",
    "404": "There is no such thing.",
    "409": "A business rule refuses it, or somebody else changed it at the same time.",
    "412": "The version in If-Match is no longer the newest.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "Fields do not fit; `errors` names them.",
    "429": "Too many requests; try again after Retry-After.",
    "431": "The address and the headers are too large.",
    "503": "The database is away, busy or full, the question takes too long, or too much waits already, be it for one"
    " record (`record-busy`); try again after Retry-After.",
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds until it is worth trying again.", "schema": {"type": "integer"}}
}
_RETRYABLE_STATUSES = ("429", "503")
_WRITE_ONLY = ("409", "412", "413", "415")


def install(app: FastAPI) -> None:
    """Makes the app's document the complete one."""
    basic = app.openapi

    def complete() -> dict[str, Any]:
        if "securitySchemes" not in (app.openapi_schema or {}).get("components", {}):
            app.openapi_schema = _completed(basic())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    models: list[Any] = [(write.command, "validation") for write in WRITES]
    models += [(Batch, "validation"), (RevealAsked, "validation"), (ProblemDocument, "validation")]
    models += [(body, "validation") for body in BODIES]
    _, defined = models_json_schema(models, ref_template=_REF)
    schemas.update(defined.get("$defs", {}))
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for write in WRITES:
        _leave_out(schemas[write.command.__name__], write.path_fields)
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": SESSION, "description": SESSION_SAYS},
    }
    document["security"] = [{"token": []}, {"session": []}]
    for path in document["paths"].values():
        for method, operation in path.items():
            _add_problems(operation, is_write=method != "get")
            _add_example(operation, schemas)
    return document


def _leave_out(schema: dict[str, Any], names: tuple[str, ...]) -> None:
    """Takes fields out of a body's schema: those that stand in the path."""
    for name in names:
        schema["properties"].pop(name, None)
    required = [name for name in schema.get("required", ()) if name not in names]
    schema.pop("required", None)
    if required:
        schema["required"] = required
    for example in schema.get("examples", ()):
        for name in names:
            example.pop(name, None)


def _add_example(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Shows what the answer looks like when it goes well."""
    for status, answer in operation["responses"].items():
        shown = answer.get("content", {}).get("application/json")
        if status.startswith("2") and shown is not None:
            shown["example"] = example_of(operation["operationId"], shown["schema"], schemas)


def _add_problems(operation: dict[str, Any], is_write: bool) -> None:
    content = {"application/problem+json": {"schema": {"$ref": _REF.format(model="ProblemDocument")}}}
    for status, says in _PROBLEMS.items():
        if is_write or status not in _WRITE_ONLY:
            headers = {"headers": _RETRY_AFTER} if status in _RETRYABLE_STATUSES else {}
            operation["responses"][status] = {"description": says, "content": content, **headers}


def methods_at(app: FastAPI, path: str) -> list[str]:
    """The methods that an address takes."""
    for template, operations in app.openapi()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return sorted(method.upper() for method in operations)
    return ["GET"]
