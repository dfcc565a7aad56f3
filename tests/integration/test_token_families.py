"""Tokens and those made with them: they end together, and one that is for some roles reaches no others."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.requests import standing
from commands.members import GiveRoles
from crm import members as console
from integration.signing_in import House, Person, an_address, house, signed_in
from ledger.database import Connection
from policy import Actor
from policy.identity import tokens
from policy.identity.standing import require_standing
from workspaces import dropped_afterwards

OWN, THEIRS = "/api/v1/tokens", "/api/v1/members/{id}/tokens"


@pytest.fixture(scope="module")
def home(server: str) -> Iterator[House]:
    """A workspace that people sign in to."""
    with dropped_afterwards(server) as name, house(server, name) as made:
        yield made


class Holder:
    """Somebody who asks with a token."""

    def __init__(self, home: House, header: dict[str, str], id: str = "") -> None:
        self.home, self.header, self.id = home, header, id

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request."""
        return self.home.browser().request(method, path, json=body, headers=self.header)

    def make(self, path: str = OWN, **more: Any) -> Holder:
        """Make a token, to ask with it."""
        made = self.ask("POST", path, {"name": secrets.token_hex(5), **more})
        assert made.status_code == 201, made.text
        return Holder(self.home, {"Authorization": f"Bearer {made.json()['token']}"}, made.json()["id"])

    def sees(self, path: str = OWN) -> set[str]:
        """The ids of the tokens that are listed as in use."""
        listed = self.ask("GET", path)
        assert listed.status_code == 200, listed.text
        return {each["id"] for each in listed.json()["items"] if each["revoked_at"] is None}

    @property
    def works(self) -> bool:
        """Whether a process that remembers nothing lets it in."""
        return bool(House(self.home.services, self.home.hasher).browser().get(OWN, headers=self.header).is_success)


def full(home: House, person: Person) -> Holder:
    """A token for all roles."""
    return Holder(home, home.token(person))


def test_a_token_falls_with_the_one_it_was_made_with(home: House) -> None:
    ann, bob = home.member("administrator", "sales"), home.member("sales")
    top = full(home, ann)
    child = top.make()
    grandchild = child.make(THEIRS.format(id=bob.id))
    sibling = top.make()
    shown = {each["id"]: each["parent_id"] for each in top.ask("GET", OWN).json()["items"]}
    assert shown[sibling.id] == shown[child.id]
    assert top.ask("GET", THEIRS.format(id=bob.id)).json()["items"][0]["parent_id"] == child.id
    assert top.ask("DELETE", f"{OWN}/{child.id}").status_code == 200
    assert [each.works for each in (top, child, grandchild, sibling)] == [True, False, False, True]
    noted = home.sql("SELECT count(*) FROM accesses WHERE kind = 'token-revoked' AND token_id = %s", grandchild.id)
    assert noted == [(1,)]


def test_a_token_that_is_made_in_a_session_stands_alone(home: House) -> None:
    page = signed_in(home.browser(), home.member())
    assert page.post(OWN, json={"name": "alone"}).json()["parent_id"] is None


def test_a_token_ends_after_ninety_days_unless_something_else_is_said(home: House) -> None:
    page = signed_in(home.browser(), home.member())
    usual = datetime.fromisoformat(page.post(OWN, json={"name": "usual"}).json()["expires_at"])
    assert timedelta(days=89) < usual - datetime.now(UTC) <= timedelta(days=90)
    assert page.post(OWN, json={"name": "for ever", "days": None}).json()["expires_at"] is None
    assert console.DEFAULT_DAYS == tokens.DEFAULT_DAYS == 90


def test_what_is_made_with_a_token_ends_no_later_for_whomever_it_is(home: House) -> None:
    bob = home.member("sales")
    short = Holder(home, home.token(home.member("administrator"), days=10))
    for path in (OWN, THEIRS.format(id=bob.id)):
        for days in (None, 20):
            refused = short.ask("POST", path, {"name": "x", "days": days})
            assert (refused.status_code, refused.json()["code"]) == (422, "outlives-its-maker")
        made = short.ask("POST", path, {"name": secrets.token_hex(5)}).json()
        assert datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC) <= timedelta(days=10)


def test_a_member_has_so_many_tokens_in_use_and_no_more(home: House) -> None:
    page = signed_in(home.browser(), home.member())
    made = [page.post(OWN, json={"name": f"t{number}"}).json()["id"] for number in range(tokens.MAX_IN_USE)]
    refused = page.post(OWN, json={"name": "one too many"})
    assert (refused.status_code, refused.json()["code"]) == (409, "too-many-tokens")
    assert f"{tokens.MAX_IN_USE} tokens" in refused.json()["detail"]
    assert page.delete(f"{OWN}/{made[0]}").status_code == 200
    assert page.post(OWN, json={"name": "one too many"}).status_code == 201
    with home.services.database.connection() as connection:
        connection.execute("RESET ROLE")
        connection.execute("UPDATE tokens SET expires_at = clock_timestamp() WHERE id = %s", [made[1]])
        connection.execute("SET ROLE genjin_app")
    assert page.post(OWN, json={"name": "in the place of one that expired"}).status_code == 201
    assert page.delete(OWN).json() == {"revoked": tokens.MAX_IN_USE}


