"""Writes: one route for each command, whose body is the command; it is read strictly, done, and answered for."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args
from uuid import UUID

import msgspec
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from aggregates.workspace import WORKSPACE_ID
from api.answers.problems import FieldFault, invalid, malformed_header
from api.answers.refusals import unknown_reference
from api.limits.queueing import bulkhead, turn_at
from api.requests.asking import ID, Parameter
from api.requests.bodies import read_json_bytes, read_model, refuse_ambiguous, refuse_malformed
from api.requests.identity import identify
from api.services import Services, services_of
from commands.base import Command, execute
from commands.members import InviteMember
from commands.turns import Turns
from ledger.errors import NotFound
from ledger.outcome import Outcome
from policy import Actor
from policy.identity.refusals import LimitedToken

_ETAG = re.compile(r'"(\d{1,18})"')
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
FIXED = {"/workspace": WORKSPACE_ID}
"""Routes to the one thing of its kind."""
_PATH_FIELD = re.compile(r"\{(\w+)\}")


class Written(BaseModel):
    """Where a command was written: what it was done to, its version after it, and the position in the ledger."""

    id: UUID = Field(examples=["0192f0c1-7d5a-7cc3-a1b2-0123456789ab"])
    version: int = Field(examples=[3])
    position: int = Field(examples=[1024])


@dataclass(frozen=True)
class Write:
    """A route that does one command; names in the path other than `id` are fields of the command.

    `awaits_reads`: the command waits until the read models know everything that was written, and has other threads.
    """

    method: str
    path: str
    command: type[Command]
    status: int = 200
    makes: str | None = None
    awaits_reads: bool = False

    @property
    def path_fields(self) -> tuple[str, ...]:
        """The command's fields that stand in the path."""
        return tuple(name for name in _PATH_FIELD.findall(self.path) if name != "id")

    @property
    def required_fields(self) -> tuple[str, ...]:
        """The command's fields that the body must have."""
        fields = self.command.model_fields
        return tuple(name for name in fields if fields[name].is_required() and name not in self.path_fields)

    @property
    def place(self) -> str:
        """Where the thing it answers for is found, up to its id."""
        return "/api/v1" + (self.makes or self.path.split("/{")[0])

    @property
    def example(self) -> dict[str, Any]:
        """A body that would do, without what stands in the path."""
        said: Any = self.command.model_config.get("json_schema_extra", {})
        examples = said.get("examples") or [self._least()]
        return {name: value for name, value in examples[0].items() if name not in self.path_fields}

    def _least(self) -> dict[str, Any]:
        """Only what must be given."""
        required = {name: field for name, field in self.command.model_fields.items() if field.is_required()}
        return {name: (field.examples or [_sample(field.annotation)])[0] for name, field in required.items()}


def _sample(annotation: Any) -> Any:
    """A value for a field that comes without an example."""
    return ID.example if annotation is UUID or UUID in get_args(annotation) else "新名称"


async def perform(request: Request, write: Write) -> Response:
    """Reads the command from the request, does it once, and says where it was written."""
    actor = await identify(request)
    if request.scope["query_string"]:
        name = next(iter(request.query_params), "")
        raise invalid(FieldFault("query", f"/{name[:100]}", "unknown-parameter", {"accepted": ()}))
    body = await read_json_bytes(request, if_none=b"{}")
    to = ID.read(request.path_params["id"]) if "id" in request.path_params else FIXED.get(write.path)
    expecting, key = if_match(request), idempotency_key(request)
    crm = services_of(request)
    read: Callable[[], Command] = partial(_command, crm, write, request.path_params, body, actor)
    record = to
    if to is None and "customer_id" in write.command.model_fields:
        command = await run_in_threadpool(read)
        read, record = lambda: command, command.record(to)
    if record is None:
        outcome = await run_in_threadpool(lambda: do(crm, read(), to, actor, expecting, key))
    else:
        outcome = await _in_turn(
            request, write, record, read, lambda command: do(crm, command, to, actor, expecting, key, in_turn=True)
        )
    return answer(outcome, write)


async def _in_turn(
    request: Request, write: Write, record: UUID, read: Callable[[], Command], execute_it: Callable[[Command], Outcome]
) -> Outcome:
    """Performs the command in its record's turn, for which no thread waits; what does not fit is refused before."""
    turns: Turns[UUID] = services_of(request).door.turns
    ticket = turns.join(record, max_waiting=0)
    command = await run_in_threadpool(read) if ticket is None else None

    def work() -> Outcome:
        return execute_it(read() if command is None else command)

    async with turn_at(request, turns, record, ticket):
        if write.awaits_reads:
            return await bulkhead(request, "waiting-reads").run(request, work)
        return await run_in_threadpool(work)


