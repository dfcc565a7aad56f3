"""`crm export ledger`: every event as it is stored, line by line, and verified by a script that knows nothing of us."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integration.auditing import Audited, audited
from ledger.proof.folder import Folder
from scripted import verify_export

EVENTS = 12


@pytest.fixture
def store(server: str, workspace: str, tmp_path: Path) -> Iterator[Audited]:
    """A ledger of a dozen events, signed."""
    with audited(server, workspace, tmp_path / "data") as store:
        store.grow(EVENTS)
        store.sign()
        yield store


def exported(store: Audited, path: Path, *words: str) -> list[dict[str, Any]]:
    done = store.run("export", "ledger", path, "--json", *words)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"events": EVENTS, "position": EVENTS, "file": str(path)}
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in data.splitlines()]


def test_every_column_of_every_event_is_there(store: Audited, tmp_path: Path) -> None:
    header, *lines = exported(store, tmp_path / "ledger.jsonl")
    with store.services.database.connection() as connection:
        row = connection.execute("SELECT ledger_id FROM meta").fetchone()
        rows = connection.execute(
            "SELECT position, originator_id, originator_version, topic, recorded_at, customer_id, state, chain"
            " FROM events ORDER BY position"
        ).fetchall()
    assert row is not None
    assert header == {"format": "genjin-ledger", "version": 1, "ledger_id": str(row[0]), "events": EVENTS}
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for line, (position, id_, version, topic, recorded_at, customer_id, state, chain) in zip(lines, rows, strict=True):
        assert list(line) == [
            *(
                "position",
                "originator_id",
                "originator_version",
                "topic",
                "recorded_at",
                "customer_id",
                "state",
                "chain",
            )
        ]
        assert (line["position"], line["originator_version"], line["topic"]) == (position, version, topic)
        assert line["originator_id"] == str(id_)
        assert line["customer_id"] == (str(customer_id) if customer_id else None)
        assert epoch + timedelta(microseconds=line["recorded_at"]) == recorded_at
        assert b64decode(line["state"]) == bytes(state)
        assert line["chain"] == bytes(chain).hex()
    assert any(line["customer_id"] for line in lines)


def test_it_can_be_packed_and_sent_to_standard_output(store: Audited, tmp_path: Path) -> None:
    plain = exported(store, tmp_path / "ledger.jsonl")
    assert exported(store, tmp_path / "ledger.jsonl.gz") == plain
    assert (tmp_path / "ledger.jsonl.gz").stat().st_size < (tmp_path / "ledger.jsonl").stat().st_size
    sent = store.run("export", "ledger", "-")
    assert sent.exit_code == 0
    assert sent.stdout_bytes == (tmp_path / "ledger.jsonl").read_bytes()


def test_it_overwrites_nothing_unasked_and_takes_no_questions(store: Audited, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    path.write_text("mine", encoding="utf-8")
    refused = store.run("export", "ledger", path)
    assert (refused.exit_code, path.read_text(encoding="utf-8")) == (2, "mine")
    assert "overwrite it with --force" in refused.output
    exported(store, path, "--force")
    assert store.run("export", "ledger", tmp_path / "ledger.csv").exit_code == 2
    assert store.run("export", "ledger", tmp_path / "ledger.json").exit_code == 2
    filtered = store.run("export", "ledger", tmp_path / "part.jsonl", "--filter", "topic=team.formed")
    assert (filtered.exit_code, (tmp_path / "part.jsonl").exists()) == (2, False)
    assert store.run("export", "ledger", tmp_path / "no" / "folder.jsonl").exit_code == 1
    assert [each.name for each in tmp_path.iterdir() if each.name.endswith(".part")] == []


def test_the_script_verifies_it_with_and_without_checkpoints(store: Audited, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    exported(store, path)
    assert verify_export(path) == (0, f"{EVENTS} events and 0 signed statements hold.")
    assert store.scripted(tmp_path) == (0, f"{EVENTS} events and 1 signed statements hold.")


def line_changed(lines: list[str], number: int, **fields: Any) -> list[str]:
    """The lines with fields of the event at a position replaced."""
    changed = json.dumps({**json.loads(lines[number]), **fields})
    return [*lines[:number], changed, *lines[number + 1 :]]


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("state", "position 4: changed"),
        ("topic", "position 4: changed"),
        ("time", "position 4: changed"),
        ("customer", "position 4: changed"),
        ("version", "position 4: changed"),
        ("left out", "position 4: missing"),
        ("swapped", "position 4: missing"),
        ("twice", "position 5: changed"),
        ("cut short", "position 11: missing"),
        ("cut short and the header adjusted", "cut-off, first missing: 11"),
        ("another ledger", "position 1: changed"),
    ],
)
def test_the_script_finds_what_was_done_to_the_file(what: str, said: str, store: Audited, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    exported(store, path)
    lines = path.read_text(encoding="utf-8").splitlines()
    tampered = {
        "state": line_changed(lines, 4, state="e30="),
        "topic": line_changed(lines, 4, topic="team.renamed"),
        "time": line_changed(lines, 4, recorded_at=json.loads(lines[4])["recorded_at"] + 1),
        "customer": line_changed(lines, 4, customer_id="5d0a4c57-9a5e-4f4f-8f0b-7c116b0f3c1e"),
        "version": line_changed(lines, 4, originator_version=2),
        "left out": [*lines[:4], *lines[5:]],
        "swapped": [*lines[:4], lines[5], lines[4], *lines[6:]],
        "twice": [*lines[:5], lines[4], *lines[5:]],
        "cut short": lines[:11],
        "cut short and the header adjusted": line_changed(lines[:11], 0, events=10),
        "another ledger": line_changed(lines, 0, ledger_id="5d0a4c57-9a5e-4f4f-8f0b-7c116b0f3c1e"),
    }
    path.write_text("\n".join(tampered[what]) + "\n", encoding="utf-8")
    folder: Folder = store.folder
    code, found = verify_export(path, folder.path / "public.key", folder.path)
    assert code == 1
    assert said in found
