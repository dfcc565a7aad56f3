"""Members are let in: by an invitation, a new password, and the first of them by the code of the first start."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.testclient import TestClient

from aggregates.member import Member
from commands.members import InviteMember, RegisterMember, RemoveMember, SuspendMember
from integration.signing_in import House, Person, a_password, an_address, house, sign_in, signed_in
from policy.identity import codes, tokens
from policy.identity.refusals import CodeUnusable
from workspaces import dropped_afterwards


@pytest.fixture(scope="module")
def home(server: str) -> Iterator[House]:
    """A workspace that people sign in to."""
    with dropped_afterwards(server) as name, house(server, name) as made:
        yield made


@pytest.fixture(scope="module")
def root(home: House) -> TestClient:
    """An administrator's client."""
    return home.browser(**home.token(home.member("administrator")))


def invited(root: TestClient) -> tuple[Person, Any]:
    """Somebody who was registered and invited over HTTP, and the answer with the code."""
    registered = root.post("/api/v1/members", json={"name": "赵顾问", "roles": ["sales"]}).json()
    bo = Person(UUID(registered["id"]), an_address())
    root.post(f"/api/v1/members/{bo.id}/invitation", json={"email": bo.address}).raise_for_status()
    return bo, root.post(f"/api/v1/members/{bo.id}/invitation-link")


def accept(home: House, made: Any, password: str) -> Any:
    """The answer to whoever comes with the code."""
    assert made.status_code == 201, made.text
    return home.browser().post(made.json()["accept_at"], json={"code": made.json()["code"], "password": password})


def test_an_invited_member_chooses_a_password_and_is_in(home: House, root: TestClient) -> None:
    bo, made = invited(root)
    assert made.headers["cache-control"] == "no-store"
    assert sign_in(home.browser(), bo).status_code == 401
    answer = accept(home, made, bo.password)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["member"]["id"], answer.json()["begun_by"]) == (str(bo.id), "code")
    assert sign_in(home.browser(), bo).status_code == 201
    again = accept(home, made, a_password())
    assert (again.status_code, again.json()["code"]) == (422, "code-unusable")
    assert made.json()["code"] not in str(home.sql("SELECT * FROM one_time_codes"))


def test_a_password_that_does_not_do_leaves_the_code_as_it_was(home: House, root: TestClient) -> None:
    bo, made = invited(root)
    for password in ("tea4two", bo.address, "赵顾问赵顾问赵顾问赵顾问"):
        assert accept(home, made, password).status_code == 422
    assert accept(home, made, bo.password).status_code == 201


def test_a_code_ends_by_time_by_a_newer_one_and_by_another_address(home: House, root: TestClient) -> None:
    bo, made = invited(root)
    home.sql("UPDATE one_time_codes SET expires_at = clock_timestamp() WHERE member_id = %s", bo.id)
    assert accept(home, made, bo.password).status_code == 422
    older = root.post(f"/api/v1/members/{bo.id}/invitation-link")
    newer = root.post(f"/api/v1/members/{bo.id}/invitation-link")
    assert accept(home, older, bo.password).status_code == 422
    root.post(f"/api/v1/members/{bo.id}/invitation", json={"email": an_address()}).raise_for_status()
    assert accept(home, newer, bo.password).status_code == 422


@pytest.mark.parametrize("ends", [SuspendMember(), RemoveMember()])
def test_a_code_of_who_may_not_act_lets_nobody_in(home: House, root: TestClient, ends: Any) -> None:
    bo, made = invited(root)
    home.do(ends, bo.id)
    assert accept(home, made, bo.password).status_code == 422
    refused = root.post(f"/api/v1/members/{bo.id}/invitation-link")
    assert (refused.status_code, refused.json()["code"]) in ((409, "member-suspended"), (409, "member-removed"))


def test_a_code_is_for_one_thing(home: House, root: TestClient) -> None:
    bo, made = invited(root)
    body = {"code": made.json()["code"], "password": bo.password}
    assert home.browser().post("/api/v1/password-resets/accept", json=body).status_code == 422
    setup = {**body, "name": "Bo", "email": bo.address}
    assert home.browser().post("/api/v1/setup", json=setup).status_code == 422
    assert accept(home, made, bo.password).status_code == 201


