"""Under the ledger's lock nothing asks for a second connection, whatever has changed just before it was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from commands.members import InviteMember, RegisterMember
from integration.connections import Requests
from integration.elsewhere import Elsewhere, elsewhere
from integration.serving import Api
from integration.signing_in import House, Person, a_password, an_address, house, sign_in
from ledger.database import Connection
from policy.identity import codes, entering, tokens
from policy.identity.refusals import CodeUnusable, OpenIdRefused, SignInRefused
from policy.identity.sessions import Session
from policy.identity.standing import lock_ledger
from workspaces import dropped_afterwards

NETWORK = "198.51.100.7"


@pytest.fixture(scope="module")
def home(server: str) -> Iterator[House]:
    """A workspace that people sign in to."""
    with dropped_afterwards(server) as name, house(server, name) as made:
        yield made


@pytest.fixture(scope="module")
def other(home: House, server: str) -> Iterator[Elsewhere]:
    """Another process on it."""
    with elsewhere(server, home.services.database.schema) as made:
        yield made


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Requests:
    """What is asked of the pool."""
    return Requests(monkeypatch)


def test_a_second_connection_is_noticed(home: House, requests: Requests) -> None:
    database = home.services.database
    with database.connection() as connection, database.connection():
        assert requests.second == []
        lock_ledger(connection)
        with database.connection(autocommit=True):
            assert len(requests.second) == 1
    with database.connection():
        assert len(requests.second) == 1


def member_given(api: Api, before: tuple[str, ...], now: tuple[str, ...], **more: Any) -> Api:
    """A member in these roles now, of whom the process that is asked remembers those before."""
    member = api.signed_in(*before, **more)
    api.done(f"/members/{member.member_id}/roles", {"roles": list(now)})
    return member


def noted(api: Api, customer: str) -> list[tuple[str, str]]:
    """The accesses in which the customer is named, by kind and actor."""
    kept = api.get("/audit/accesses", customer_id=customer).json()["items"]
    return [(each["kind"], each["actor"]) for each in kept if each["kind"] != "refused"]


@pytest.fixture
def forgetful(api: Api, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The service, whose directory of members and teams remembers nothing."""
    monkeypatch.setattr(api.services.directory, "_holds", 0.0)
    return api


def test_details_are_revealed_in_the_roles_of_now(forgetful: Api, requests: Requests) -> None:
    api = forgetful
    team = api.done("/teams", {"name": "华东"})["id"]
    member = member_given(api, ("finance",), ("supervisor",), team_id=team)
    own = api.customer("自己的", owner_id=str(member.member_id), phone="010-62345678")
    others = api.customer("别人的", owner_id=str(api.member_id), phone="010-62345678")
    assert member.post(f"/customers/{own}/contact-details", {"reason": "回访"}).status_code == 200
    assert member.post(f"/customers/{others}/contact-details", {"reason": "回访"}).status_code == 404
    assert (noted(api, own), noted(api, others)) == ([("reveal", f"member:{member.member_id}")], [])
    assert requests.second == []


def test_a_person_is_disclosed_in_the_roles_of_now(forgetful: Api, requests: Requests) -> None:
    api = forgetful
    team = api.done("/teams", {"name": "华南"})["id"]
    customer = str(api.done("/customers", {"kind": "person", "name": "诸葛明镜"})["id"])
    api.read("/audit/events", limit=1)
    member = member_given(api, ("administrator",), ("administrator", "supervisor"), team_id=team)
    former = member_given(api, ("administrator",), ("supervisor",), team_id=team)
    assert member.get(f"/customers/{customer}/disclosure").status_code == 200
    assert former.get(f"/customers/{customer}/disclosure").status_code == 403
    assert noted(api, customer) == [("export", f"member:{member.member_id}")]
    assert requests.second == []


Way = Callable[[House, Person], Callable[[], Session]]
"""What prepares a sign-in."""


def by_password(home: House, ann: Person) -> Callable[[], Session]:
    """With the password."""
    return lambda: home.identity.entrance.by_password(ann.address, ann.password, NETWORK)


def by_address(home: House, ann: Person) -> Callable[[], Session]:
    """With the address that a provider vouches for."""
    return lambda: home.identity.entrance.by_address(ann.address)


def by_code(home: House, ann: Person) -> Callable[[], Session]:
    """With a code that was made for the address."""
    code = home.identity.entrance.make_code("password-reset", ann.id, "rule:test")
    return lambda: home.identity.entrance.by_code(code.text, "password-reset", a_password())


def lock_after(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> Callable[[Connection], None]:
    """Lock the ledger, the first time after something else was done."""
    awaited = [meanwhile]

    def lock(connection: Connection) -> None:
        if awaited:
            awaited.pop()()
        lock_ledger(connection)

    monkeypatch.setattr(entering, "lock_ledger", lock)
    return lock


@pytest.mark.parametrize(
    ("way", "refusal"), [(by_password, SignInRefused), (by_address, OpenIdRefused), (by_code, CodeUnusable)]
)
def test_nobody_comes_in_by_an_address_that_was_the_members_a_moment_ago(
    home: House,
    other: Elsewhere,
    requests: Requests,
    monkeypatch: pytest.MonkeyPatch,
    way: Way,
    refusal: type[Exception],
) -> None:
    ann = home.member()
    begin, before = way(home, ann), home.sql("SELECT count(*) FROM sessions")
    lock_after(monkeypatch, lambda: other.do(InviteMember(email=an_address()), ann.id))
    with pytest.raises(refusal):
        begin()
    assert home.sql("SELECT count(*) FROM sessions") == before
    assert requests.second == []


@pytest.mark.parametrize("way", [by_password, by_address, by_code])
def test_another_members_new_address_keeps_nobody_out(
    home: House,
    other: Elsewhere,
    requests: Requests,
    monkeypatch: pytest.MonkeyPatch,
    way: Way,
) -> None:
    ann, bob = home.member(), home.member()
    begin = way(home, ann)
    lock_after(monkeypatch, lambda: other.do(InviteMember(email=an_address()), bob.id))
    assert begin().member_id == ann.id
    assert requests.second == []


def test_a_code_is_made_for_the_address_of_now(
    home: House, other: Elsewhere, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, address = home.member(), an_address()
    lock = lock_after(monkeypatch, lambda: other.do(InviteMember(email=address), ann.id))
    code = home.identity.entrance.make_code("password-reset", ann.id, "rule:test", lock)
    assert requests.second == []
    assert home.identity.entrance.by_code(code.text, "password-reset", a_password()).member_id == ann.id


def test_a_first_administrator_comes_in_while_addresses_change(
    home: House, other: Elsewhere, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, address = home.member(), an_address()
    admin = home.do(RegisterMember(name="admin", roles=("administrator",)))
    with home.services.database.connection() as connection:
        code = codes.make(connection, "setup", admin, tokens.OPERATOR).text
    lock_after(monkeypatch, lambda: other.do(InviteMember(email=an_address()), bob.id))
    body = {"code": code, "name": "赵管理", "email": address, "password": a_password()}
    assert home.browser().post("/api/v1/setup", json=body).status_code == 201
    assert sign_in(home.browser(), Person(admin, address, body["password"])).status_code == 201
    invited = "SELECT count(*) FROM events WHERE originator_id = %s AND topic = 'member.invited'"
    assert home.sql(invited, admin) == [(1,)]
    assert requests.second == []
