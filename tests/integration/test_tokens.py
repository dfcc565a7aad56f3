"""Tokens: made, narrowed, ended and revoked, by their owners and by administrators."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from commands.members import GiveRoles, RegisterMember
from integration.signing_in import House, house, signed_in
from workspaces import dropped_afterwards


@pytest.fixture(scope="module")
def home(server: str) -> Iterator[House]:
    """A workspace that people sign in to."""
    with dropped_afterwards(server) as name, house(server, name) as made:
        yield made


def bearer(made: Any) -> dict[str, str]:
    """The header that shows a token which was just made."""
    assert made.status_code == 201, made.text
    return {"Authorization": f"Bearer {made.json()['token']}"}


def test_a_member_makes_sees_and_revokes_own_tokens(home: House) -> None:
    browser = signed_in(home.browser(), home.member("sales", "finance"))
    made = browser.post("/api/v1/tokens", json={"name": "weekly report", "roles": ["finance"], "days": 90})
    me = home.browser().get("/api/v1/me", headers=bearer(made)).json()
    assert (me["roles"], me["signed_in_by"], me["token"]) == (["finance"], "token", "weekly report")
    assert me["expires_at"] == made.json()["expires_at"]
    assert timedelta(days=89) < datetime.fromisoformat(me["expires_at"]) - datetime.now(UTC) <= timedelta(days=90)
    (listed,) = browser.get("/api/v1/tokens").json()["items"]
    assert "token" not in listed
    assert (listed["name"], listed["roles"], listed["revoked_at"]) == ("weekly report", ["finance"], None)
    again = browser.post("/api/v1/tokens", json={"name": "weekly report"})
    assert (again.status_code, again.json()["code"]) == (409, "token-name-taken")
    assert browser.delete(f"/api/v1/tokens/{listed['id']}").json()["revoked_at"]
    fresh = house_app_forgets(home)
    assert fresh.get("/api/v1/me", headers=bearer(made)).status_code == 401


def house_app_forgets(home: House) -> Any:
    """A browser at a process that remembers no token."""
    return House(home.services, home.hasher).browser()


def test_a_token_follows_the_roles_of_its_member(home: House) -> None:
    ann = home.member("sales", "finance")
    header = home.token(ann, roles=["finance"])
    home.do(GiveRoles.model_validate({"roles": ["sales"]}), ann.id)
    assert home.browser().get("/api/v1/me", headers=header).json()["roles"] == []
    assert home.browser().get("/api/v1/me", headers=home.token(ann)).json()["roles"] == ["sales"]


def test_a_token_is_no_way_to_have_more_or_for_longer(home: House) -> None:
    ann = home.member("sales", "finance")
    narrow = home.token(ann, roles=["sales"], days=10)
    with home.browser() as client:
        client.headers.update(narrow)
        refused = client.post("/api/v1/tokens", json={"name": "a", "roles": ["finance"]})
        assert (refused.status_code, refused.json()["code"]) == (422, "role-not-held")
        refused = client.post("/api/v1/tokens", json={"name": "b", "days": 20})
        assert (refused.status_code, refused.json()["code"]) == (422, "outlives-its-maker")
        made = client.post("/api/v1/tokens", json={"name": "c"}).json()
    assert made["roles"] == ["sales"]
    assert datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC) <= timedelta(days=10)


def test_a_token_that_has_ended_lets_nobody_in_and_its_name_is_free(home: House) -> None:
    ann = home.member()
    browser = signed_in(home.browser(), ann)
    made = browser.post("/api/v1/tokens", json={"name": "brief", "days": 1})
    with home.services.database.connection() as connection:
        connection.execute("RESET ROLE")
        connection.execute("UPDATE tokens SET expires_at = clock_timestamp() WHERE id = %s", [made.json()["id"]])
        connection.execute("SET ROLE genjin_app")
    assert home.browser().get("/api/v1/me", headers=bearer(made)).status_code == 401
    assert browser.post("/api/v1/tokens", json={"name": "brief"}).status_code == 201


def test_an_administrator_looks_after_the_tokens_of_others(home: House) -> None:
    ann, root = home.member("sales"), home.token(home.member("administrator"))
    with home.browser() as client:
        client.headers.update(root)
        place = f"/api/v1/members/{ann.id}/tokens"
        refused = client.post(place, json={"name": "x", "roles": ["finance"]})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/roles")
        made = client.post(place, json={"name": "x", "roles": ["sales"]})
        assert home.browser().get("/api/v1/me", headers=bearer(made)).json()["id"] == str(ann.id)
        assert [each["name"] for each in client.get(place).json()["items"]] == ["x"]
        assert client.delete(f"{place}/{made.json()['id']}").status_code == 200
        assert client.delete(f"{place}/{uuid4()}").status_code == 404
        assert client.get(f"/api/v1/members/{uuid4()}/tokens").status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_others_may_not(home: House, method: str) -> None:
    ann, bob = home.member("sales"), home.member("manager")
    place = f"/api/v1/members/{ann.id}/tokens"
    body = {"name": "x"} if method == "POST" else None
    refused = home.browser().request(method, place, json=body, headers=home.token(bob))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    narrowed = home.token(home.member("administrator", "sales"), roles=["sales"])
    assert home.browser().request(method, place, json=body, headers=narrowed).status_code == 403


def test_nobody_revokes_anothers_token_as_an_own_one(home: House) -> None:
    ann, bob = signed_in(home.browser(), home.member()), signed_in(home.browser(), home.member())
    made = ann.post("/api/v1/tokens", json={"name": "mine"})
    assert bob.delete(f"/api/v1/tokens/{made.json()['id']}").status_code == 404
    assert home.browser().get("/api/v1/me", headers=bearer(made)).status_code == 200


def test_the_last_use_is_noted_beside_the_request(home: House) -> None:
    browser = signed_in(home.browser(), home.member())
    made = browser.post("/api/v1/tokens", json={"name": "used"})
    assert made.json()["last_used_at"] is None
    home.browser().get("/api/v1/me", headers=bearer(made))
    home.identity.uses.write()
    (listed,) = browser.get("/api/v1/tokens").json()["items"]
    assert listed["last_used_at"]


def test_only_digests_are_kept(home: House) -> None:
    header = home.token(home.member())
    assert header["Authorization"].removeprefix("Bearer genjin_") not in str(home.sql("SELECT * FROM tokens"))


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": " "}, "/name"),
        ({"name": "x", "days": 0}, "/days"),
        ({"name": "x", "days": "ten"}, "/days"),
        ({"name": "x", "roles": []}, "/roles"),
        ({"name": "x", "roles": ["owner"]}, "/roles/0"),
        ({"name": "x", "colour": "red"}, "/colour"),
    ],
)
def test_what_does_not_fit_is_named(home: House, body: dict[str, Any], pointer: str) -> None:
    refused = home.browser().post("/api/v1/tokens", json=body, headers=home.token(home.member()))
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)


def test_a_member_without_roles_may_be_given_a_token(home: House) -> None:
    bob = home.do(RegisterMember(name="Bo"))
    made = home.browser().post(
        f"/api/v1/members/{bob}/tokens", json={"name": "x"}, headers=home.token(home.member("administrator"))
    )
    assert home.browser().get("/api/v1/me", headers=bearer(made)).json()["roles"] == []
