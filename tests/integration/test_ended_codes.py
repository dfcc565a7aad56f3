"""Codes for one time end with the token and with the member that they were made by."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from commands.members import RemoveMember, ResumeMember, SuspendMember
from integration.signing_in import House, Person, a_password, house, signed_in
from policy.identity import tokens
from policy.identity.secrets import digest_of
from workspaces import dropped_afterwards

LINKS = ("invitation-link", "password-reset-link")


@pytest.fixture(scope="module")
def home(server: str) -> Iterator[House]:
    """A workspace that people sign in to."""
    with dropped_afterwards(server) as name, house(server, name) as made:
        made.member("administrator")  # stays, so that every other one may go
        yield made


Asking = Callable[..., Any]


def with_token(home: House, maker: Person) -> Asking:
    """Requests with a token of the maker."""
    header = home.token(maker)
    return lambda path, **more: home.browser().post(f"/api/v1{path}", headers=header, **more)


def in_session(home: House, maker: Person) -> Asking:
    """Requests in a session of the maker."""
    page = signed_in(home.browser(), maker)
    return lambda path, **more: page.post(f"/api/v1{path}", **more)


def made_by(ask: Asking, victim: Person, link: str = "password-reset-link") -> Any:
    """The code that is answered to whoever asks for one for the victim."""
    made = ask(f"/members/{victim.id}/{link}")
    assert made.status_code == 201, made.text
    return made.json()


def accept(home: House, made: Any) -> Any:
    """The answer to the code."""
    return home.browser().post(made["accept_at"], json={"code": made["code"], "password": a_password()})


def is_kept(home: House, made: Any) -> bool:
    """Whether the code is still in the database."""
    found = home.sql("SELECT count(*) FROM one_time_codes WHERE digest = %s", digest_of(made["code"]))
    return bool(found[0][0])


def require_unusable(home: House, made: Any) -> None:
    """The code lets nobody in, and begins no session."""
    before = home.sql("SELECT count(*) FROM sessions")
    refused = accept(home, made)
    assert (refused.status_code, refused.json()["code"]) == (422, "code-unusable")
    assert home.sql("SELECT count(*) FROM sessions") == before


@pytest.mark.parametrize("way", [with_token, in_session])
@pytest.mark.parametrize("link", LINKS)
def test_a_code_ends_with_the_removal_of_the_member_who_made_it(
    home: House, way: Callable[[House, Person], Asking], link: str
) -> None:
    maker, victim = home.member("administrator"), home.member("administrator")
    made = made_by(way(home, maker), victim, link)
    home.do(RemoveMember(), maker.id)
    assert not is_kept(home, made)
    require_unusable(home, made)


def test_a_removal_leaves_the_codes_of_others_alone(home: House) -> None:
    maker, stays, victim = home.member("administrator"), home.member("administrator"), home.member("sales")
    in_session(home, maker)
    made = made_by(in_session(home, stays), victim)
    home.do(RemoveMember(), maker.id)
    assert accept(home, made).status_code == 201


@pytest.mark.parametrize("way", [with_token, in_session])
def test_a_code_lets_nobody_in_while_its_maker_is_suspended(
    home: House, way: Callable[[House, Person], Asking]
) -> None:
    maker, victim = home.member("administrator"), home.member("administrator")
    made = made_by(way(home, maker), victim)
    home.do(SuspendMember(), maker.id)
    require_unusable(home, made)
    home.do(ResumeMember(), maker.id)
    assert accept(home, made).status_code == 201


def test_a_code_ends_with_the_token_it_was_made_with(home: House) -> None:
    maker, victim, other = home.member("administrator"), home.member("sales"), home.member("sales")
    top = with_token(home, maker)
    child = top("/tokens", json={"name": secrets.token_hex(5)}).json()
    header = {"Authorization": f"Bearer {child['token']}"}
    by_child = made_by(lambda path: home.browser().post(f"/api/v1{path}", headers=header), victim)
    by_session = made_by(in_session(home, maker), other)
    parent_id = child["parent_id"]
    assert home.sql("SELECT token_id FROM one_time_codes WHERE digest = %s", digest_of(by_child["code"])) == [
        (UUID(child["id"]),)
    ]
    with home.services.database.connection() as connection:
        tokens.revoke(connection, UUID(parent_id))
    assert [is_kept(home, by_child), is_kept(home, by_session)] == [False, True]
    require_unusable(home, by_child)
    assert accept(home, by_session).status_code == 201


def test_a_code_ends_with_a_token_whose_name_was_given_away_before(home: House) -> None:
    maker, victim = home.member("administrator"), home.member("sales")
    made = made_by(with_token(home, maker), victim)
    ((token_id, name),) = home.sql("SELECT id, name FROM tokens WHERE member_id = %s", maker.id)
    with home.services.database.connection() as connection:
        connection.execute("RESET ROLE")
        connection.execute("UPDATE tokens SET expires_at = clock_timestamp() WHERE id = %s", [token_id])
        connection.execute("SET ROLE genjin_app")
        connection.execute("SELECT release_token_name(%s)", [name])
        tokens.revoke(connection, token_id)
    assert not is_kept(home, made)
