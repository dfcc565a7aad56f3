"""The master key is changed: every key is wrapped anew, no event is touched, and whoever was erased stays erased."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from aggregates.customer import Customer
from aggregates.member import Member
from crm.cli import app
from integration.bookkeeping import customer, somebody, superuser
from keys import MASTER_KEY, as_setting
from ledger import rewrapping
from ledger.database import Database
from ledger.errors import WrongMasterKey
from ledger.ledger import Ledger
from ledger.rewrapping import rewrap
from ledger.sealing import Keyring
from policy.identity.addresses import Addresses

NEW_KEY = secrets.token_bytes(32)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one batch for a few customers."""
    monkeypatch.setattr(rewrapping, "BATCH", 2)


def names(database: Database, keyring: Keyring, *customers: Customer) -> list[object]:
    """The names that a process which just started reads."""
    ledger = Ledger(database, keyring)
    return [ledger.load(Customer, each.id).profile["name"] for each in customers]


def test_all_keys_are_wrapped_anew_and_events_are_not_touched(
    ledger: Ledger, database: Database, server: str, workspace: str
) -> None:
    made = [customer(f"C{number}") for number in range(5)]
    for each in made:
        ledger.save(each)
    ledger.keyring.destroy(made[4].id)
    with superuser(server, workspace) as connection:
        before = connection.execute("SELECT position, state, chain FROM events").fetchall()
    assert rewrap(database, MASTER_KEY, NEW_KEY) == 4
    assert rewrap(database, MASTER_KEY, NEW_KEY) == 0
    with superuser(server, workspace) as connection:
        assert connection.execute("SELECT position, state, chain FROM events").fetchall() == before
    assert names(database, Keyring(database, NEW_KEY), *made) == ["Acme"] * 4 + [None]
    with pytest.raises(WrongMasterKey):
        names(database, Keyring(database, MASTER_KEY), made[0])


def test_one_that_was_broken_off_goes_on_and_both_keys_read_meanwhile(ledger: Ledger, database: Database) -> None:
    made = [customer(f"C{number}") for number in range(5)]
    for each in made:
        ledger.save(each)

    def break_off(done: int) -> None:
        raise InterruptedError(done)

    with pytest.raises(InterruptedError):
        rewrap(database, MASTER_KEY, NEW_KEY, break_off)
    both = Keyring(database, NEW_KEY, former_key=MASTER_KEY)
    assert names(database, both, *made) == ["Acme"] * 5
    Ledger(database, both).save(customer("C9"))
    assert rewrap(database, MASTER_KEY, NEW_KEY) == 3
    assert names(database, Keyring(database, NEW_KEY), *made) == ["Acme"] * 5


def test_another_old_key_changes_nothing(ledger: Ledger, database: Database) -> None:
    made = customer("C1")
    ledger.save(made)
    with pytest.raises(WrongMasterKey):
        rewrap(database, secrets.token_bytes(32), NEW_KEY)
    assert names(database, Keyring(database, MASTER_KEY), made) == ["Acme"]


def test_the_command_takes_the_old_key_from_a_file(
    ledger: Ledger, server: str, workspace: str, database: Database, tmp_path: Path
) -> None:
    made = customer("C1")
    ledger.save(made)
    (tmp_path / "old.key").write_text(as_setting(MASTER_KEY))
    environment = {
        "CRM_DATABASE_URL": server,
        "CRM_SCHEMA": workspace,
        "CRM_DATA_DIR": str(tmp_path),
        "CRM_MASTER_KEY": as_setting(NEW_KEY),
    }
    with patch.dict("os.environ", environment):
        assert CliRunner().invoke(app, ["rewrap-keys"]).exit_code == 1
        told = CliRunner().invoke(app, ["rewrap-keys", "--old-key-file", str(tmp_path / "old.key"), "--json"])
        assert (told.exit_code, json.loads(told.stdout)) == (0, {"rewrapped": 1}), told.output
        listed = CliRunner().invoke(app, ["erasures", "list", "--json"])
        assert json.loads(listed.stdout) == []
        applied = CliRunner().invoke(app, ["erasures", "apply", "--json"])
        assert json.loads(applied.stdout) == {"destroyed": [], "registered": 0, "forgotten": 0}
    assert names(database, Keyring(database, NEW_KEY), made) == ["Acme"]


def test_members_still_sign_in_by_their_addresses(ledger: Ledger, database: Database) -> None:
    member_id = uuid4()
    with somebody():
        ledger.save(Member.register(member_id, name="赵顾问", email="zhao@example.com"))
    assert Addresses(database, ledger, MASTER_KEY).member_at("zhao@example.com") == member_id
    rewrap(database, MASTER_KEY, NEW_KEY)
    renewed = Ledger(database, Keyring(database, NEW_KEY))
    assert Addresses(database, renewed, NEW_KEY).member_at("Zhao@example.com") == member_id
