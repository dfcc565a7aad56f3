"""Who is erased is nowhere any more: in no answer, in no table, in no file, now or as of any moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString
from unittest.mock import patch
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from aggregates.customer import Customer
from crm.cli import app
from crm.erasing import apply_erasures
from integration.erasing import WHY, keys_of, live_tables_with, only_current, proven, put_back
from integration.planting import FORMER, PERSON, PROFILE, STAYS, Planted, tables_with
from integration.serving import Api, serving
from keys import MASTER_KEY, as_setting
from ledger.erasing.applying import apply
from ledger.erasing.register import Erasure, Register
from ledger.ledger import Ledger
from ledger.proof.chain import verify_chain
from ledger.sealing import Keyring
from projections.engine.failures import NotBuilt, StillBuilding


@pytest.fixture
def api(server: str) -> Iterator[Api]:
    """The service on a workspace of its own."""
    with serving(server) as served:
        yield served


def test_an_erased_customer_is_nowhere(api: Api, server: str) -> None:
    planted = Planted(api)
    before = dict(planted.answers())
    assert any(PROFILE["name"] in text for text in before.values())
    assert planted.found_by(PROFILE["name"])
    assert planted.found_by("87650001")
    api.done(f"/customers/{planted.id}/erasure", WHY)
    for path, text in planted.answers():
        assert not {word for word in planted.words if word in text}, path
    for word in (PROFILE["name"], PERSON["name"], "87650001", "87650005"):
        assert planted.found_by(word) == []
    assert live_tables_with(api, server, planted.words) == {}
    proven(api)
    only_current(api, server)
    assert tables_with(server, api.services.database.schema, planted.words) == {}
    proven(api)


def test_an_erased_contact_is_nowhere_and_the_others_stay(api: Api, server: str) -> None:
    planted = Planted(api)
    gone = {PERSON["name"], PERSON["mobile"], PERSON["email"], "87650001", "87650002"}
    dict(planted.answers())
    for contact in (planted.person, planted.former):
        api.done(f"/customers/{planted.id}/contacts/{contact}/erasure", WHY)
    gone |= {*FORMER.values(), "87650003"}
    for path, text in planted.answers():
        assert not {word for word in gone if word in text}, path
    assert planted.found_by(PERSON["name"]) == planted.found_by("87650001") == []
    row = api.read("/tracking")["items"][0]
    assert (row["contact_name"], row["contacts"], row["name"]) == (STAYS["name"], 1, PROFILE["name"])
    shown = api.get(f"/customers/{planted.id}").json()
    erased = next(each for each in shown["contacts"] if each["contact_id"] == planted.person)
    assert erased == {**dict.fromkeys(PERSON), "contact_id": planted.person, "erased": True} | FLAGS
    assert (shown["erased"], shown["notes"]) == (False, PROFILE["notes"])
    proven(api)
    only_current(api, server)
    assert tables_with(server, api.services.database.schema, gone) == {}
    proven(api)


FLAGS = {"is_main": False, "is_decision_maker": False}


def test_the_history_tells_what_happened_and_not_whom(api: Api) -> None:
    planted = Planted(api)
    api.done(f"/customers/{planted.id}/erasure", WHY)
    told = api.read(f"/customers/{planted.id}/history", lang="zh", limit=100)["items"]
    assert told[0]["sentence"] == "赵顾问永久删除了客户及其所有联系人的个人信息"
    assert (told[0]["topic"], told[0]["reason"]) == ("customer.erased", WHY["reason"])
    added = [each for each in told if each["topic"] == "customer.contact-added"]
    assert [each["erased"] for each in added] == [True] * 3
    with api.services.database.connection() as connection:
        assert verify_chain(connection).is_intact
    shown = api.get(f"/customers/{planted.id}").json()
    assert (shown["erased"], shown["name"], shown["is_archived"]) == (True, None, True)


def test_erasing_again_changes_nothing_and_nothing_more_is_written(api: Api) -> None:
    planted = Planted(api)
    where = f"/customers/{planted.id}"
    first = api.done(f"{where}/contacts/{planted.person}/erasure", WHY)
    again = api.done(f"{where}/contacts/{planted.person}/erasure", WHY)
    assert again["version"] == first["version"]
    for method, path, body in (
        ("PATCH", f"{where}/contacts/{planted.person}", {"name": "新名"}),
        ("DELETE", f"{where}/contacts/{planted.person}", {}),
        ("POST", f"{where}/follow-ups", {"method": "phone", "contact_id": planted.person}),
    ):
        refused = api.request(method, path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "subject-erased"), refused.text
    api.done(f"{where}/erasure", WHY)
    version = api.done(f"{where}/erasure", WHY)["version"]
    for method, path, body in (
        ("PATCH", where, {"name": "新名"}),
        ("POST", f"{where}/contacts", STAYS),
        ("POST", f"{where}/follow-ups", {"method": "phone"}),
        ("POST", f"{where}/reopen", {}),
        ("POST", f"{where}/opportunities", {"name": "新商机"}),
        ("PATCH", f"/opportunities/{planted.deal}", {"name": "新名"}),
        ("POST", f"/receivables/{planted.owed}/payments", {"amount": "1.00", "note": "新备注"}),
    ):
        refused = api.request(method, path, json=body)
        assert (refused.status_code, refused.json()["code"]) == (409, "subject-erased"), refused.text
    api.done(f"/receivables/{planted.owed}/payments", {"amount": "1.00"})
    assert api.get(where).json()["version"] == version


def test_only_an_administrator_erases_and_says_why(api: Api) -> None:
    planted = Planted(api)
    for path in (f"/customers/{planted.id}/erasure", f"/customers/{planted.id}/contacts/{planted.person}/erasure"):
        assert api.signed_in("manager").post(path, WHY).status_code == 403
        for body in ({}, {"reason": None}, {"reason": ""}):
            assert api.post(path, body).status_code == 422
    unknown = api.post(f"/customers/{planted.id}/contacts/{uuid4()}/erasure", WHY)
    assert (unknown.status_code, unknown.json()["code"]) == (422, "contact-unknown")
    assert PERSON["name"] in api.get(f"/customers/{planted.id}").text


def readable(api: Api, customer: str) -> Any:
    """The customer's name for a process that has just started."""
    services = api.services
    ledger = Ledger(services.database, Keyring(services.database, MASTER_KEY))
    return ledger.load(Customer, UUID(customer)).profile["name"]