def _command(crm: Services, write: Write, path: Mapping[str, str], body: bytes, actor: Actor) -> Command:
    crm.policy.require(crm.door.look_up_actor(actor)[0], write.command.action)
    return read_model(write.command, with_path_fields(body, write, path) if write.path_fields else body)


def do(
    crm: Services,
    command: Command,
    to: UUID | None,
    actor: Actor,
    expecting: int | None = None,
    key: str | None = None,
    index: int = 0,
    *,
    in_turn: bool = False,
) -> Outcome:
    """Does the command; an unknown id inside it is told as a field that does not fit.

    Raises LimitedToken where a token for some roles would give its own member another address to sign in with.
    """
    if actor.only is not None and to == actor.member_id and isinstance(command, InviteMember):
        raise LimitedToken
    try:
        return execute(
            command, to=to, by=actor, door=crm.door, expecting=expecting, key=key, index=index, in_turn=in_turn
        )
    except NotFound as unknown:
        if unknown.values["id"] == to:
            raise
        raise unknown_reference(unknown, command.model_dump()) or unknown from None


def with_path_fields(body: bytes, write: Write, path: Mapping[str, str]) -> bytes:
    """The body with the fields that stand in the path; raises Problem where the body says otherwise."""
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        refuse_malformed(body, str(error))
    if not isinstance(fields, dict):
        return body
    refuse_ambiguous(body)
    for name in write.path_fields:
        raw = path[name]
        is_number = write.command.model_fields[name].annotation is int and re.fullmatch(r"\d{1,9}", raw, re.ASCII)
        value = int(raw) if is_number else raw
        if fields.setdefault(name, value) != value:
            raise invalid(FieldFault("body", f"/{name}", "unlike-path"))
    return msgspec.json.encode(fields)


def if_match(request: Request) -> int | None:
    """The version in If-Match; raises Problem 400 when it is not one of our ETags."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    found = _ETAG.fullmatch(given.strip().removeprefix("W/"))
    if not found:
        raise malformed_header("If-Match", "version-tag")
    return int(found[1])


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, quoted or not; raises Problem 400 when it cannot be one."""
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    key = given.strip().removeprefix('"').removesuffix('"')
    if not _KEY.fullmatch(key):
        raise malformed_header("Idempotency-Key", "request-key")
    return key


def answer(outcome: Outcome, write: Write) -> Response:
    """The answer to a command: `{id, version, position}`, with ETag and Location."""
    location = write.place if write.path in FIXED else f"{write.place}/{outcome.id}"
    headers = {"ETag": f'"{outcome.version}"', "Location": location}
    if outcome.replayed:
        headers["Idempotency-Replayed"] = "true"
    body = msgspec.json.encode({"id": outcome.id, "version": outcome.version, "position": outcome.position})
    return Response(body, status_code=write.status, headers=headers, media_type="application/json")


def add_write(router: APIRouter, write: Write) -> None:
    """Puts the route on the router, documented from the command itself."""
    summary, _, more = (write.command.__doc__ or write.command.__name__).strip().partition("\n")
    parameters = [*_path_parameters(write), *HEADERS]
    schema = {"$ref": f"#/components/schemas/{write.command.__name__}"}
    content = {"application/json": {"schema": schema, "example": write.example}}
    body = {"required": bool(write.required_fields), "content": content}
    operation = _snake(write.command.__name__) + (f"_at_{write.path.split('/')[1]}" if write.makes else "")
    router.add_api_route(
        write.path,
        _endpoint(write),
        methods=[write.method],
        status_code=write.status,
        response_model=Written,
        name=operation,
        operation_id=operation,
        summary=summary,
        description=more.strip() or summary,
        tags=[write.path.split("/")[1]],
        openapi_extra={"parameters": parameters, "requestBody": body},
    )


def _endpoint(write: Write) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await perform(request, write)

    return endpoint


def _path_parameters(write: Write) -> list[dict[str, Any]]:
    shown = [ID.openapi] if "{id}" in write.path else []
    for name in write.path_fields:
        field = write.command.model_fields[name]
        annotation: Any = field.annotation
        kind: Any = "uuid" if annotation is UUID else "number" if annotation is int else "text"
        shown.append(Parameter(name, kind, field.description or f"The command's `{name}`.", place="path").openapi)
    return shown


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


HEADERS: list[dict[str, Any]] = [
    {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The version you read, as its ETag; 412 when it has changed since.",
        "schema": {"type": "string"},
        "example": '"2"',
    },
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "A key of your own: the same key and body give the same answer, for 7 days at least.",
        "schema": {"type": "string", "maxLength": 200},
        "example": "6b0f3c1e-5d0a-4c57-9a5e-2f4f6f0b7c11",
    },
]
