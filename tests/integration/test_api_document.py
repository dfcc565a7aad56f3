"""The OpenAPI document is kept to: whatever it allows to be asked is answered as it says, and never with a 5xx."""

from __future__ import annotations

import os
from typing import Any
from warnings import catch_warnings, simplefilter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.limits.buckets import Allowance, Limits
from integration.serving import Api

EXAMPLES = int(os.environ.get("CRM_TEST_EXAMPLES", "8"))
"""Requests of each route; more of them take longer and find more."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def operations(api: Api) -> list[Any]:
    """Every operation of the document; a stream has no end to wait for."""
    app = create_app(api.services, Limits(unauthenticated=Allowance(0, 0)))
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    found: list[Any] = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    return [operation for operation in found if not operation.path.endswith("/events")]


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("part", range(3))
def test_every_operation_answers_as_the_document_says(api: Api, part: int, mode: GenerationMode) -> None:
    customer = api.customer("文档客户")
    known = {
        "customers": customer,
        "opportunities": api.opportunity(customer),
        "receivables": api.receivable(customer),
        "members": str(api.member_id),
    }
    every = operations(api)
    assert len(every) > 70
    failures: list[str] = []
    for operation in every[part::3]:
        try:
            _check(api, operation, mode, known.get(operation.path.split("/")[3]))
        except Exception as found:
            failures.append(f"{operation.method} {operation.path}: {found!r:.1500}")
    assert not failures, "\n\n".join(failures)


def _check(api: Api, operation: Any, mode: GenerationMode, known: str | None) -> None:
    """Ask the operation what it may be asked (or what it may not), every other time about something that is there."""
    asked = 0

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: Any) -> None:
        nonlocal asked
        asked += 1
        if known is not None and asked % 2 and "id" in (case.path_parameters or {}):
            case.path_parameters["id"] = known
        with catch_warnings():
            simplefilter("ignore")
            answered = case.call(headers=api.headers)
        case.validate_response(answered, checks=CHECKS)

    try:
        each()
    except Unsatisfiable:
        return  # there is nothing that this one may not be asked
