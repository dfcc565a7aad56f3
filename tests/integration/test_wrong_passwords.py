"""Wrong passwords make whoever tries wait, and tell nothing about who has an account."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from commands.members import InviteMember, RegisterMember, SuspendMember
from integration.signing_in import CountingHasher, House, Person, a_password, an_address, house, sign_in
from keys import MASTER_KEY
from policy.identity.identity import Identity
from policy.identity.passwords import Hasher
from policy.identity.refusals import SignInRefused, SignInSlowed
from policy.identity.slowing import FREE_FOR_ACCOUNT, FREE_FOR_ADDRESS, FREE_FOR_PLACE, LONGEST_WAIT
from workspaces import dropped_afterwards

HERE, THERE = "198.51.100.7", "203.0.113.9"


@pytest.fixture
def home(server: str) -> Iterator[House]:
    """A workspace that people sign in to, in which nobody has tried anything."""
    with dropped_afterwards(server) as name, house(server, name) as made:
        yield made


def wrong(home: House, person: Person, address: str = HERE) -> Any:
    """The answer to a wrong password."""
    return sign_in(home.browser(address), person, a_password())


def test_after_some_wrong_passwords_one_waits_even_with_the_right_one(home: House) -> None:
    ann = home.member()
    answers = [wrong(home, ann).status_code for _ in range(FREE_FOR_PLACE)]
    assert answers == [401] * FREE_FOR_PLACE
    slowed = sign_in(home.browser(HERE), ann)
    assert (slowed.status_code, slowed.json()["code"]) == (429, "sign-in-slowed")
    assert 1 <= int(slowed.headers["retry-after"]) <= LONGEST_WAIT
    home.sql("UPDATE sign_in_failures SET wait_until = clock_timestamp()")
    assert sign_in(home.browser(HERE), ann).status_code == 201
    assert wrong(home, ann).status_code == 401


def test_the_wait_grows_has_a_bound_and_is_forgotten(home: House) -> None:
    ann, waits = home.member(), []
    for _ in range(FREE_FOR_PLACE + 9):
        assert wrong(home, ann).status_code == 401
        ((wait,),) = home.sql("SELECT max(extract(epoch FROM wait_until - last_at)) FROM sign_in_failures")
        waits.append(round(wait))
        home.sql("UPDATE sign_in_failures SET wait_until = NULL")
    assert waits[FREE_FOR_PLACE - 2 : FREE_FOR_PLACE + 3] == [0, 1, 2, 4, 8]
    assert waits[-1] == LONGEST_WAIT
    home.sql("UPDATE sign_in_failures SET last_at = last_at - interval '2 hours'")
    assert wrong(home, ann).status_code == 401
    assert sign_in(home.browser(HERE), ann).status_code == 201


def test_who_tries_from_elsewhere_does_not_lock_the_owner_out(home: House) -> None:
    ann = home.member()
    for _ in range(FREE_FOR_PLACE):
        wrong(home, ann, THERE)
    assert wrong(home, ann, THERE).status_code == 429
    assert sign_in(home.browser(HERE), ann).status_code == 201


def test_not_even_with_many_addresses_where_the_owner_has_been_before(home: House) -> None:
    ann = home.member()
    assert sign_in(home.browser(HERE), ann).status_code == 201
    tried = [wrong(home, ann, f"203.0.{number}.1").status_code for number in range(FREE_FOR_ACCOUNT + 1)]
    assert tried == [401] * FREE_FOR_ACCOUNT + [429]
    assert sign_in(home.browser(HERE), ann).status_code == 201
    assert sign_in(home.browser("192.0.2.1"), ann).status_code == 429


def test_one_password_is_not_tried_on_many_accounts(home: House) -> None:
    answers = [wrong(home, Person(home_id, an_address())).status_code for home_id in [home.member().id] * 22]
    assert answers[:FREE_FOR_ADDRESS] == [401] * FREE_FOR_ADDRESS
    assert answers[-1] == 429


def test_attempts_at_the_same_time_are_as_many(home: House) -> None:
    ann = home.member()

    def attempt(_: int) -> type[Exception]:
        with pytest.raises((SignInRefused, SignInSlowed)) as refused:
            home.identity.entrance.by_password(ann.address, a_password(), HERE)
        return refused.type

    with ThreadPoolExecutor(8) as hands:
        told = list(hands.map(attempt, range(12)))
    assert told.count(SignInRefused) == FREE_FOR_PLACE
    assert told.count(SignInSlowed) == 12 - FREE_FOR_PLACE


def test_processes_count_together(home: House) -> None:
    ann = home.member()
    services, members = home.services, home.identity.members
    other = Identity(services.database, services.ledger, MASTER_KEY, members, hasher=CountingHasher())
    here = home.services.identity
    for number in range(FREE_FOR_PLACE):
        home.services.identity = (here, other)[number % 2]
        assert wrong(home, ann).status_code == 401
    home.services.identity = other
    assert wrong(home, ann).status_code == 429


def test_an_account_that_is_not_there_is_answered_and_worked_on_like_one_that_is(home: House) -> None:
    ann, suspended = home.member(), home.member()
    home.do(SuspendMember(), suspended.id)
    invited = Person(home.do(RegisterMember(name="Bo")), an_address())
    home.do(InviteMember(email=invited.address), invited.id)
    home.identity.addresses.member_at(an_address())
    told: set[tuple[Any, ...]] = set()
    for person in (ann, suspended, invited, Person(ann.id, an_address()), Person(ann.id, "no address at all")):
        before, written = home.hasher.checked, self_counted(home)
        refused = wrong(home, person, f"203.0.113.{len(told) + home.hasher.checked}")
        assert home.hasher.checked - before == 1
        told.add((refused.status_code, refused.text, refused.headers["content-type"], self_counted(home) - written))
    assert len(told) == 1, told


def self_counted(home: House) -> int:
    """The rows that attempts have left."""
    ((rows,),) = home.sql("SELECT count(*) FROM sign_in_failures")
    return int(rows)


def test_what_nobody_has_costs_the_same_to_compare_with() -> None:
    hasher = Hasher(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1))
    kept = hasher.hash(a_password())
    assert hasher._nobodys.rpartition("$")[0].rpartition("$")[0] == kept.rpartition("$")[0].rpartition("$")[0]
    assert hasher.check(a_password(), None)[0] is False


def test_a_password_is_kept_in_the_newer_way_after_the_next_sign_in(home: House) -> None:
    ann = home.member()
    older = Hasher(Argon2Hasher(time_cost=2, memory_cost=16, parallelism=1)).hash(ann.password)
    home.sql("UPDATE passwords SET hash = %s WHERE member_id = %s", older, ann.id)
    assert sign_in(home.browser(), ann).status_code == 201
    ((newer,),) = home.sql("SELECT hash FROM passwords WHERE member_id = %s", ann.id)
    assert "m=8,t=1" in newer
    assert sign_in(home.browser(), ann).status_code == 201


def test_addresses_are_the_same_however_they_are_written(home: House) -> None:
    ann = home.member()
    shouted = Person(ann.id, f" {ann.address.upper()} ", ann.password)
    assert sign_in(home.browser(), shouted).status_code == 201
    stored = str(home.sql("SELECT * FROM member_addresses")) + str(home.sql("SELECT * FROM sign_in_failures"))
    assert ann.address not in stored


def test_an_address_belongs_to_whom_it_belonged_first(home: House) -> None:
    ann = home.member()
    eve = home.do(RegisterMember(name="Eve", email=ann.address))
    home.do(InviteMember(email=ann.address), eve)
    assert home.identity.addresses.member_at(ann.address) == ann.id
    home.do(InviteMember(email=an_address()), ann.id)
    assert home.identity.addresses.member_at(ann.address) == eve


def test_too_many_at_once_are_told_to_come_again(home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.identity.working.MOST_WAITING", 0)
    refused = sign_in(home.browser(), home.member())
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
    assert int(refused.headers["retry-after"]) > 0
