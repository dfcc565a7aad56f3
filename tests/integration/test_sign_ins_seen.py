"""Auditors see who signed in and out, whose account was tried in vain, and which tokens were made and revoked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from commands.members import InviteMember, RegisterMember, SuspendMember
from integration.signing_in import House, Person, a_password, an_address, house, sign_in, signed_in
from policy.identity.refused import APART_SECONDS
from policy.identity.slowing import FREE_FOR_PLACE
from workspaces import dropped_afterwards

HERE = "198.51.100.7"


@pytest.fixture(scope="module")
def home(server: str) -> Iterator[House]:
    """A workspace that people sign in to."""
    with dropped_afterwards(server) as name, house(server, name) as made:
        yield made


@pytest.fixture(scope="module")
def auditor(home: House) -> Any:
    """Somebody who looks at who signed in."""
    return signed_in(home.browser(), home.member("auditor"))


def seen(home: House, auditor: Any, **asked: Any) -> list[dict[str, Any]]:
    """What the auditor is shown, the oldest first."""
    home.identity.refused.write()
    answer = auditor.get("/api/v1/audit/accesses", params={"limit": 200, **asked})
    assert answer.status_code == 200, answer.text
    return list(reversed(answer.json()["items"]))


def told(accesses: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """What each of them says."""
    return [(each["kind"], each["actor"], each["action"]) for each in accesses]


def wrong(home: House, address: str, where: str = HERE) -> Any:
    """The answer to a wrong password."""
    body = {"email": address, "password": a_password()}
    return home.browser(where).post("/api/v1/session", json=body)


def sooner(server: str, home: House, seconds: int) -> None:
    """What was noted so far was noted that much earlier, which the service itself cannot do."""
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        statement = sql.SQL("UPDATE {} SET at = at - %s")
        connection.execute(
            statement.format(sql.Identifier(home.services.database.schema, "accesses")), [timedelta(seconds=seconds)]
        )


def test_whoever_comes_in_and_goes_is_seen(home: House, auditor: Any) -> None:
    ann = home.member("sales")
    browser = signed_in(home.browser(), ann)
    assert browser.delete("/api/v1/session").status_code == 200
    assert browser.delete("/api/v1/session").status_code == 401
    actor, accesses = f"member:{ann.id}", seen(home, auditor, member_id=str(ann.id))
    assert told(accesses) == [
        ("sign-in", actor, "sign-in-by-code"),
        ("sign-in", actor, "sign-in-by-password"),
        ("sign-out", actor, "sign-out"),
    ]
    assert {each["member_id"] for each in accesses} == {str(ann.id)}
    assert seen(home, auditor, actor=actor, kind="sign-out") == accesses[-1:]


def test_whose_account_was_tried_in_vain_is_seen_and_not_by_whom(home: House, auditor: Any) -> None:
    ann, suspended = home.member(), home.member()
    home.do(SuspendMember(), suspended.id)
    invited = Person(home.do(RegisterMember(name="Bo")), an_address())
    home.do(InviteMember(email=invited.address), invited.id)
    for person in (ann, suspended, invited):
        assert wrong(home, person.address).status_code == 401
        (access,) = seen(home, auditor, kind="sign-in-refused", member_id=str(person.id))
        assert told([access]) == [("sign-in-refused", "nobody", "sign-in-by-password")]
    assert sign_in(home.browser(), suspended).status_code == 401
    assert len(seen(home, auditor, kind="sign-in-refused", member_id=str(suspended.id))) == 1


def test_of_accounts_that_nobody_has_nothing_is_told(home: House, server: str, auditor: Any) -> None:
    sooner(server, home, APART_SECONDS)
    before = len(seen(home, auditor, kind="sign-in-refused"))
    addresses = [an_address() for _ in range(10)]
    for number, address in enumerate(addresses):
        assert wrong(home, address, f"203.0.113.{number}").status_code == 401
    (access,) = seen(home, auditor, kind="sign-in-refused")[before:]
    assert {name for name, value in access.items() if value is not None} == {"id", "at", "kind", "actor", "action"}
    kept = "\n".join(row for (row,) in home.sql("SELECT to_jsonb(a)::text FROM accesses a"))
    assert not [word for word in (*addresses, "example.com", "203.0.113", HERE) if word in kept]


def test_many_attempts_are_one_note_a_minute_for_each_account(home: House, server: str, auditor: Any) -> None:
    ann = home.member()

    def noted() -> int:
        return len(seen(home, auditor, kind="sign-in-refused", member_id=str(ann.id)))

    for number in range(20):
        assert wrong(home, ann.address, f"192.0.2.{number}").status_code == 401
        home.identity.refused.write()
    assert noted() == 1
    sooner(server, home, APART_SECONDS)
    assert wrong(home, ann.address).status_code == 401
    assert noted() == 2


def test_who_has_to_wait_leaves_no_more_notes(home: House, server: str, auditor: Any) -> None:
    ann = home.member()
    for _ in range(FREE_FOR_PLACE):
        assert wrong(home, ann.address, "192.0.2.200").status_code == 401
    assert len(seen(home, auditor, kind="sign-in-refused", member_id=str(ann.id))) == 1
    sooner(server, home, APART_SECONDS)
    assert wrong(home, ann.address, "192.0.2.200").status_code == 429
    assert len(seen(home, auditor, kind="sign-in-refused", member_id=str(ann.id))) == 1


def test_the_answer_does_not_wait_for_the_note(home: House, server: str, auditor: Any) -> None:
    ann = home.member()
    table = sql.Identifier(home.services.database.schema, "accesses")
    with psycopg.connect(server) as connection:
        connection.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(table))
        answers = [wrong(home, address, "192.0.2.201") for address in (ann.address, an_address(), "no address")]
    assert [answer.status_code for answer in answers] == [401] * 3
    assert len({answer.text for answer in answers}) == 1
    assert len(seen(home, auditor, kind="sign-in-refused", member_id=str(ann.id))) == 1


def test_codes_that_let_nobody_in_are_seen(home: House, server: str, auditor: Any) -> None:
    sooner(server, home, APART_SECONDS)
    ann = home.member()
    code = home.identity.entrance.make_code("password-reset", ann.id, "rule:test")
    home.do(InviteMember(email=an_address()), ann.id)
    for text in (code.text, "no such code"):
        body = {"code": text, "password": a_password()}
        refused = home.browser().post("/api/v1/password-resets/accept", json=body)
        assert (refused.status_code, refused.json()["code"]) == (422, "code-unusable")
    accesses = [each for each in seen(home, auditor) if each["action"] == "sign-in-by-code"][-2:]
    assert {(each["kind"], each["actor"], each["member_id"]) for each in accesses} == {
        ("sign-in-refused", "nobody", str(ann.id)),
        ("sign-in-refused", "nobody", None),
    }


def test_tokens_are_seen_when_they_are_made_and_revoked(home: House, auditor: Any) -> None:
    ann, boss = home.member("sales"), home.member("administrator")
    own, bosses = signed_in(home.browser(), ann), signed_in(home.browser(), boss)
    first = own.post("/api/v1/tokens", json={"name": "周报"}).json()["id"]
    second = bosses.post(f"/api/v1/members/{ann.id}/tokens", json={"name": "月报"}).json()["id"]
    assert own.post("/api/v1/tokens", json={"name": "周报"}).status_code == 409
    for _ in range(2):
        assert own.delete(f"/api/v1/tokens/{first}").json()["revoked_at"] is not None
        assert bosses.delete(f"/api/v1/members/{ann.id}/tokens/{second}").status_code == 200
    assert bosses.delete(f"/api/v1/tokens/{second}").status_code == 404
    accesses = seen(home, auditor, member_id=str(ann.id), kind="token-made,token-revoked")
    anns, of_boss = f"member:{ann.id}", f"member:{boss.id}"
    assert [(each["kind"], each["actor"], each["token_id"]) for each in accesses] == [
        ("token-made", anns, first),
        ("token-made", of_boss, second),
        ("token-revoked", anns, first),
        ("token-revoked", of_boss, second),
    ]
    assert "周报" not in str(accesses)
    home.token(ann)
    assert told(seen(home, auditor, member_id=str(ann.id)))[-1] == ("token-made", "rule:token", "make-token")


def test_only_those_see_it_who_may_audit(home: House) -> None:
    for role, status in (("sales", 403), ("manager", 403), ("administrator", 200)):
        browser = signed_in(home.browser(), home.member(role))
        assert browser.get("/api/v1/audit/accesses", params={"kind": "sign-in"}).status_code == status


def test_what_is_gathered_is_written_before_the_end(server: str) -> None:
    with dropped_afterwards(server) as name, house(server, name) as home:
        ann = home.member()
        assert wrong(home, ann.address).status_code == 401
        home.identity.close()
        assert home.sql("SELECT member_id FROM accesses WHERE kind = 'sign-in-refused'") == [(ann.id,)]
