"""A colleague who left and is erased is nowhere any more, and what he or she did stays."""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from aggregates.member import Member
from aggregates.refusals import SubjectErased
from commands.base import execute
from commands.members import RegisterMember
from crm.cli import app
from crm.erasing import apply_erasures
from integration.erasing import WHY, keys_of, live_tables_with, only_current, proven, put_back
from integration.keeping import Place, elsewhere
from integration.planting import tables_with
from integration.planting_members import ADDRESS, FORMER_NAME, NAME, TOKEN_NAME, WORDS, PlantedMember
from integration.serving import Api, serving
from keys import MASTER_KEY, as_setting
from ledger.erasing.applying import apply
from ledger.erasing.register import Erasure
from ledger.errors import VersionConflict
from ledger.ledger import Ledger
from ledger.proof.chain import verify_chain
from ledger.proof.statements import Signer
from ledger.sealing import Keyring

SIGNING_KEY = secrets.token_bytes(32)
PUBLIC_KEY = b64encode(Signer(SIGNING_KEY).public).decode()


@pytest.fixture
def api(server: str) -> Iterator[Api]:
    """The service on a workspace of its own."""
    with serving(server) as served:
        yield served


SHOWN_BY = ("/members", "/tracking {", "/tracking/won", "/funnel by", "/audit/events {'a", "/events", "tokens")
"""Where the name stands as long as nobody is erased."""


@pytest.fixture
def gone(api: Api) -> PlantedMember:
    """A member who worked here and left, and whom every read model and copy has shown."""
    planted = PlantedMember(api)
    before = dict(planted.answers())
    silent = [path for path, text in before.items() if not any(word in text for word in WORDS)]
    assert not [path for path in silent if path.startswith(SHOWN_BY)]
    assert planted.found_by(NAME)
    planted.leave()
    return planted


def shows(planted: PlantedMember) -> dict[str, set[str]]:
    """By answer: which of the words stand in it."""
    return {path: here for path, text in planted.answers() if (here := {word for word in WORDS if word in text})}


def test_an_erased_member_is_nowhere(gone: PlantedMember, api: Api, server: str) -> None:
    assert live_tables_with(api, server, WORDS)
    api.done(f"/members/{gone.id}/erasure", WHY)
    assert shows(gone) == {}
    for word in (NAME, FORMER_NAME, "霜降"):
        assert gone.found_by(word) == []
        assert gone.found_by(word, as_of=gone.known_at) == []
    assert live_tables_with(api, server, WORDS) == {}
    proven(api)
    only_current(api, server)
    assert tables_with(server, api.services.database.schema, WORDS) == {}
    assert shows(gone) == {}
    proven(api)


def test_what_an_erased_member_did_stays(gone: PlantedMember, api: Api) -> None:
    told = api.read(f"/customers/{gone.customer}/history", lang="zh", limit=100)["items"]
    done = [each for each in told if each["actor"] == gone.actor]
    api.done(f"/members/{gone.id}/erasure", WHY)
    after = api.read(f"/customers/{gone.customer}/history", lang="zh", limit=100)["items"]
    assert [each["position"] for each in after if each["actor"] == gone.actor] == [each["position"] for each in done]
    registered = after[-1]
    assert registered["topic"] == "customer.registered"
    assert registered["sentence"].startswith("（已删除）登记了客户")
    assert registered["sentence"].endswith("负责人：（已删除）")
    row = api.read("/tracking")["items"][0]
    assert (row["owner"], row["last_follower"], row["last_follower_id"]) == ("赵顾问", None, gone.id)
    earlier = api.read("/tracking", as_of=gone.known_at)["items"][0]
    assert (earlier["owner"], earlier["owner_id"]) == (None, gone.id)
    listed = api.read("/members", limit=1, sort="-name")
    following = api.read("/members", limit=1, sort="-name", cursor=listed["next"])
    assert {each["id"]: each["name"] for each in (*listed["items"], *following["items"])} == {
        gone.id: None,
        str(api.member_id): "赵顾问",
    }
    shown = api.get(f"/members/{gone.id}").json()
    assert (shown["name"], shown["email"], shown["state"], shown["erased"]) == (None, None, "removed", True)


def test_the_history_says_that_a_member_was_erased_and_not_whom(gone: PlantedMember, api: Api) -> None:
    api.done(f"/members/{gone.id}/erasure", WHY)
    for lang, sentence, actor in (
        ("zh", "赵顾问永久删除了一位已移除成员的个人信息", "赵顾问"),
        ("en", "赵顾问 erased what was known of a member who had left, for good", "赵顾问"),
    ):
        told = api.read("/audit/events", aggregate_id=gone.id, lang=lang, limit=100)["items"]
        assert (told[0]["topic"], told[0]["sentence"], told[0]["reason"]) == ("member.erased", sentence, WHY["reason"])
        assert actor in told[0]["sentence"]
    assert [each["erased"] for each in told if each["topic"] in ("member.registered", "member.renamed")] == [True] * 2
    with api.services.database.connection() as connection:
        assert verify_chain(connection).is_intact