def test_keys_that_come_back_with_a_restored_database_are_destroyed_again(api: Api, server: str) -> None:
    planted = Planted(api)
    keys = keys_of(api, server)
    api.done(f"/customers/{planted.id}/erasure", WHY)
    registered = api.services.erasures.all()
    assert [set(map(str, each.subjects)) for each in registered] == [
        {planted.id, planted.person, planted.former, planted.stays}
    ]
    put_back(api, server, keys)
    services = api.services
    applied = apply(services.database, services.keyring, services.erasures)
    assert set(map(str, applied.destroyed)) == {planted.id, planted.person, planted.former, planted.stays}
    assert readable(api, planted.id) is None
    assert apply(services.database, services.keyring, services.erasures).destroyed == ()
    only_current(api, server)
    for path, text in planted.answers():
        assert not {word for word in planted.words if word in text}, path


def test_a_database_that_never_knew_of_an_erasure_learns_it_from_the_register(api: Api, server: str) -> None:
    planted = Planted(api)
    services = api.services
    subjects = (UUID(planted.id), UUID(planted.person), UUID(planted.former), UUID(planted.stays))
    services.erasures.keep(Erasure(subjects, subjects[0], 99, datetime.now(UTC)))
    assert readable(api, planted.id) == PROFILE["name"]
    apply_erasures(services)
    assert readable(api, planted.id) is None
    for path in ("/tracking", "/customers", f"/customers/{planted.id}/history"):
        answer = api.get(path)
        assert answer.status_code == 200 or answer.json()["code"] == "not-visible-yet", answer.text
        assert not {word for word in planted.words if word in answer.text}
    only_current(api, server)
    assert tables_with(server, services.database.schema, planted.words) == {}
    refused = api.request("PATCH", f"/customers/{planted.id}", json={"name": "新名"})
    assert (refused.status_code, refused.json()["code"]) == (409, "subject-erased")


