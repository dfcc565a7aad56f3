"""Writing with a credential while it is revoked: what was written was written before, and what was made falls too."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from time import sleep
from typing import Any
from uuid import UUID

import pytest

from commands.members import RemoveMember, SuspendMember
from integration.elsewhere import Elsewhere, Visitor, elsewhere
from integration.signing_in import House, Person, house, sign_in
from policy.identity import passwords
from policy.identity.standing import lock_ledger
from workspaces import dropped_afterwards

TRIES = 6
"""Times that each writer tries while the credential is taken away."""


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


def race(writers: list[Callable[[], Any]], end: Callable[[], None]) -> list[Any]:
    """The answers that the writers get, each trying again and again, while what they write with is taken away."""
    barrier = Barrier(len(writers) + 1)

    def write(once: Callable[[], Any]) -> list[Any]:
        barrier.wait()
        return [once() for _ in range(TRIES)]

    with ThreadPoolExecutor(len(writers)) as pool:
        begun = [pool.submit(write, each) for each in writers]
        barrier.wait()
        sleep(secrets.randbelow(30) / 1000)
        end()
        return [answer for each in begun for answer in each.result()]


def rows(other: Elsewhere, statement: str, *values: Any) -> list[Any]:
    """What a statement finds."""
    with other.database.connection() as connection:
        return connection.execute(statement.encode(), values).fetchall()


def revoke_while_it_makes_tokens(home: House, other: Elsewhere) -> set[int]:
    """One round; the statuses of the answers."""
    visitor = other.visitor()

    def make() -> Any:
        body = {"name": secrets.token_hex(6)}
        return home.browser().post("/api/v1/tokens", json=body, headers=visitor.bearer)

    answers = race([make, make], lambda: other.revoke(visitor))
    in_use = rows(other, "SELECT name FROM tokens WHERE member_id = %s AND revoked_at IS NULL", visitor.id)
    assert in_use == [], "a revoked token left one that works"
    for answer in answers:
        assert answer.status_code in (201, 401), answer.text
        if answer.status_code == 201:
            header = {"Authorization": f"Bearer {answer.json()['token']}"}
            assert home.browser().post("/api/v1/tokens", json={"name": "x"}, headers=header).status_code == 401
    return {answer.status_code for answer in answers}


def remove_while_it_administers(
    home: House, other: Elsewhere, headers: Callable[[Visitor], dict[str, str]]
) -> set[int]:
    """One round; the statuses of the answers."""
    visitor, member = other.visitor(), other.visitor("sales")

    def make_administrator() -> Any:
        body = {"name": "新管理员", "roles": ["administrator"]}
        return home.browser().post("/api/v1/members", json=body, headers=headers(visitor))

    def make_token() -> Any:
        body = {"name": secrets.token_hex(6)}
        return home.browser().post(f"/api/v1/members/{member.id}/tokens", json=body, headers=headers(visitor))

    answers = race([make_administrator, make_token], lambda: other.remove(visitor))
    assert {answer.status_code for answer in answers} <= {201, 401, 403}, [answer.text for answer in answers]
    _require_nothing_after(other, visitor.id)
    return {answer.status_code for answer in answers}


def _require_nothing_after(other: Elsewhere, member_id: UUID) -> None:
    actor = f"member:{member_id}"
    ((position, at),) = rows(
        other,
        "SELECT position, recorded_at FROM events WHERE originator_id = %s AND topic = 'member.removed'",
        member_id,
    )
    later = "SELECT position FROM events WHERE position > %s AND convert_from(state, 'UTF8')::jsonb ->> 'actor' = %s"
    assert rows(other, later, position, actor) == [], "a removed member wrote"
    made = rows(other, "SELECT created_at, parent_id, revoked_at FROM tokens WHERE made_by = %s", actor)
    assert all(created_at < at for created_at, _, _ in made), "a removed member made a token"
    assert all(revoked_at for _, parent_id, revoked_at in made if parent_id), (
        "a token outlived the one it was made with"
    )


WITH_TOKEN, IN_SESSION = (lambda visitor: visitor.bearer), (lambda visitor: _secure(visitor.page))


def _secure(page: dict[str, str]) -> dict[str, str]:
    """The same behind TLS."""
    return page | {"Cookie": f"__Host-{page['Cookie']}"}


@pytest.mark.parametrize("round", range(4))
def test_a_revoked_token_makes_no_other(home: House, other: Elsewhere, round: int) -> None:
    revoke_while_it_makes_tokens(home, other)


@pytest.mark.parametrize("headers", [WITH_TOKEN, IN_SESSION], ids=["token", "session"])
@pytest.mark.parametrize("round", range(3))
def test_a_removed_administrator_administers_no_more(
    home: House, other: Elsewhere, headers: Callable[[Visitor], dict[str, str]], round: int
) -> None:
    remove_while_it_administers(home, other, headers)


@pytest.mark.torture
def test_both_again_and_again(home: House, other: Elsewhere) -> None:
    seen = set[int]()
    for _ in range(100):
        seen |= revoke_while_it_makes_tokens(home, other)
        seen |= remove_while_it_administers(home, other, WITH_TOKEN)
        seen |= remove_while_it_administers(home, other, IN_SESSION)
    assert {201, 401} <= seen


def change_password(home: House, other: Elsewhere, person: Person) -> None:
    """As `POST /me/password` does it in another process."""
    with other.database.connection() as connection:
        lock_ledger(connection)
        passwords.keep(connection, person.id, home.hasher.hash(secrets.token_urlsafe(18)))


def remove(home: House, other: Elsewhere, person: Person) -> None:
    """As an administrator does it in another process."""
    other.do(RemoveMember(), person.id)


def suspend(home: House, other: Elsewhere, person: Person) -> None:
    """As an administrator does it in another process."""
    other.do(SuspendMember(), person.id)


@pytest.mark.parametrize("meanwhile", [change_password, remove, suspend])
def test_nobody_signs_in_by_a_password_that_was_right_a_moment_ago(
    home: House,
    other: Elsewhere,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[House, Elsewhere, Person], None],
) -> None:
    ann, check = home.member(), home.hasher.check

    def checked(password: str, kept: str | None) -> tuple[bool, str | None]:
        found = check(password, kept)
        meanwhile(home, other, ann)
        return found

    monkeypatch.setattr(home.hasher, "check", checked)
    monkeypatch.setattr(home.identity.entrance, "_may_act", lambda _: True)  # remembered
    assert sign_in(home.browser(), ann).status_code == 401
    begun = "SELECT count(*) FROM sessions WHERE member_id = %s AND begun_by = 'password'"
    assert rows(other, begun, ann.id) == [(0,)]


@pytest.mark.parametrize("meanwhile", [remove, suspend])
def test_a_code_lets_nobody_in_who_was_put_out_a_moment_ago(
    home: House,
    other: Elsewhere,
    monkeypatch: pytest.MonkeyPatch,
    meanwhile: Callable[[House, Elsewhere, Person], None],
) -> None:
    ann, hashing = home.member(), home.hasher.hash
    code = home.identity.entrance.make_code("password-reset", ann.id, "rule:test").text
    before = rows(other, "SELECT hash FROM passwords WHERE member_id = %s", ann.id)

    def hashed(password: str) -> str:
        meanwhile(home, other, ann)
        return hashing(password)

    monkeypatch.setattr(home.hasher, "hash", hashed)
    body = {"code": code, "password": secrets.token_urlsafe(18)}
    refused = home.browser().post("/api/v1/password-resets/accept", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "code-unusable")
    assert rows(other, "SELECT hash FROM passwords WHERE member_id = %s", ann.id) == before
