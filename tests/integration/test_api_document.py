"""The OpenAPI document is kept to: whatever it allows to be asked is answered as it says, and never with a 5xx."""

from __future__ import annotations

import os
from collections.abc import Callable
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

from aggregates.choices import Role
from api.app import create_app
from api.limits.buckets import Allowance, Limits
from integration.serving import Api
from policy.table import GRANTS, Scope

# Threads of the service draw at random, too: hypothesis takes that for drawing within a strategy.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")
EXAMPLES = int(os.environ.get("CRM_TEST_EXAMPLES", "6"))
"""Requests of each route; more of them take longer and find more."""
EXAMPLES_OF_ROLE = max(2, EXAMPLES // 4)
SECRET_NAME, SECRET_MOBILE, SECRET_EMAIL = "只有他知道的公司", "13877770001", "only-his-own@example.com"
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def operations(api: Api) -> list[Any]:
    """Every operation of the document, which remembers what it found out to be asked; a stream has no end."""
    app = create_app(api.services, Limits(unauthenticated=Allowance(0, 0)))
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    schema.config.analysis.constants.enabled = False  # trying every constant of our code on every field takes gigabytes
    found: list[Any] = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    return [operation for operation in found if not operation.path.endswith("/events")]


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("part", range(3))
def test_every_operation_answers_as_the_document_says(
    api: Api, operations: list[Any], part: int, mode: GenerationMode
) -> None:
    customer = api.customer("文档客户")
    known = {
        "customers": customer,
        "opportunities": api.opportunity(customer),
        "receivables": api.receivable(customer),
        "members": str(api.member_id),
    }
    assert len(operations) > 70
    failures: list[str] = []
    for operation in operations[part::3]:
        try:
            _check(api, operation, mode, known.get(operation.path.split("/")[3]), EXAMPLES)
        except Exception as found:
            failures.append(f"{operation.method} {operation.path}: {found!r:.1500}")
    assert not failures, "\n\n".join(failures)


@pytest.mark.parametrize("role", Role)
def test_no_role_is_told_what_it_may_not_know_by_any_operation(api: Api, operations: list[Any], role: Role) -> None:
    stranger, somebody = api.signed_in("sales"), api.signed_in(role)
    contact = {"name": "王", "mobile": SECRET_MOBILE, "email": SECRET_EMAIL}
    customer = api.customer(SECRET_NAME, owner_id=str(stranger.member_id), contacts=[contact])
    known = {
        "customers": customer,
        "opportunities": api.opportunity(customer, name=SECRET_NAME),
        "receivables": api.receivable(customer),
    }
    api.read("/tracking")
    sees = GRANTS["customers.read"][role] is Scope.ALL
    is_open = GRANTS["contacts.see"][role] is Scope.ALL
    secrets = [*(() if sees else (SECRET_NAME, customer)), *(() if is_open else (SECRET_MOBILE, SECRET_EMAIL))]
    failures: list[str] = []

    def tells(answer: str) -> str | None:
        return next((secret for secret in secrets if secret in answer), None)

    for operation in operations:
        kind = operation.path.split("/")[3]
        if operation.path.endswith("/contact-details"):
            continue  # this one tells it on purpose, and keeps that it did
        try:
            _check(somebody, operation, GenerationMode.POSITIVE, known.get(kind), EXAMPLES_OF_ROLE, tells)
        except Exception as found:
            failures.append(f"{operation.method} {operation.path}: {found!r:.1500}")
    assert not failures, "\n\n".join(failures)


def _check(
    api: Api,
    operation: Any,
    mode: GenerationMode,
    known: str | None,
    examples: int,
    tells: Callable[[str], str | None] = lambda _: None,
) -> None:
    """Ask the operation what it may be asked (or what it may not), every other time about something that is there.

    `tells` finds in an answer what should not be there.
    """
    asked = 0

    @seed(1)
    @settings(
        max_examples=examples,
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
        asked_with = f"{case.path_parameters} {case.query}"
        told = tells(answered.text)
        assert told is None or told in asked_with, f"{told} in {answered.text[:500]}"

    try:
        each()
    except Unsatisfiable:
        return  # there is nothing that this one may not be asked