def test_an_erasure_whose_process_died_before_the_register_is_registered_later(api: Api) -> None:
    planted, services = Planted(api), api.services
    with patch.object(Register, "keep", side_effect=OSError("the disk is gone")):
        assert api.post(f"/customers/{planted.id}/erasure", WHY).status_code == 500
    assert readable(api, planted.id) is None
    assert services.erasures.all() == []
    assert apply(services.database, services.keyring, services.erasures).registered == 1
    assert services.erasures.all()[0].subjects[0] == UUID(planted.id)


def test_the_register_holds_nothing_personal(api: Api) -> None:
    planted = Planted(api)
    api.done(f"/customers/{planted.id}/erasure", {"reason": "琥珀星辰贸易行要求"})
    (file,) = api.services.erasures.path.iterdir()
    assert not {word for word in planted.words if word in file.read_text(encoding="utf-8")}
    assert json.loads(file.read_bytes()).keys() == {"subjects", "customer_id", "position", "recorded_at", "format"}


def test_files_and_the_command_line_show_nothing(api: Api, server: str, tmp_path: Path) -> None:
    planted = Planted(api)
    dict(planted.answers())
    api.done(f"/customers/{planted.id}/erasure", WHY)
    environment = {
        "CRM_DATABASE_URL": server,
        "CRM_SCHEMA": api.services.database.schema,
        "CRM_DATA_DIR": str(tmp_path / "data"),
        "CRM_ERASURE_DIR": str(tmp_path / "erasures"),
        "CRM_MASTER_KEY": as_setting(MASTER_KEY),
    }
    told = []
    with patch.dict("os.environ", environment):
        for table in ("tracking", "opportunities", "receivables", "history"):
            for number, moment in enumerate(((), ("--as-of", planted.known_at))):
                file = tmp_path / f"{table}{number}.json"
                ran = CliRunner().invoke(app, ["export", table, str(file), *moment])
                assert ran.exit_code == 0, ran.output
                told.append(file.read_text(encoding="utf-8"))
        page = tmp_path / "disclosed.html"
        for words in (
            ("export", "ledger", str(tmp_path / "ledger.jsonl")),
            ("replay", planted.id, "--json"),
            ("disclose", planted.id),
            ("disclose", planted.id, "--contact", planted.person, "--out", str(page)),
            ("erasures", "apply"),
            ("erasures", "list", "--json"),
            ("verify", "--json"),
        ):
            ran = CliRunner().invoke(app, list(words))
            assert ran.exit_code == 0, (words, ran.output)
            told.append(ran.stdout)
    told += [page.read_text(encoding="utf-8"), (tmp_path / "ledger.jsonl").read_text(encoding="utf-8")]
    for text in told:
        assert not {word for word in planted.words if word in text}
    assert [each["customer_id"] for each in json.loads(told[-4])] == [planted.id]


@pytest.mark.parametrize("bar", ["erased_upto = 1000", "barred_epoch = 1000"])
def test_a_live_read_model_of_before_an_erasure_is_not_read(api: Api, server: str, bar: LiteralString) -> None:
    planted = Planted(api)
    api.read("/tracking")
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(sql.SQL("UPDATE {} SET " + bar).format(sql.Identifier(api.services.database.schema, "meta")))
    with pytest.raises(NotBuilt), api.services.reader.at("tracking", timeout=0):
        pass
    with (
        pytest.raises(StillBuilding),
        api.services.reader.at("tracking", as_of_position=api.head(), timeout=0),
    ):
        pass
    assert PROFILE["name"] not in api.get(f"/customers/{planted.id}/history").text