@pytest.fixture
def narrow(home: House) -> Holder:
    """A token for one of its member's roles, which has another token, too."""
    ann = home.member("sales", "finance", "administrator")
    home.token(ann)
    with home.services.database.connection() as connection:
        made, text = tokens.create(connection, secrets.token_hex(5), ann.id, roles=["administrator"])
    return Holder(home, {"Authorization": f"Bearer {text}"}, str(made.id))


def paths(narrow: Holder) -> tuple[str, str]:
    """The two ways to the tokens of its member."""
    return OWN, THEIRS.format(id=narrow.ask("GET", "/api/v1/me").json()["id"])


def require_limited(refused: Any) -> None:
    """The answer says that a token for some roles does not do this."""
    assert (refused.status_code, refused.json()["code"]) == (403, "limited-token"), refused.text


def test_a_limited_token_sees_itself_and_what_it_made_by_every_route(home: House, narrow: Holder) -> None:
    child = narrow.make()
    for path in paths(narrow):
        assert narrow.sees(path) == {narrow.id, child.id}
        assert child.sees(path) == {child.id}


def test_a_limited_token_revokes_itself_and_what_it_made_by_every_route(home: House, narrow: Holder) -> None:
    own, theirs = paths(narrow)
    mine = home.sql("SELECT id FROM tokens WHERE member_id = %s AND roles IS NULL", theirs.split("/")[4])
    for path in (own, theirs):
        refused = narrow.ask("DELETE", f"{path}/{mine[0][0]}")
        assert (refused.status_code, refused.json()["code"]) == (404, "not-found"), path
    child = narrow.make()
    assert child.ask("DELETE", theirs).json() == {"revoked": 1}
    assert [narrow.works, child.works] == [True, False]
    assert narrow.ask("DELETE", own).json() == {"revoked": 1}
    assert not narrow.works
    assert home.sql("SELECT count(*) FROM tokens WHERE id = %s AND revoked_at IS NULL", mine[0][0]) == [(1,)]


def test_a_limited_token_gives_its_member_no_more_than_it_has_by_any_route(home: House, narrow: Holder) -> None:
    own, theirs = paths(narrow)
    for path in (own, theirs):
        refused = narrow.ask("POST", path, {"name": "x", "roles": ["sales"]})
        assert (refused.status_code, refused.json()["code"]) == (422, "role-not-held"), path
        made = narrow.ask("POST", path, {"name": secrets.token_hex(5)}).json()
        assert (made["roles"], made["parent_id"]) == (["administrator"], narrow.id)


def test_a_limited_token_reaches_no_tokens_of_other_members(home: House, narrow: Holder) -> None:
    bob = home.member("sales", "administrator")
    bobs, path = full(home, bob), THEIRS.format(id=bob.id)
    ((bobs_id,),) = home.sql("SELECT id FROM tokens WHERE member_id = %s", bob.id)
    child = narrow.make()
    before = home.sql("SELECT id, revoked_at FROM tokens ORDER BY id")
    for asking in (narrow, child):
        for method, where, body in (
            ("GET", path, None),
            ("POST", path, {"name": "x"}),
            ("POST", path, {"name": "x", "roles": ["administrator"]}),
            ("DELETE", path, None),
            ("DELETE", f"{path}/{bobs_id}", None),
        ):
            require_limited(asking.ask(method, where, body))
    assert home.sql("SELECT id, revoked_at FROM tokens ORDER BY id") == before
    assert bobs.works


@pytest.mark.parametrize("link", ["invitation-link", "password-reset-link"])
def test_a_limited_token_makes_no_code_for_anybody(home: House, narrow: Holder, link: str) -> None:
    bob, (_, theirs) = home.member("sales"), paths(narrow)
    for path in (theirs.replace("tokens", link), f"/api/v1/members/{bob.id}/{link}"):
        before = home.sql("SELECT count(*) FROM one_time_codes")
        require_limited(narrow.ask("POST", path))
        assert home.sql("SELECT count(*) FROM one_time_codes") == before
        assert full(home, home.member()).ask("POST", path).status_code == 201


def test_a_limited_token_gives_its_own_member_no_other_address(home: House, narrow: Holder) -> None:
    own = paths(narrow)[1].removesuffix("/tokens")
    bob, email, head = home.member("sales"), an_address(), home.services.ledger.head()
    require_limited(narrow.ask("POST", f"{own}/invitation", {"email": email}))
    command = {"command": "invite-member", "to": own.split("/")[-1], "body": {"email": email}}
    (result,) = narrow.ask("POST", "/api/v1/commands", {"commands": [command]}).json()["results"]
    assert (result["status"], result["problem"]["code"]) == (403, "limited-token")
    assert home.services.ledger.head() == head
    assert narrow.ask("POST", f"/api/v1/members/{bob.id}/invitation", {"email": an_address()}).status_code == 200
    assert narrow.ask("PATCH", own, {"name": "新名"}).status_code == 200
    ann = home.member("sales", "administrator")
    assert full(home, ann).ask("POST", f"/api/v1/members/{ann.id}/invitation", {"email": email}).status_code == 200