def test_everything_that_it_signed_in_with_is_gone_with_the_event(gone: PlantedMember, api: Api) -> None:
    assert set(gone.kept()) >= {"passwords", "one_time_codes", "sign_in_places"}
    assert "sessions" not in gone.kept()
    assert sorted(gone.tokens()) == [(NAME, True), (TOKEN_NAME, True)]
    mine = api.post("/tokens", {"name": "留下的"})
    api.done(f"/members/{gone.id}/erasure", WHY)
    assert gone.kept() == {}
    assert gone.tokens() == [("", True), ("", True)]
    assert api.services.identity.addresses.member_at(ADDRESS) is None
    assert gone.kept() == {}
    assert mine.status_code in (201, 401)


def test_only_who_has_left_is_erased_by_an_administrator_who_says_why(api: Api) -> None:
    planted = PlantedMember(api)
    where = f"/members/{planted.id}/erasure"
    for lang, title in (("zh-CN", "成员尚未移除"), ("en", "The member is still here")):
        refused = api.post(where, WHY, headers={"Accept-Language": lang})
        assert (refused.status_code, refused.json()["code"], refused.json()["title"]) == (
            409,
            "member-not-removed",
            title,
        )
    planted.leave()
    assert api.signed_in("manager").post(where, WHY).status_code == 403
    for body in ({}, {"reason": None}, {"reason": ""}):
        assert api.post(where, body).status_code == 422
    assert NAME in api.get(f"/members/{planted.id}").text
    assert planted.kept()


def test_erasing_again_changes_nothing_and_nothing_more_is_done(gone: PlantedMember, api: Api) -> None:
    where = f"/members/{gone.id}"
    first = api.done(f"{where}/erasure", WHY)
    assert api.done(f"{where}/erasure", WHY)["version"] == first["version"]
    for method, path, body in (
        ("PATCH", where, {"name": "新名"}),
        ("POST", f"{where}/invitation", {"email": "new@example.com"}),
        ("POST", f"{where}/roles", {"roles": ["sales"]}),
        ("POST", f"{where}/team", {"team_id": None}),
        ("POST", f"{where}/suspension", {}),
        ("DELETE", f"{where}/suspension", {}),
        ("POST", f"/customers/{gone.customer}/owner", {"owner_id": gone.id}),
        ("POST", f"{where}/tokens", {"name": "x"}),
        ("POST", f"{where}/invitation-link", {}),
    ):
        refused = api.request(method, path, json=body)
        code = "member-removed" if path.endswith(("/tokens", "-link")) else "subject-erased"
        assert (refused.status_code, refused.json()["code"]) == (409, code), (path, refused.text)
    with pytest.raises((SubjectErased, VersionConflict)):
        register_again(api, gone)
    assert api.get(where).json()["version"] == first["version"]


def register_again(api: Api, gone: PlantedMember) -> None:
    """As an import does that gives its records the same ids every time."""
    by = api.actors[api.headers["Authorization"].removeprefix("Bearer ")]
    execute(RegisterMember(name="新名"), to=None, by=by, door=api.services.door, new_id=UUID(gone.id))


def readable(api: Api, member: str) -> Any:
    """The member's name and address for a process that has just started."""
    services = api.services
    ledger = Ledger(services.database, Keyring(services.database, MASTER_KEY))
    found = ledger.load(Member, UUID(member))
    return found.name, found.email


def test_keys_that_come_back_with_a_restored_database_are_destroyed_again(
    gone: PlantedMember, api: Api, server: str
) -> None:
    keys = keys_of(api, server)
    api.done(f"/members/{gone.id}/erasure", WHY)
    services = api.services
    assert [(set(map(str, each.subjects)), each.customer_id) for each in services.erasures.all()] == [({gone.id}, None)]
    (file,) = services.erasures.path.iterdir()
    assert not {word for word in WORDS if word in file.read_text(encoding="utf-8")}
    file.unlink()
    put_back(api, server, keys)
    applied = apply(services.database, services.keyring, services.erasures)
    assert (list(map(str, applied.destroyed)), applied.registered) == ([gone.id], 1)
    assert readable(api, gone.id) == (None, None)
    assert apply(services.database, services.keyring, services.erasures).destroyed == ()
    only_current(api, server)
    assert shows(gone) == {}


