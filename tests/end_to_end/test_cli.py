"""The command line beside a running service, and alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from end_to_end.running import Service, crm, crm_here
from keys import MASTER_KEY, as_setting


def crm_json(data: Path, *words: str) -> Any:
    """What a command prints with --json, which must be one JSON document and nothing else."""
    done = crm_here(data, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_token_is_made_used_and_revoked(service: Service) -> None:
    made = crm_json(service.data, "token", "create", "--name", "安")
    assert made["name"] == "安"
    with service.client(made["token"]) as client:
        assert client.get("/tracking").status_code == 200
    assert {"admin", "安"} <= {each["name"] for each in crm_json(service.data, "token", "list")}
    again = crm_here(service.data, "token", "create", "--name", "安")
    assert (again.returncode, again.stdout) == (1, "")
    assert "in use already" in again.stderr
    assert crm_json(service.data, "token", "revoke", "安") == {"name": "安", "revoked": True}
    with service.client(made["token"] + "x") as client:
        assert client.get("/tracking").status_code == 401
    assert crm_here(service.data, "token", "revoke", "安").returncode == 1


def test_a_token_has_the_roles_and_the_end_that_are_asked_for(service: Service) -> None:
    made = crm_json(service.data, "token", "create", "--name", "阅", "--role", "auditor", "--days", "30")
    with service.client(made["token"]) as client:
        me = client.get("/me").json()
    assert (me["name"], me["roles"], me["token"]) == ("阅", ["auditor"], "阅")
    assert me["expires_at"] == made["expires_at"].replace("+00:00", "Z")
    shown = next(each for each in crm_json(service.data, "token", "list") if each["name"] == "阅")
    assert (shown["made_by"], shown["member_id"], shown["revoked_at"]) == ("rule:token", me["id"], None)
    other = crm_here(service.data, "token", "create", "--name", "second", "--member", me["id"], "--role", "finance")
    assert (other.returncode, "has the roles auditor" in other.stderr) == (1, True)
    second = crm_json(service.data, "token", "create", "--name", "second", "--member", me["id"])
    with service.client(second["token"]) as client:
        assert client.get("/me").json()["id"] == me["id"]
    assert crm_here(service.data, "token", "create", "--name", "x", "--role", "owner").returncode == 1


def test_a_member_who_is_there_gets_the_token(service: Service) -> None:
    with service.client(service.token) as client:
        assert client.get("/me").json()["roles"] == ["administrator"]
        member = client.post("/members", json={"name": "Zoë", "roles": ["sales"]}).raise_for_status().json()
        twins = [client.post("/members", json={"name": "Twin"}).raise_for_status().json()["id"] for _ in range(2)]
    made = crm_json(service.data, "token", "create", "--name", "Zoë")
    assert (made["member_id"], made["roles"]) == (member["id"], None)
    several = crm_here(service.data, "token", "create", "--name", "Twin")
    assert several.returncode == 1
    assert all(each in several.stderr for each in twins)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("funnel", "/funnel"),
        ("aging", "/receivables/aging"),
        ("overdue", "/receivables/overdue"),
        ("tracking", "/tracking"),
    ],
)
def test_a_report_is_what_the_api_answers(service: Service, name: str, path: str) -> None:
    with service.client(service.token) as client:
        client.post("/customers", json={"name": "Report Inc", "kind": "company"}).raise_for_status()
        reported = crm_json(service.data, "report", name, "--on", "2026-01-31")
        answered = client.get(path, params={"on": "2026-01-31", "after": reported["position"]}).raise_for_status()
    assert answered.json() == reported


def test_a_report_that_cannot_be_is_refused_in_a_sentence(service: Service) -> None:
    refused = crm_here(service.data, "report", "aging", "--on", "2026-02-30")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert "/on" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_customer_is_replayed_as_it_is_and_as_it_was(service: Service) -> None:
    with service.client(service.token) as client:
        made = client.post("/customers", json={"name": "Replay Inc", "kind": "company"}).raise_for_status().json()
        between = datetime.now(UTC).isoformat()
        client.post(f"/customers/{made['id']}/tags", json={"tag": "important"}).raise_for_status()
    now = crm_json(service.data, "replay", made["id"])
    assert [each["topic"] for each in now["history"]] == ["customer.registered", "customer.tagged"]
    assert all(each["sentence"] for each in now["history"])
    assert (now["customer"]["version"], now["customer"]["tags"]) == (2, ["important"])
    then = crm_json(service.data, "replay", made["id"], "--as-of", between)
    assert [each["topic"] for each in then["history"]] == ["customer.registered"]
    assert (then["customer"]["version"], then["customer"]["tags"]) == (1, [])
    shown = crm_here(service.data, "replay", made["id"], "--language", "zh")
    assert shown.returncode == 0, shown.stderr
    assert "Replay Inc" in shown.stdout


def test_reports_and_lists_are_shown_as_tables(service: Service) -> None:
    for words in (["report", "tracking"], ["report", "funnel"], ["report", "aging"], ["token", "list"]):
        shown = crm_here(service.data, *words)
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout.strip()


def test_read_models_are_rebuilt_and_everything_is_proven(service: Service) -> None:
    rebuilt = crm_json(service.data, "rebuild", "tracking", "history")
    assert [(each["projection"], each["state"]) for each in rebuilt["jobs"]] == [
        ("tracking", "done"),
        ("history", "done"),
    ]
    proven = crm_json(service.data, "verify")
    assert proven["is_clean"] is True
    assert proven["chain"]["checked"] == proven["chain"]["head"]["position"] > 0
    assert {each["projection"] for each in proven["projections"]} == {"tracking", "pipeline", "receivables", "history"}


def test_migrating_twice_does_nothing_the_second_time(place: Path) -> None:
    first = crm_json(place / "data", "migrate")
    assert "0001_ledger" in first["migrations"]
    assert crm_json(place / "data", "migrate") == {"schema": "genjin", "migrations": []}
    assert crm_json(place / "data", "token", "list") == []


def test_a_wrong_setting_is_refused_in_a_sentence(place: Path) -> None:
    refused = crm(place / "data", "migrate", CRM_PORT="eighty")
    assert refused.returncode == 1
    assert refused.stderr == "crm: CRM_PORT must be a whole number from 1 to 65535, and not 'eighty'.\n"
    assert not (place / "data").exists()


def test_another_master_key_is_refused(service: Service) -> None:
    refused = crm(service.data, "token", "list", CRM_MASTER_KEY=as_setting(MASTER_KEY))
    assert refused.returncode == 1
    assert "sealed under another master key" in refused.stderr