def test_of_several_who_come_with_one_code_one_is_let_in(home: House) -> None:
    bo = Person(home.do(RegisterMember(name="Bo")), an_address())
    home.do(InviteMember(email=bo.address), bo.id)
    code = home.identity.entrance.make_code("invitation", bo.id, "rule:test")

    def come(_: int) -> bool:
        try:
            return bool(home.identity.entrance.by_code(code.text, "invitation", a_password()))
        except CodeUnusable:
            return False

    with ThreadPoolExecutor(4) as hands:
        assert sum(hands.map(come, range(4))) == 1


def test_a_new_password_by_an_administrator_ends_every_session(home: House, root: TestClient) -> None:
    ann = home.member("sales")
    browser = signed_in(home.browser(), ann)
    made = root.post(f"/api/v1/members/{ann.id}/password-reset-link")
    new = a_password()
    assert accept(home, made, new).status_code == 201
    assert browser.get("/api/v1/me").status_code == 401
    assert sign_in(home.browser(), ann).status_code == 401
    assert sign_in(home.browser(), ann, new).status_code == 201


def test_who_cannot_be_let_in_is_told_why(home: House, root: TestClient) -> None:
    bo = home.do(RegisterMember(name="Bo"))
    refused = root.post(f"/api/v1/members/{bo}/invitation-link")
    assert (refused.status_code, refused.json()["code"]) == (409, "address-missing")
    assert root.post(f"/api/v1/members/{uuid4()}/invitation-link").status_code == 404


def test_who_has_the_address_already_keeps_it(home: House, root: TestClient) -> None:
    ann = home.member()
    bo = home.do(RegisterMember(name="Bo"))
    home.do(InviteMember(email=ann.address), bo)
    refused = root.post(f"/api/v1/members/{bo}/invitation-link")
    assert (refused.status_code, refused.json()["code"]) == (409, "address-taken")


@pytest.mark.parametrize("link", ["invitation-link", "password-reset-link"])
def test_only_administrators_let_others_in(home: House, link: str) -> None:
    ann = home.member("sales", "manager")
    refused = home.browser().post(f"/api/v1/members/{ann.id}/{link}", headers=home.token(ann))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert home.browser().post(f"/api/v1/members/{ann.id}/{link}").status_code == 401


def first_code(home: House) -> tuple[Any, str]:
    """The first administrator, who has a token only, and the code that the first start prints."""
    admin = home.do(RegisterMember(name="admin", roles=("administrator",)))
    with home.services.database.connection() as connection:
        return admin, codes.make(connection, "setup", admin, tokens.OPERATOR).text


def test_the_first_administrator_gets_a_name_an_address_and_a_password(home: House) -> None:
    admin, code = first_code(home)
    body = {"code": code, "name": "赵管理", "email": an_address(), "password": a_password()}
    with home.browser() as browser:
        answer = browser.post("/api/v1/setup", json=body)
        assert answer.status_code == 201, answer.text
        shown = answer.json()["member"]
        assert (shown["id"], shown["name"], shown["email"]) == (str(admin), "赵管理", body["email"])
        assert shown["roles"] == ["administrator"]
        assert browser.get("/api/v1/me").status_code == 200
    assert sign_in(home.browser(), Person(admin, body["email"], body["password"])).status_code == 201
    assert home.browser().post("/api/v1/setup", json=body).status_code == 422


def test_what_goes_wrong_leaves_the_code_of_the_first_start_as_it_was(home: House) -> None:
    admin, code = first_code(home)
    body = {"code": code, "name": "赵管理", "email": home.member().address, "password": a_password()}
    taken = home.browser().post("/api/v1/setup", json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "address-taken")
    assert home.services.ledger.load(Member, admin).name == "admin"
    assert home.browser().post("/api/v1/setup", json={**body, "email": "none"}).status_code == 422
    assert home.browser().post("/api/v1/setup", json={**body, "email": an_address()}).status_code == 201


def test_nothing_else_is_open(home: House) -> None:
    """Without a sign-in there is the description, the health, and the ways in; everything else is 401."""
    open_ones = {"/session", "/setup", "/invitations/accept", "/password-resets/accept"}
    for path, operations in home.app.openapi()["paths"].items():
        for method, operation in operations.items():
            if operation.get("security") == []:
                assert path.removeprefix("/api/v1") in open_ones
                assert method == "post"
                continue
            if not path.startswith("/api/v1/"):
                continue
            where = path.replace("{id}", str(uuid4())).replace("{", "").replace("}", "")
            assert home.browser().request(method, where, json={}).status_code == 401, (method, path)
