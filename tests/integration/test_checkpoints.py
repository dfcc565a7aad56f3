"""Checkpoints: who writes them when, what is compared with them, and what a restoration makes of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from crm.checkpoints import Checkpoints, keep_writing
from integration.auditing import Audited, audited
from integration.bookkeeping import all_at_once, superuser
from keys import as_setting
from ledger.proof.checkpointing import NotVouchedFor, sign_head
from ledger.proof.comparing import Comparison, compare
from ledger.proof.folder import Folder
from ledger.proof.statements import Signer, parsed
from scripted import verify_export


@pytest.fixture
def store(server: str, workspace: str, tmp_path: Path) -> Iterator[Audited]:
    """A ledger of six events that nobody has signed yet; a checkpoint is due every second."""
    with audited(server, workspace, tmp_path / "data", CRM_CHECKPOINT_SECONDS="1") as store:
        store.grow(6)
        yield store


def compared(store: Audited, folder: Folder | None = None) -> Comparison:
    with store.services.database.connection() as connection:
        return compare(connection, folder or store.folder, store.checkpoints.known_keys())


def faults(store: Audited) -> list[tuple[str, int | None]]:
    return [(each.fault, each.first_bad) for each in compared(store).disagreements]


def positions(store: Audited) -> list[tuple[str, int]]:
    statements = [parsed(store.folder.read(name) or b"").statement for name in store.folder.names()]
    return [(each.kind, each.position) for each in statements]


def cut(server: str, workspace: str, after: int) -> None:
    """Remove what was recorded after a position, as a restoration does."""
    with superuser(server, workspace) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        connection.execute("DELETE FROM events WHERE position > %s", [after])
        connection.execute("DELETE FROM claims WHERE position > %s", [after])
        connection.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only")


def test_a_checkpoint_says_what_the_ledger_says(store: Audited) -> None:
    before = datetime.now(UTC)
    assert store.sign() == 6
    (name,) = store.folder.names()
    signed = parsed(store.folder.read(name) or b"")
    with store.services.database.connection() as connection:
        row = connection.execute("SELECT ledger_id, chain, recorded_at FROM meta, events WHERE position = 6").fetchone()
    assert row is not None
    said = signed.statement
    assert (said.ledger_id, said.chain, said.recorded_at) == (row[0], bytes(row[1]), row[2])
    assert before <= said.signed_at <= datetime.now(UTC)
    assert signed.is_genuine
    assert store.folder.public_key() == signed.key == store.checkpoints.known_keys()[0]


def test_a_head_is_signed_once_and_an_empty_ledger_never(
    store: Audited, server: str, workspace: str, tmp_path: Path
) -> None:
    store.sign()
    assert store.checkpoints.write(store.services.database, waiting=True) is None
    assert positions(store) == [("checkpoint", 6)]
    cut(server, workspace, 0)
    other = Checkpoints(replace(store.checkpoints.settings, checkpoint_dir=tmp_path / "other"))
    assert other.write(store.services.database) is None
    assert other.folder.is_there


def test_those_who_write_at_once_write_one(store: Audited) -> None:
    written = all_at_once([lambda: store.checkpoints.write(store.services.database) for _ in range(4)])
    assert sum(each is not None for each in written) == 1
    assert positions(store) == [("checkpoint", 6)]


def test_workers_write_as_time_goes_by_and_when_they_stop(store: Audited) -> None:
    stop = Event()
    working = (store.checkpoints, store.services.database, stop)
    workers = [Thread(target=keep_writing, args=working) for _ in range(3)]
    for worker in workers:
        worker.start()
    try:
        until(lambda: ("checkpoint", 6) in positions(store))
        store.grow(8)
        until(lambda: ("checkpoint", 8) in positions(store))
        store.grow(9)
    finally:
        stop.set()
        for worker in workers:
            worker.join(30)
    signed = [position for _, position in positions(store)]
    assert signed == sorted(set(signed))
    assert {6, 8, 9} <= set(signed) <= {6, 7, 8, 9}
    assert compared(store).is_clean


def test_none_is_written_where_none_is_wanted(store: Audited) -> None:
    never = Checkpoints(replace(store.checkpoints.settings, checkpoint_seconds=0))
    keep_writing(never, store.services.database, Event())
    assert not store.folder.is_there


def test_a_check_that_takes_too_long_is_broken_off(store: Audited) -> None:
    assert store.checkpoints.write(store.services.database, is_enough=lambda: True) is None
    assert store.folder.names() == []


def test_a_clock_that_is_set_back_does_not_turn_checkpoints_round(store: Audited) -> None:
    signer, then = Signer(secrets.token_bytes(32)), datetime(2026, 5, 1, tzinfo=UTC)
    sign_head(store.services.database, store.folder, signer, [signer.public], now=then)
    store.grow(7)
    sign_head(store.services.database, store.folder, signer, [signer.public], now=then - timedelta(days=1))
    assert positions(store) == [("checkpoint", 6), ("checkpoint", 7)]


def test_what_cannot_be_believed_is_named(store: Audited, tmp_path: Path) -> None:
    store.sign()
    assert faults(store) == []
    (name,) = store.folder.names()
    file = store.folder.path / name
    honest = file.read_bytes()

    file.write_bytes(honest.replace(b'"position":6', b'"position":5'))
    assert faults(store) == [("bad-signature", None)]
    file.write_bytes(honest[:40])
    assert faults(store) == [("unreadable", None)]

    stranger = Signer(secrets.token_bytes(32))
    file.write_bytes(stranger.sign(parsed(honest).statement).to_bytes())
    assert faults(store) == [("other-key", None)]
    file.write_bytes(honest)
    store.folder.publish(stranger.public)
    assert faults(store) == [("other-key", None)]
    with pytest.raises(NotVouchedFor, match=r"public\.key: other-key"):
        store.checkpoints.write(store.services.database)


def test_a_checkpoint_of_another_ledger_is_named(store: Audited, server: str, workspace: str) -> None:
    store.sign()
    with superuser(server, workspace) as connection:
        connection.execute("UPDATE meta SET ledger_id = gen_random_uuid()")
    assert faults(store) == [("other-ledger", None)]


def test_a_new_key_is_taken_where_the_old_one_is_still_trusted(store: Audited, tmp_path: Path) -> None:
    store.sign()
    store.grow(8)
    (former,) = store.checkpoints.known_keys()
    changed = replace(store.checkpoints.settings, signing_key=secrets.token_bytes(32))
    with pytest.raises(NotVouchedFor, match="other-key"):
        Checkpoints(changed).write(store.services.database)
    trusting = Checkpoints(replace(changed, trusted_keys=(former,)))
    assert trusting.write(store.services.database) is not None
    with store.services.database.connection() as connection:
        assert compare(connection, store.folder, trusting.known_keys()).is_clean
        forgetful = compare(connection, store.folder, trusting.known_keys()[:1])
    assert [each.fault for each in forgetful.disagreements] == ["other-key"]

    assert "other-key" in store.scripted(tmp_path)[1]
    both = tmp_path / "both.keys"
    both.write_text("\n".join(map(as_setting, trusting.known_keys())), encoding="ascii")
    said = verify_export(tmp_path / "ledger.jsonl.gz", both, store.folder.path)
    assert said == (0, "8 events and 2 signed statements hold.")


def test_what_a_restoration_has_cut_is_known_to_be_cut(store: Audited, server: str, workspace: str) -> None:
    for position in (6, 8, 10):
        store.grow(position)
        store.sign()
    cut(server, workspace, 7)
    assert faults(store) == [("cut-off", 8), ("cut-off", 8)]

    stated = store.checkpoints.state_restored(store.services.database)
    assert (stated.statement.kind, stated.statement.position) == ("restored", 7)
    found = compared(store)
    assert (found.is_clean, found.knowingly_cut, found.agreed_upto) == (True, 2, 7)

    store.grow(12)
    assert store.sign() == 12
    found = compared(store)
    assert (found.is_clean, found.knowingly_cut, found.agreed_upto) == (True, 2, 12)
    assert positions(store)[-2:] == [("restored", 7), ("checkpoint", 12)]


def test_a_restoration_excuses_only_what_is_later_than_it_and_was_signed_before(
    store: Audited, server: str, workspace: str
) -> None:
    store.sign()
    store.grow(8)
    store.sign()
    cut(server, workspace, 7)
    store.checkpoints.state_restored(store.services.database)
    store.grow(9)
    store.sign()
    cut(server, workspace, 8)
    assert faults(store) == [("cut-off", 9)]
    cut(server, workspace, 5)
    assert faults(store) == [("cut-off", 6), ("cut-off", 6), ("cut-off", 6)]
    store.grow(7)
    assert faults(store) == [("rewritten", 6), ("rewritten", 7), ("cut-off", 8)]


def test_a_restoration_that_is_not_genuine_excuses_nothing(store: Audited, server: str, workspace: str) -> None:
    store.sign()
    cut(server, workspace, 4)
    before = store.folder.names()
    stated = store.checkpoints.state_restored(store.services.database)
    stranger = Signer(secrets.token_bytes(32))
    (name,) = set(store.folder.names()) - set(before)
    (store.folder.path / name).write_bytes(stranger.sign(stated.statement).to_bytes())
    assert faults(store) == [("cut-off", 5), ("other-key", None)]


def test_a_second_restoration_cuts_the_first(store: Audited, server: str, workspace: str) -> None:
    store.sign()
    for position in (5, 3, 0):
        cut(server, workspace, position)
        store.checkpoints.state_restored(store.services.database)
    found = compared(store)
    assert (found.is_clean, found.compared, found.knowingly_cut) == (True, 4, 3)


def test_the_script_knows_of_restorations_and_keys(store: Audited, server: str, workspace: str, tmp_path: Path) -> None:
    store.sign()
    cut(server, workspace, 4)
    code, said = store.scripted(tmp_path)
    assert (code, "cut-off, first missing: 5" in said) == (1, True)
    store.checkpoints.state_restored(store.services.database)
    assert store.scripted(tmp_path) == (0, "4 events and 2 signed statements hold.")
    stranger = Signer(secrets.token_bytes(32))
    (restored,) = [name for name in store.folder.names() if "restored" in name]
    file = store.folder.path / restored
    file.write_bytes(stranger.sign(parsed(file.read_bytes()).statement).to_bytes())
    code, said = store.scripted(tmp_path)
    assert code == 1
    assert "other-key" in said
    assert "cut-off, first missing: 5" in said
    file.write_bytes(file.read_bytes().replace(b'"position":4', b'"position":3'))
    assert "bad-signature" in store.scripted(tmp_path)[1]


def test_commands_write_list_and_show_the_key(store: Audited) -> None:
    assert store.run("checkpoints", "key").exit_code == 1
    assert store.run("checkpoints", "list").exit_code == 1
    assert "no folder here" in store.run("verify", "--ledger").output
    written = store.run("checkpoints", "write")
    assert written.output.startswith("Signed position 6 in ")
    assert "Nothing was recorded since" in store.run("checkpoints", "write").output
    listed = store.run("checkpoints", "list")
    assert listed.output.splitlines()[1].split()[:2] == ["6", "checkpoint"]
    key = store.run("checkpoints", "key").output.strip()
    assert key == as_setting(store.checkpoints.known_keys()[0])
    proven = store.run("verify", "--ledger", "--from", "4")
    assert "Proven: the chain of 3 events from position 4 on." in proven.output
    assert "Proven: the 1 signed checkpoints." in proven.output
    assert store.run("verify", "--ledger", "--from", "8").exit_code == 2


def until(true: Any) -> None:
    """Wait, a minute at most."""
    deadline = datetime.now(UTC) + timedelta(minutes=1)
    while not true():
        assert datetime.now(UTC) < deadline
        Event().wait(0.05)