def test_a_token_that_expires_after_its_check_makes_and_reaches_nothing(
    home: House, narrow: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def required(connection: Connection, actor: Actor, *more: Any) -> Actor:
        found = require_standing(connection, actor, *more)
        connection.execute("SET LOCAL ROLE genjin_owner")
        connection.execute("UPDATE tokens SET expires_at = clock_timestamp() WHERE id = %s", [narrow.id])
        connection.execute("SET LOCAL ROLE genjin_app")
        return found

    monkeypatch.setattr(standing, "require_standing", required)
    before = home.sql("SELECT id, revoked_at FROM tokens ORDER BY id")
    for method, body in (("POST", {"name": "x", "days": None}), ("DELETE", None)):
        refused = narrow.ask(method, OWN, body)
        assert (refused.status_code, refused.json()["code"]) == (401, "credential-ended"), method
    assert home.sql("SELECT id, revoked_at FROM tokens ORDER BY id") == before


def test_all_tokens_are_revoked_at_once(home: House) -> None:
    ann, bob = home.member("administrator"), home.member("sales")
    page = signed_in(home.browser(), ann)
    first, second, bobs = full(home, ann), full(home, ann), full(home, bob)
    made = first.make(THEIRS.format(id=bob.id))
    assert page.delete(OWN).json() == {"revoked": 3}
    assert [each.works for each in (first, second, made, bobs)] == [False, False, False, True]
    assert page.get("/api/v1/me").status_code == 200
    assert page.delete(THEIRS.format(id=bob.id)).json() == {"revoked": 1}
    assert not bobs.works
    assert page.delete(THEIRS.format(id=bob.id)).json() == {"revoked": 0}
    noted = home.sql("SELECT DISTINCT actor FROM accesses WHERE kind = 'token-revoked' AND member_id = %s", bob.id)
    assert noted == [(f"member:{ann.id}",)]
    seller = Holder(home, home.token(home.member("sales")))
    assert seller.ask("DELETE", THEIRS.format(id=ann.id)).status_code == 403


def test_a_new_password_ends_other_sessions_and_no_tokens(home: House) -> None:
    ann = home.member()
    page, elsewhere = signed_in(home.browser(), ann), signed_in(home.browser(), ann)
    token = full(home, ann)
    body = {"current_password": ann.password, "new_password": secrets.token_urlsafe(18)}
    assert page.post("/api/v1/me/password", json=body).status_code == 200
    assert elsewhere.get("/api/v1/me").status_code == 401
    assert elsewhere.post(OWN, json={"name": "x"}).status_code == 401
    assert page.get("/api/v1/me").status_code == 200
    assert token.works


def test_what_signed_out_writes_no_more(home: House) -> None:
    page = signed_in(home.browser(), home.member())
    kept = dict(page.cookies)
    assert page.delete("/api/v1/session").status_code == 200
    page.cookies.update(kept)
    assert page.post(OWN, json={"name": "x"}).status_code == 401


def test_a_batch_that_ends_its_own_credential_goes_no_further(home: House) -> None:
    member = home.member("administrator")
    home.member("administrator")
    commands: list[dict[str, Any]] = [
        {"command": "form-team", "body": {"name": "一"}},
        {"command": "suspend-member", "to": str(member.id), "body": {}},
        {"command": "form-team", "body": {"name": "二"}},
        {"command": "rename-member", "to": str(member.id), "body": {"name": "x"}},
    ]
    head = home.services.ledger.head()
    answered = home.browser().post("/api/v1/commands", json={"commands": commands}, headers=home.token(member))
    assert [each["status"] for each in answered.json()["results"]] == [200, 200, 401, 401]
    assert [each["index"] for each in answered.json()["results"]] == [0, 1, 2, 3]
    assert (answered.json()["done"], answered.json()["refused"]) == (2, 2)
    assert home.services.ledger.head() == head + 2


def test_a_role_that_was_given_a_moment_ago_holds_although_the_token_is_remembered(home: House) -> None:
    member = home.member("sales")
    browser, header = home.browser(), home.token(member)
    assert browser.post("/api/v1/teams", json={"name": "一"}, headers=header).status_code == 403
    home.do(GiveRoles(roles=("administrator",)), member.id)
    assert browser.post("/api/v1/teams", json={"name": "一"}, headers=header).status_code == 201
    batch = {"commands": [{"command": "form-team", "body": {"name": "二"}}]}
    assert browser.post("/api/v1/commands", json=batch, headers=header).json()["done"] == 1