def test_a_database_that_never_knew_of_it_learns_it_from_the_register(
    gone: PlantedMember, api: Api, server: str
) -> None:
    services = api.services
    services.erasures.keep(Erasure((UUID(gone.id),), None, 99, datetime.now(UTC)))
    assert readable(api, gone.id) == (NAME, ADDRESS)
    apply_erasures(services)
    assert readable(api, gone.id) == (None, None)
    assert (gone.kept(), gone.tokens()) == ({}, [("", True), ("", True)])
    only_current(api, server)
    assert shows(gone) == {}
    assert tables_with(server, services.database.schema, WORDS) == {}
    refused = api.request("PATCH", f"/members/{gone.id}", json={"name": "新名"})
    assert (refused.status_code, refused.json()["code"]) == (409, "member-removed")


def test_what_a_backup_brings_back_without_the_key_is_forgotten_again(
    gone: PlantedMember, api: Api, server: str
) -> None:
    api.done(f"/members/{gone.id}/erasure", WHY)
    services = api.services
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(services.database.schema)))
        connection.execute(
            "UPDATE tokens SET name = %s, revoked_at = NULL WHERE revoked_at IS NOT NULL AND ctid IN "
            "(SELECT ctid FROM tokens WHERE member_id = %s LIMIT 1)",
            [TOKEN_NAME, gone.id],
        )
        connection.execute("INSERT INTO passwords (member_id, hash) VALUES (%s, 'x')", [gone.id])
    assert (TOKEN_NAME, False) in gone.tokens()
    assert apply(services.database, services.keyring, services.erasures).destroyed == ()
    assert (gone.kept(), gone.tokens()) == ({}, [("", True), ("", True)])


def test_files_and_the_command_line_show_nothing(gone: PlantedMember, api: Api, server: str, tmp_path: Path) -> None:
    api.done(f"/members/{gone.id}/erasure", WHY)
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
            for number, moment in enumerate(((), ("--as-of", gone.known_at))):
                file = tmp_path / f"{table}{number}.json"
                ran = CliRunner().invoke(app, ["export", table, str(file), *moment])
                assert ran.exit_code == 0, ran.output
                told.append(file.read_text(encoding="utf-8"))
        for words in (
            ("export", "ledger", str(tmp_path / "ledger.jsonl")),
            ("replay", gone.customer, "--json"),
            ("token", "list", "--json"),
            ("erasures", "apply"),
            ("erasures", "list", "--json"),
            ("erasures", "list"),
            ("verify", "--json"),
        ):
            ran = CliRunner().invoke(app, list(words))
            assert ran.exit_code == 0, (words, ran.output)
            told.append(ran.stdout)
    told.append((tmp_path / "ledger.jsonl").read_text(encoding="utf-8"))
    assert [text for text in told if any(word in text for word in WORDS)] == []
    assert [each["subjects"] for each in json.loads(told[-4])] == [[gone.id]]


def test_the_name_is_free_for_somebody_else(gone: PlantedMember, api: Api) -> None:
    api.done(f"/members/{gone.id}/erasure", WHY)
    other = api.done("/members", {"name": NAME, "email": ADDRESS, "roles": ["sales"]})["id"]
    entrance = api.services.identity.entrance
    code = entrance.make_code("invitation", UUID(other), "rule:test")
    session = entrance.by_code(code.text, "invitation", secrets.token_urlsafe(18))
    assert str(session.member_id) == other
    assert [each["id"] for each in api.read("/members", q=NAME)["items"]] == [other]


def test_nobody_comes_back_with_a_backup_of_before(api: Api, server: str, tmp_path: Path) -> None:
    planted, services = PlantedMember(api), api.services
    signing = {"CRM_SIGNING_KEY": as_setting(SIGNING_KEY)}
    place = Place(server, services.database.schema, services.checkpoints.settings.data_dir, signing)
    before, retained = place.backup(), tmp_path / "retained.keys"
    retained.write_bytes(place.keys.read_bytes())
    planted.leave()
    api.done(f"/members/{planted.id}/erasure", WHY)
    apply_erasures(services)
    kept = place.folder / "erasures"
    (kept / "there").mkdir()
    settings = {"CRM_TRUSTED_KEYS": PUBLIC_KEY, "CRM_ERASURE_DIR": str(kept / "there")}
    for keys in (place.keys, retained):
        with elsewhere(server, tmp_path, **settings) as there:
            (kept / "there" / there.schema).symlink_to(kept / place.schema)
            assert there.done("restore", before, "--keys", keys)["is_sound"]
            assert tables_with(server, there.schema, WORDS) == {}
            assert [row for row in there.rows("passwords") if planted.id in row] == []
            assert [row for row in there.rows("tokens") if planted.id in row]
            assert there.done("verify")["is_clean"]
