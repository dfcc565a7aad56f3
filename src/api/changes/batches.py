"""Many commands in one request: each is done or refused for itself, in order, with a result of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.answers.denied import is_denied, note_denied
from api.answers.problems import FieldFault, Problem, document, invalid
from api.answers.refusals import broken, problem_of
from api.changes.writing import HEADERS, do, idempotency_key
from api.limits.queueing import bulkhead
from api.requests.bodies import read_json_bytes, read_model
from api.requests.identity import identify
from api.requests.reading import json_response
from api.services import Services, services_of
from api.texts import Language, preferred
from commands import ALL, Command
from commands.turns import RETRY_SECONDS, RecordBusy
from ledger.errors import CredentialEnded
from policy import Actor

MOST = 500
MAX_BODY = 8 * 1_048_576
BATCH_SECONDS = 120.0
"""After which the commands of a batch that were not begun are refused, so that their sender may send them again."""
COMMANDS: dict[str, type[Command]] = {command.action: command for command in ALL}


class BatchItem(BaseModel):
    """One command: its name, what it is done to, the version seen of that, and the body its own route would take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: str = Field(max_length=100, examples=["log-follow-up"])
    to: UUID | None = Field(None, examples=["0192f0c1-7d5a-7cc3-a1b2-0123456789ab"])
    if_match: int | None = Field(None, ge=0, description="The version that you read.", examples=[2])
    body: dict[str, Any] = Field(default_factory=dict, examples=[{"method": "phone", "content": "介绍了方案"}])


class Batch(BaseModel):
    """Up to 500 commands, done in order; one that is refused does not keep the others from being done."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    commands: list[BatchItem] = Field(min_length=1, max_length=MOST)


class BatchResult(BaseModel):
    """What became of one command: where it was written, or the problem it met."""

    index: int
    status: int
    id: UUID | None = None
    version: int | None = None
    position: int | None = None
    problem: dict[str, Any] | None = None


class BatchAnswer(BaseModel):
    """The results, in the order of the commands."""

    done: int
    refused: int
    results: list[BatchResult]


async def do_batch(request: Request) -> Response:
    """Do up to 500 commands; with an Idempotency-Key the whole request can safely be repeated."""
    actor = await identify(request)
    if request.scope["query_string"]:
        name = next(iter(request.query_params), "")
        raise invalid(FieldFault("query", f"/{name[:100]}", "unknown-parameter", {"accepted": ()}))
    body, key = await read_json_bytes(request, MAX_BODY), idempotency_key(request)
    language = preferred(request.headers.get("accept-language"))
    crm = services_of(request)
    batch = await run_in_threadpool(read_model, Batch, body)
    work = partial(_all, crm, actor, key, language, request.url.path, request.app.state.identities.forget, batch)
    threads = bulkhead(request, "batches")
    records = Counter(item.to for item in batch.commands if item.to is not None)
    if not records:
        return await threads.run(request, work)
    [(mostly, _)] = records.most_common(1)
    return await threads.run_in_lane(request, mostly, work)


def _all(
    crm: Services,
    actor: Actor,
    key: str | None,
    language: Language,
    path: str,
    forget_tokens: Callable[[], None],
    batch: Batch,
) -> Response:
    results: list[dict[str, Any]] = []
    deadline = monotonic() + BATCH_SECONDS
    for index, item in enumerate(batch.commands):
        try:
            if monotonic() > deadline:
                results.append(_refused(RecordBusy(seconds=RETRY_SECONDS), index, language, path))
            else:
                results.append(_one(crm, item, index, actor, key, language, path))
        except CredentialEnded as ended:
            if not results:
                raise
            forget_tokens()
            results += [_refused(ended, later, language, path) for later in range(index, len(batch.commands))]
            break
    refused = sum("problem" in result for result in results)
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    return json_response({"done": len(results) - refused, "refused": refused, "results": results}, headers=headers)


def _one(
    crm: Services, item: BatchItem, index: int, actor: Actor, key: str | None, language: Language, path: str
) -> dict[str, Any]:
    try:
        outcome = do(crm, _command(crm, item, index, actor), item.to, actor, item.if_match, key, index)
    except CredentialEnded:
        raise
    except Exception as error:
        if is_denied(error):
            note_denied(crm, actor, error)
        return _refused(error, index, language, path)
    return {"index": index, "status": 200, "id": outcome.id, "version": outcome.version, "position": outcome.position}


def _refused(error: Exception, index: int, language: Language, path: str) -> dict[str, Any]:
    problem = problem_of(error) or broken(error)
    shown = document(_inside(problem, index), language, f"{path}#/commands/{index}")
    return {"index": index, "status": problem.status, "problem": shown}


def _command(crm: Services, item: BatchItem, index: int, actor: Actor) -> Command:
    model = COMMANDS.get(item.command)
    if model is None:
        pointer = f"/commands/{index}/command"
        raise _Placed(invalid(FieldFault("body", pointer, "unknown-command", {"accepted": tuple(COMMANDS)})))
    crm.policy.require(crm.door.look_up_actor(actor)[0], model.action)
    return model.model_validate(item.body)


class _Placed(Problem):
    """A problem whose pointers already begin at the request's own body."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.status, problem.code, problem.values, problem.faults, problem.headers)


def _inside(problem: Problem, index: int) -> Problem:
    """The same problem, its pointers beginning at the request's body."""
    if isinstance(problem, _Placed):
        return problem
    faults = [
        FieldFault(fault.place, f"/commands/{index}/body{fault.pointer}", fault.code, fault.values)
        for fault in problem.faults
    ]
    return Problem(problem.status, problem.code, problem.values, faults, problem.headers)


def add_batches(router: APIRouter) -> None:
    """Puts the route on the router."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Batch"}, "example": _EXAMPLE}}
    router.add_api_route(
        "/commands",
        do_batch,
        methods=["POST"],
        response_model=BatchAnswer,
        operation_id="do_batch",
        summary="Do up to 500 commands in one request, with a result for each",
        tags=["commands"],
        openapi_extra={"parameters": HEADERS[1:], "requestBody": {"required": True, "content": content}},
    )


_EXAMPLE = {
    "commands": [
        {
            "command": "log-follow-up",
            "to": "0192f0c1-7d5a-7cc3-a1b2-0123456789ab",
            "body": {"method": "phone", "content": "介绍了方案"},
        }
    ]
}
