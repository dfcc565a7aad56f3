"""Requests that build on the answers to others, as each role: whatever comes of them, the document is kept to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import FlakyStrategyDefinition
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode

from aggregates.choices import Role
from api.app import create_app
from api.limits.buckets import Allowance, Limits
from integration.serving import Api, serving
from integration.test_api_document import CHECKS, EXAMPLES, SECRET_MOBILE, SECRET_NAME
from policy.table import GRANTS, Scope

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Do not use the `random` module")
STEPS = 12
CONDITIONS = ("If-Match", "Idempotency-Key")
"""Headers that make nearly every request fail when they are drawn at random; other tests send them."""


def linked(document: dict[str, Any]) -> dict[str, Any]:
    """The document, with links from what makes something to all that can be asked of it, and done with it."""
    for path, operations in document["paths"].items():
        made = operations.get("post", {}).get("responses", {}).get("201")
        if made is None:
            continue
        of_it = re.compile(rf"/api/v1/{path.rsplit('/', 1)[-1]}/\{{id\}}(/.*)?")
        made["links"] = {
            operation["operationId"]: {
                "operationId": operation["operationId"],
                "parameters": {"id": "$response.body#/id"},
            }
            for other, methods in document["paths"].items()
            if of_it.fullmatch(other) and not other.endswith("/events")
            for operation in methods.values()
        }
    return document


@pytest.fixture(scope="module")
def api(server: str) -> Iterator[Api]:
    """One service for all roles, since reading the document takes longer than asking."""
    with serving(server) as served:
        yield served


@pytest.fixture(scope="module")
def machine(api: Api) -> Any:
    """Draws requests, and ids for them from the answers to those before."""
    app = create_app(api.services, Limits(unauthenticated=Allowance(0, 0)))
    schema = schemathesis.openapi.from_dict(linked(app.openapi()))
    schema.app = app
    schema.config.analysis.constants.enabled = False
    schema.config.generation.update(modes=[GenerationMode.POSITIVE])
    return schema.as_state_machine()


@pytest.mark.parametrize("role", Role)
def test_sequences_of_requests_keep_to_the_document(api: Api, machine: Any, role: Role) -> None:
    stranger, somebody = api.signed_in("sales"), api.signed_in(role)
    contact = {"name": "王", "mobile": SECRET_MOBILE}
    customer = api.customer(SECRET_NAME, owner_id=str(stranger.member_id), contacts=[contact])
    sees = GRANTS["customers.read"][role] is Scope.ALL
    shows = GRANTS["contacts.see"][role] is Scope.ALL
    secrets = [*(() if sees else (SECRET_NAME, customer)), *(() if shows else (SECRET_MOBILE,))]
    known = {"customers": customer, "opportunities": api.opportunity(customer), "receivables": api.receivable(customer)}
    answered: Counter[tuple[str, int]] = Counter()
    failures: list[str] = []

    class Sequence(machine):  # type: ignore[misc]
        """One member at work."""

        def setup(self) -> None:
            """Nothing was asked yet."""
            super().setup()
            self.asked, self.made = 0, dict(known)

        def before_call(self, case: Any) -> None:
            """Most requests are to get through, every other one to what was made last."""
            for name in CONDITIONS:
                (case.headers or {}).pop(name, None)
            kind, self.asked = case.operation.path.split("/")[3], self.asked + 1
            if "id" in (case.path_parameters or {}) and kind in self.made and self.asked % 2:
                case.path_parameters["id"] = self.made[kind]

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            """Signed in."""
            return {"headers": somebody.headers}

        def validate_response(self, response: Any, case: Any, **_: Any) -> None:
            """As the document says, and without what this one may not know."""
            answered[case.operation.label, response.status_code] += 1
            if response.status_code == 201:
                self.made[case.operation.path.rsplit("/", 1)[-1]] = response.json()["id"]
            try:
                case.validate_response(response, checks=CHECKS)
            except FailureGroup as found:
                failures.append(f"{case.operation.label}: {found!r:.1500}")
            asked_with = f"{case.path_parameters} {case.query} {case.body}"
            is_reveal = case.operation.path.endswith("/contact-details")
            told = [each for each in secrets if each in response.text and each not in asked_with and not is_reveal]
            if told:
                failures.append(f"{case.operation.label} tells {told}")

    chosen = settings(
        max_examples=2 * EXAMPLES if role is Role.ADMINISTRATOR else max(1, EXAMPLES // 3),
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with suppress(FlakyStrategyDefinition):  # the service remembers what earlier sequences did, and answers otherwise
        Sequence.run(settings=chosen)
    assert not failures, "\n\n".join(failures)
    assert any(status < 300 for _, status in answered)
    if role is Role.ADMINISTRATOR:
        assert any(status == 201 for _, status in answered)
        assert any(status == 200 and "{id}" in label for label, status in answered)
