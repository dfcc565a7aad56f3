"""Where what went wrong below meets HTTP: one table of statuses, and nothing that a client sends ends as a 500."""

from __future__ import annotations

import logging
import re
import secrets
from typing import Any, get_args

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests
from pydantic import BaseModel, ValidationError

from aggregates.base import DomainError
from api.answers.field_codes import our_code
from api.answers.problems import FieldFault, Problem, invalid, pointer_to, shortened
from commands import ALL
from ledger.errors import ClaimTaken, CredentialEnded, DatabaseAway, DatabaseBusy, NotFound, StaleVersion
from projections.engine.failures import BuildFailed, NotBuilt
from projections.engine.lists.refused import QueryRefused

RETRY_SECONDS, PERSON_SECONDS = 2, 30
"""When to try again: what passes by itself, and what somebody has to see to."""
_log = logging.getLogger("genjin.api")

STATUS: dict[str, int] = {
    # What was sent does not fit, whatever the state of things.
    "date-in-future": 422,
    "follow-up-in-future": 422,
    "next-contact-too-early": 422,
    "deal-date-missing": 422,
    "call-back-intent-missing": 422,
    "call-back-intent-uncalled-for": 422,
    "churn-reason-missing": 422,
    "churn-reason-uncalled-for": 422,
    "won-without-basis": 422,
    "reason-missing": 422,
    "name-missing": 422,
    "opportunity-name-missing": 422,
    "opportunity-owner-missing": 422,
    "hand-over-to-self": 422,
    "product-name-missing": 422,
    "stages-unclear": 422,
    "loss-reason-missing": 422,
    "amount-not-positive": 422,
    "customer-unclear": 422,
    "due-before-issued": 422,
    "due-against-terms": 422,
    "contact-unknown": 422,
    "entry-unknown": 422,
    "payment-unknown": 422,
    "query-refused": 422,
    "stage-unknown": 422,
    "unknown-grouping": 422,
    "future-moment": 422,
    "key-reused": 422,
    "password-too-short": 422,
    "password-too-long": 422,
    "password-too-plain": 422,
    "password-names-member": 422,
    "password-wrong": 422,
    "code-unusable": 422,
    "role-not-held": 422,
    "outlives-its-maker": 422,
    # The rest of HTTP's own.
    "sign-in-refused": 401,
    "credential-ended": 401,
    "openid-refused": 401,
    "sign-in-slowed": 429,
    "openid-off": 404,
    "openid-away": 503,
    "record-busy": 503,
    "forbidden": 403,
    "limited-token": 403,
    "not-found": 404,
    "stale-version": 412,
}
"""The status of each refusal; a business rule that is not named here answers 409."""

_STATES = {
    "53100": "database-full",
    "53400": "database-full",
    "25006": "database-read-only",
    "57014": "query-too-slow",
    "55P03": "database-busy",
    "53200": "database-busy",
    "53300": "database-busy",
}
"""What the database says when it cannot, by SQLSTATE: full disks and temporary files, a server that only answers
questions (so some providers do it before a disk is full), timeouts, locks, memory and connections."""
_FOR_A_PERSON = ("database-full", "database-read-only")

CLAIMED_FIELDS = {
    "customer-code": "code",
    "legacy-code": "legacy_code",
    "opportunity-number": "number",
    "invoice-no": "invoice_no",
    "order-no": "order_no",
    "product-name": "name",
}
"""The field of a command that each kind of claim comes from."""
QUERY_FIELDS = {"unknown-grouping": "by", "future-moment": "as_of"}


