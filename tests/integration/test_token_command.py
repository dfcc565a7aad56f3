"""`crm token`: made for 90 days unless something else is asked for, and revoked one by one or all at once."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_bytes
from typing import Any
from unittest.mock import patch

import pytest

from crm import settings, store
from crm.members import DEFAULT_DAYS, first_access
from crm.processes.welcome import FIRST_CALLS
from integration.keeping import Place, elsewhere
from keys import as_setting
from ledger.proof.statements import Signer
from policy.identity import tokens

SIGNING_KEY = token_bytes(32)
PUBLIC_KEY = b64encode(Signer(SIGNING_KEY).public).decode()


@pytest.fixture(scope="module")
def place(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A workspace and the commands there."""
    with elsewhere(server, tmp_path_factory.mktemp("tokens"), CRM_SIGNING_KEY=as_setting(SIGNING_KEY)) as there:
        there.done("migrate")
        yield there


def ends(made: Any) -> timedelta:
    """How long a token that was just made is good for."""
    return datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)


def test_a_token_ends_after_ninety_days_unless_something_else_is_said(place: Place) -> None:
    assert timedelta(days=89) < ends(place.done("token", "create", "--name", "usual")) <= timedelta(days=90)
    assert ends(place.done("token", "create", "--name", "brief", "--days", "3")) <= timedelta(days=3)
    assert place.done("token", "create", "--name", "lasting", "--never-ends")["expires_at"] is None
    both = place.refused("token", "create", "--name", "both", "--days", "3", "--never-ends")
    assert "not both" in both


def test_all_tokens_of_a_member_are_revoked_by_name_or_id(place: Place) -> None:
    first = place.done("token", "create", "--name", "Ann")
    place.done("token", "create", "--name", "second", "--member", first["member_id"])
    told = place.done("token", "revoke", "--all", "--member", "Ann")
    assert told == {"member_id": first["member_id"], "revoked": 2}
    place.done("token", "create", "--name", "third", "--member", first["member_id"])
    assert place.done("token", "revoke", "--all", "--member", first["member_id"])["revoked"] == 1
    listed = [each for each in place.done("token", "list") if each["member_id"] == first["member_id"]]
    assert len(listed) == 3
    assert all(each["revoked_at"] for each in listed)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--all"], "--member"),
        (["Ann", "--all", "--member", "Ann"], "no token"),
        (["--member", "Ann"], "--all"),
        ([], "Name a token"),
        (["--all", "--member", "Nobody"], "No member is called Nobody"),
        (["--all", "--member", "0192f0c1-7d5a-7cc3-a1b2-0123456789ab"], "There is no member with the id"),
    ],
)
def test_what_cannot_be_revoked_is_told(place: Place, words: list[str], says: str) -> None:
    assert says in place.refused("token", "revoke", *words)


def test_one_too_many_is_refused_with_what_to_do(place: Place) -> None:
    member = place.done("token", "create", "--name", "Max")["member_id"]
    with place.services() as made, made.database.connection() as connection:
        for number in range(tokens.MAX_IN_USE - 1):
            tokens.create(connection, f"Max {number}", member)
    said = place.refused("token", "create", "--name", "Max again", "--member", member)
    assert f"{tokens.MAX_IN_USE} tokens in use" in said
    assert f"crm token revoke --all --member {member}" in said.replace("\n", " ")


def test_a_token_and_its_parent_are_in_a_backup(place: Place, server: str, tmp_path: Path) -> None:
    member = place.done("token", "create", "--name", "Kay")["member_id"]
    with place.services() as made, made.database.connection() as connection:
        parent, _ = tokens.create(connection, "parent", member)
        tokens.create(connection, "child", member, parent_id=parent.id)
    file = place.backup()
    with elsewhere(server, tmp_path, CRM_TRUSTED_KEYS=PUBLIC_KEY) as there:
        there.done("restore", file, "--keys", place.keys)
        assert there.rows("tokens") == place.rows("tokens")
        there.done("token", "revoke", "parent")
        assert {each["name"] for each in there.done("token", "list") if each["revoked_at"]} >= {"parent", "child"}


def test_the_token_of_the_first_start_ends_and_the_welcome_says_when(server: str, tmp_path: Path) -> None:
    with elsewhere(server, tmp_path) as there:
        with patch.dict("os.environ", there.environment), store.opened(settings.read()) as opened:
            opened.prepare()
            first = first_access(opened)
        assert first is not None
        (made,) = there.done("token", "list")
        assert timedelta(days=89) < ends(made) <= timedelta(days=90)
    said = FIRST_CALLS.format(token=first.token, code=first.code, days=DEFAULT_DAYS, url="http://127.0.0.1:8000")
    assert "ends after 90 days" in said
