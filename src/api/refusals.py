"""Where what went wrong below meets HTTP: one table of statuses, and nothing that a client sends ends as a 500."""

from __future__ import annotations

import logging
import secrets
from typing import Any

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout
from pydantic import ValidationError

from aggregates.base import DomainError
from api.asking import query_fault
from api.problems import FieldFault, Problem, invalid, pointer_to
from ledger.errors import ClaimTaken, DatabaseAway, NotFound
from projections.engine.failures import BuildFailed, NotBuilt
from projections.engine.listing import QueryRefused

RETRY_SECONDS = 2
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
    "product-name-missing": 422,
    "stages-unclear": 422,
    "loss-reason-missing": 422,
    "amount-not-positive": 422,
    "customer-unclear": 422,
    "due-before-issued": 422,
    "contact-unknown": 422,
    "entry-unknown": 422,
    "payment-unknown": 422,
    "query-refused": 422,
    "stage-unknown": 422,
    "unknown-grouping": 422,
    "future-moment": 422,
    "key-reused": 422,
    # The rest of HTTP's own.
    "forbidden": 403,
    "not-found": 404,
    "stale-version": 412,
}
"""The status of each refusal; a business rule that is not named here answers 409."""

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
    if isinstance(error, (DatabaseAway, PoolTimeout, PoolClosed)) or _is_away(error):
        return Problem(503, "database-away", {"seconds": RETRY_SECONDS}, headers={"Retry-After": str(RETRY_SECONDS)})
    if isinstance(error, NotBuilt):
        return _not_visible(error)
    if isinstance(error, BuildFailed):
        return Problem(503, "copy-failed", {"projection": error.projection, "job": error.job_id})
    if isinstance(error, (psycopg.DataError, psycopg.errors.StatementTooComplex)):
        return Problem(422, "invalid-fields", {"count": 1})
    return None


def broken(error: Exception, where: str) -> Problem:
    """A mistake of ours: the log gets it whole, the client a number to ask about."""
    incident = secrets.token_hex(6)
    _log.error("incident %s in %s", incident, where, exc_info=error)
    return Problem(500, "internal", {"incident": incident})


def _not_visible(error: NotBuilt) -> Problem:
    values = {"projection": error.projection, "after": error.wanted, "position": error.position}
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return Problem(503, "not-visible-yet", {**values, "seconds": RETRY_SECONDS}, headers=headers)


def _is_away(error: Exception) -> bool:
    """The connection is gone or the server is going down; not a statement that is wrong."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return True
    return isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))


def _refusal(error: DomainError) -> Problem:
    faults: list[FieldFault] = []
    if error.code in QUERY_FIELDS:
        faults = [FieldFault("query", f"/{QUERY_FIELDS[error.code]}", error.code, error.values)]
    elif isinstance(error, ClaimTaken) and error.values["kind"] in CLAIMED_FIELDS:
        faults = [FieldFault("body", pointer_to([CLAIMED_FIELDS[error.values["kind"]]]), error.code, error.values)]
    elif error.pointer:
        faults = [FieldFault("body", pointer_to([error.pointer]), error.code, error.values)]
    return Problem(STATUS.get(error.code, 409), error.code, error.values, faults)


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


def validation_faults(error: ValidationError, before: tuple[str | int, ...] = ()) -> list[FieldFault]:
    """What pydantic found, as faults of fields."""
    faults = []
    for found in error.errors(include_url=False, include_input=False):
        values = dict(found.get("ctx") or {})
        faults.append(FieldFault("body", pointer_to((*before, *found["loc"])), found["type"], values))
    return faults


def malformed_by(error: ValidationError) -> str | None:
    """Why the body is no JSON at all; none when it is JSON that does not fit."""
    for found in error.errors(include_url=False, include_input=False):
        if found["type"] == "json_invalid":
            return str((found.get("ctx") or {}).get("error", found["msg"]))
    return None
