"""Which passwords may be chosen, and what is kept of them."""

from __future__ import annotations

import secrets

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from aggregates.base import DomainError
from policy.identity.passwords import Hasher, require_fit
from policy.identity.plain import is_plain
from policy.identity.refusals import PasswordNamesMember, PasswordTooLong, PasswordTooPlain, PasswordTooShort
from policy.identity.slowing import LONGEST_WAIT, network_of, wait_after

NAMES = ("赵顾问", "zhao.guwen@example.com", None)


@pytest.mark.parametrize(
    "password",
    [
        "four words nobody guesses",
        "正确的马电池订书钉今天天气",
        "Xk2!vbQ9_hello",
        "correct horse battery staple",
        "  leading and trailing  ",
        "🦊🐢🦉🐝🦔🐿🦡🦦🦥🦨🦘🦃",
    ],
)
def test_long_and_unlikely_ones_may_be_chosen(password: str) -> None:
    require_fit(password, NAMES)


@pytest.mark.parametrize(
    ("password", "refused"),
    [
        ("elevenchars", PasswordTooShort),
        ("x" * 201, PasswordTooLong),
        ("password1234", PasswordTooPlain),
        ("Passw0rd2026!", PasswordTooPlain),
        ("qwertyuiop123", PasswordTooPlain),
        ("1qaz2wsx3edc", PasswordTooPlain),
        ("123456789012", PasswordTooPlain),
        ("aaaaaaaaaaaaaa", PasswordTooPlain),
        ("abcabcabcabc", PasswordTooPlain),
        ("zyxwvutsrqponm", PasswordTooPlain),
        ("administrator1", PasswordTooPlain),
        ("iloveyou2026!!", PasswordTooPlain),
        ("woaini5201314", PasswordTooPlain),
        ("zhao.guwen2026", PasswordNamesMember),
        ("zhao.guwen@example.com", PasswordNamesMember),
        ("ZHAOGUWEN-1234", PasswordNamesMember),
    ],
)
def test_short_and_likely_ones_may_not(password: str, refused: type[DomainError]) -> None:
    with pytest.raises(refused):
        require_fit(password, NAMES)


def test_what_is_made_at_random_is_never_plain() -> None:
    assert not any(is_plain(secrets.token_urlsafe(12)) for _ in range(300))


def test_a_password_is_the_same_however_it_was_typed() -> None:
    hasher = Hasher(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1))
    kept = hasher.hash("Zoe\u0308 hat zwo\u0308lf Katzen")
    assert hasher.check("Zo\u00eb hat zw\u00f6lf Katzen", kept) == (True, None)
    assert kept.startswith("$argon2id$")


def test_ours_are_as_heavy_as_they_should_be() -> None:
    kept = Hasher().hash(secrets.token_urlsafe())
    assert "m=65536,t=3,p=1" in kept
    assert Hasher(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)).check("x", kept)[0] is False


def test_one_waits_twice_as_long_each_time_up_to_a_bound() -> None:
    assert [wait_after(failures, 5) for failures in (0, 4, 5, 6, 7, 8)] == [0, 0, 1, 2, 4, 8]
    assert wait_after(1_000_000, 5) == LONGEST_WAIT


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("testclient", "testclient"),
    ],
)
def test_one_household_is_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
