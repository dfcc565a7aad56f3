"""`crm repair`: opportunities of nobody get owners by events with a reason, and a second run finds nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from aggregates.base import Acting, acting
from aggregates.business_days import Calendar
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_PIPELINE_ID, Pipeline
from crm.cli import app
from crm.repairs import REPAIRS
from integration.serving import Api, serving
from ledger.errors import NotFound


@pytest.fixture
def api(server: str) -> Iterator[Api]:
    """The service, with an administrator signed in."""
    with serving(server) as served:
        yield served


@pytest.fixture
def crm(api: Api, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `crm repair` on the workspace of the service; answers with the exit code and what was printed."""

    @contextmanager
    def services() -> Iterator[Any]:
        yield api.services

    monkeypatch.setattr("crm.console.opening.working_services", services)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["repair", *words], catch_exceptions=False)
        return done.exit_code, done.output

    return run


def unowned(api: Api, customer: str, actor: str) -> str:
    """An opportunity as it was opened before each had an owner."""
    door = api.services.door
    work = door.work()
    with acting(Acting(actor, uuid4(), "api", work.now)):
        try:
            pipeline = api.services.ledger.load(Pipeline, DEFAULT_PIPELINE_ID)
        except NotFound:
            pipeline = Pipeline.default()
        deal = Opportunity.open(
            work.new_id(),
            Calendar(work.now, work.settings.zone),
            customer_id=UUID(customer),
            pipeline=pipeline,
            currency="CNY",
            name="x",
        )
        api.position = api.services.ledger.save(deal, pipeline).position
    return str(deal.id)


def owner_of(api: Api, opportunity: str) -> str | None:
    """The present owner."""
    api.position = api.head()
    owner_id: str | None = api.read(f"/opportunities/{opportunity}")["owner_id"]
    return owner_id


def test_every_opportunity_gets_the_owner_that_it_should_have_had(api: Api, crm: Any) -> None:
    ann, ben, gone = api.signed_in("sales"), api.signed_in("sales"), api.signed_in("sales")
    of_ann, of_nobody, of_gone = (
        api.customer("甲", owner_id=str(ann.member_id)),
        api.customer("乙"),
        gone.customer("丙"),
    )
    by_ben, by_gone = f"member:{ben.member_id}", f"member:{gone.member_id}"
    expected = {
        unowned(api, of_ann, by_ben): str(ann.member_id),
        unowned(api, of_nobody, by_ben): str(ben.member_id),
        unowned(api, of_gone, by_ben): str(ben.member_id),
        unowned(api, of_ann, "import:7"): str(ann.member_id),
    }
    hopeless = {
        unowned(api, of_nobody, "import:7"): "its customer has no owner, and import:7, which opened it, is no member",
        unowned(
            api, of_gone, by_gone
        ): "its customer's owner is not active, and the member who opened it is not active",
    }
    owned = ann.opportunity(of_ann)
    api.done(f"/members/{gone.member_id}/suspension")

    head = api.head()
    code, printed = crm("--dry-run", "--json")
    assert (code, api.head()) == (0, head)
    document = json.loads(printed)
    (repair,) = document["repairs"]
    assert (document["dry_run"], repair["name"]) == (True, "unowned-opportunities")
    found = {each["id"]: each for each in repair["findings"]}
    assert {deal: each["state"] for deal, each in found.items()} == {
        **dict.fromkeys(expected, "repairable"),
        **dict.fromkeys(hopeless, "not-repairable"),
    }
    assert all(owner_id in found[deal]["remedy"] for deal, owner_id in expected.items())
    said = {
        deal: found[deal]["obstacle"].partition(": assign one with POST /api/v1/opportunities/") for deal in hopeless
    }
    assert {deal: why for deal, (why, _, _) in said.items()} == hopeless
    assert {deal: place for deal, (_, _, place) in said.items()} == {deal: f"{deal}/owner" for deal in hopeless}

    code, printed = crm("--json")
    assert code == 0
    repaired = {each["id"]: each for each in json.loads(printed)["repairs"][0]["findings"]}
    assert {deal for deal, each in repaired.items() if each["state"] == "repaired"} == set(expected)
    assert {deal: owner_of(api, deal) for deal in expected} == expected
    assert owner_of(api, owned) == str(ann.member_id)
    events = api.get("/events", after=head, limit=100).json()["items"]
    assert [each["topic"] for each in events] == ["opportunity.owner-assigned"] * len(expected)
    assert {each["actor"] for each in events} == {"rule:repair"}
    assert {each["reason"] for each in events} == {
        "It had no owner; given to the customer's owner.",
        "It had no owner; given to the member who opened it.",
    }

    head = api.head()
    code, printed = crm("--json")
    left = json.loads(printed)["repairs"][0]["findings"]
    assert (code, api.head(), {each["id"] for each in left}) == (0, head, set(hopeless))


def test_a_terminal_shows_a_table(api: Api, crm: Any) -> None:
    assert "Nothing to repair." in crm()[1]
    deal = unowned(api, api.customer("甲"), f"member:{api.member_id}")
    shown = crm("--dry-run", "unowned-opportunities")[1]
    assert deal in shown
    assert str(api.member_id) in shown
    assert "1 of 1 would be repaired." in shown
    assert "1 of 1 were repaired." in crm()[1]
    assert "Nothing to repair." in crm()[1]


def test_what_was_changed_meanwhile_is_refused_and_found_by_the_next_run(
    api: Api, crm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal = unowned(api, api.customer("甲"), f"member:{api.member_id}")
    repair = REPAIRS["unowned-opportunities"]
    findings = repair.find(api.services)
    api.done(f"/opportunities/{deal}/amount", {"amount": "5"})
    monkeypatch.setattr(type(repair), "find", lambda self, services: findings)
    code, printed = crm("--json")
    (found,) = json.loads(printed)["repairs"][0]["findings"]
    assert (code, found["state"], found["obstacle"]) == (1, "refused", "stale-version")
    monkeypatch.undo()
    assert owner_of(api, deal) is None
    (finding,) = repair.find(api.services)
    assert repair.mend(finding, api.services).refusal is None
    assert owner_of(api, deal) == str(api.member_id)


def test_a_repair_that_is_not_there_is_refused_with_those_that_are(crm: Any) -> None:
    code, printed = crm("everything")
    assert code == 2
    assert "unowned-opportunities" in printed