def problem_of(error: Exception) -> Problem | None:
    """The problem that tells of an error; none for what is a mistake of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, QueryRefused):
        return invalid(query_fault(error))
    if isinstance(error, DomainError):
        return _refusal(error)
    if isinstance(error, ValidationError):
        return invalid(*validation_faults(error))
    if (code := _code_of_database(error)) is not None:
        seconds = PERSON_SECONDS if code in _FOR_A_PERSON else RETRY_SECONDS
        return Problem(503, code, {"seconds": seconds}, headers={"Retry-After": str(seconds)})
    if isinstance(error, NotBuilt):
        return _not_visible(error)
    if isinstance(error, BuildFailed):
        return Problem(503, "copy-failed", {"projection": error.projection, "job": error.job_id})
    if isinstance(error, (psycopg.DataError, psycopg.errors.StatementTooComplex)):
        return invalid(FieldFault("body", "", "unstorable"))
    return None


def query_fault(refused: QueryRefused) -> FieldFault:
    """A refused list query, as a fault of one parameter."""
    return FieldFault("query", f"/{shortened(refused.parameter)}", refused.code, refused.values)


def broken(error: Exception, request_id: str | None = None) -> Problem:
    """A mistake of ours: the log gets its kind and where it happened, the client a number to ask about.

    That number is the request's id: the line of the request has the route, which is never an address.
    """
    incident = request_id or secrets.token_hex(8)
    _log.error("incident %s", incident, exc_info=error)
    return Problem(500, "internal", {"incident": incident})


def _not_visible(error: NotBuilt) -> Problem:
    values = {"projection": error.projection, "after": error.wanted, "position": error.position}
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return Problem(503, "not-visible-yet", {**values, "seconds": RETRY_SECONDS}, headers=headers)


def _code_of_database(error: Exception) -> str | None:
    """Why the database did not do it; none where the statement itself is wrong."""
    cause = error.__cause__ if isinstance(error, DatabaseAway) else error
    if isinstance(cause, psycopg.Error) and cause.sqlstate in _STATES:
        code = _STATES[cause.sqlstate]
        return "database-busy" if code == "query-too-slow" and isinstance(error, DatabaseBusy) else code
    if isinstance(error, (DatabaseBusy, TooManyRequests)):
        return "database-busy"
    away = (DatabaseAway, PoolTimeout, PoolClosed, psycopg.OperationalError, psycopg.InterfaceError)
    return "database-away" if isinstance(error, away) else None


def _refusal(error: DomainError) -> Problem:
    if isinstance(error, StaleVersion):
        return _stale(error)
    faults: list[FieldFault] = []
    if error.code in QUERY_FIELDS:
        faults = [FieldFault("query", f"/{QUERY_FIELDS[error.code]}", error.code, error.values)]
    elif isinstance(error, ClaimTaken) and error.values["kind"] in CLAIMED_FIELDS:
        faults = [FieldFault("body", pointer_to([CLAIMED_FIELDS[error.values["kind"]]]), error.code, error.values)]
    elif error.pointer:
        faults = [FieldFault("body", pointer_to([error.pointer]), error.code, error.values)]
    status = STATUS.get(error.code, 409)
    return Problem(status, error.code, error.values, faults, _headers(status, error))


def _headers(status: int, error: DomainError) -> dict[str, str]:
    """What HTTP asks for beside the status."""
    if isinstance(error, CredentialEnded):
        return {"WWW-Authenticate": 'Bearer realm="genjin", error="invalid_token"'}
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="genjin"'}
    return {"Retry-After": str(error.values["seconds"])} if status in (429, 503) and "seconds" in error.values else {}


def _stale(error: StaleVersion) -> Problem:
    """412: the fields that were changed since, or that there is no such version yet."""
    if error.values["expected"] > error.values["actual"]:
        fault = FieldFault("header", "/If-Match", "version-ahead", error.values)
        return Problem(412, "version-ahead", error.values, (fault,))
    changed = error.values["changed_fields"]
    faults = [FieldFault("body", pointer_to([name]), "changed-since", error.values) for name in changed]
    return Problem(412, error.code, error.values, faults)


def unknown_reference(error: NotFound, sent: Any) -> Problem | None:
    """422 that names the field of a body which holds an id that belongs to nothing; none when no field holds it."""
    path = _path_of(str(error.values["id"]), sent)
    if path is None:
        return None
    return invalid(FieldFault("body", pointer_to(path), "not-found", error.values))


def _path_of(wanted: str, value: Any) -> tuple[str | int, ...] | None:
    if isinstance(value, dict):
        steps: Any = value.items()
    elif isinstance(value, (list, tuple)):
        steps = enumerate(value)
    else:
        return () if str(value) == wanted else None
    for step, item in steps:
        found = _path_of(wanted, item)
        if found is not None:
            return (step, *found)
    return None


def validation_faults(error: ValidationError, model: type[BaseModel] | None = None) -> list[FieldFault]:
    """What pydantic found, as faults of fields; those of a command when no other model is named."""
    model = model or _COMMANDS.get(error.title)
    faults = []
    for found in error.errors(include_url=False, include_input=False):
        values = dict(found.get("ctx") or {})
        if found["type"] == "extra_forbidden":
            values["accepted"] = known_fields(model, found["loc"][:-1])
        elif "expected" in values or "expected_tags" in values:
            values["accepted"] = _listed(str(values.get("expected") or values.get("expected_tags")))
        faults.append(FieldFault("body", pointer_to(found["loc"]), our_code(found["type"]), values))
    return faults


_COMMANDS: dict[str, type[BaseModel]] = {command.__name__: command for command in ALL}
_QUOTED = re.compile(r"'([^']*)'")


def _listed(expected: str) -> tuple[str, ...]:
    """The values that pydantic lists in an English sentence."""
    return tuple(_QUOTED.findall(expected)) or (expected,)


def known_fields(model: Any, path: tuple[str | int, ...]) -> tuple[str, ...]:
    """The names of the fields at a place in a model's body; none where the place is no model."""
    for step in path:
        model = _model_in(model)
        if model is None:
            return ()
        if isinstance(step, str) and step in model.model_fields:
            model = model.model_fields[step].annotation
    found = _model_in(model)
    return () if found is None else tuple(found.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is, or holds (a list of them, one or none)."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)


def malformed_by(error: ValidationError) -> str | None:
    """Why the body is no JSON at all; none when it is JSON that does not fit."""
    for found in error.errors(include_url=False, include_input=False):
        if found["type"] == "json_invalid":
            return str((found.get("ctx") or {}).get("error", found["msg"]))
    return None
