"""The folder of checkpoints: whole files only, found by position and time, and thinned as they grow old."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ledger.proof.folder import Folder, name_of, signed_at
from ledger.proof.statements import Kind, Signer, Statement

SIGNER = Signer(secrets.token_bytes(32))
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder that is there, and empty."""
    made = Folder(tmp_path / "checkpoints" / "genjin")
    assert not made.is_there
    assert made.names() == []
    made.make()
    return made


def keep(folder: Folder, position: int, moment: datetime, kind: Kind = "checkpoint") -> str:
    statement = Statement(kind, UUID(int=7), position, bytes(32), NOW, moment)
    return folder.keep(SIGNER.sign(statement))


def test_a_statement_is_kept_whole_and_found_by_its_position(folder: Folder) -> None:
    first = keep(folder, 5, NOW)
    again = keep(folder, 5, NOW + timedelta(seconds=1))
    keep(folder, 15, NOW)
    restored = keep(folder, 5, NOW + timedelta(seconds=2), "restored")
    assert folder.at(5) == again != first
    assert folder.at(5, "restored") == restored
    assert folder.at(6) is None
    assert folder.names()[-1] == restored
    assert signed_at(restored) == NOW + timedelta(seconds=2)
    assert [each.name for each in folder.path.iterdir() if each.name not in folder.names()] == []
    assert folder.read("nothing") is None


def test_files_of_other_names_are_left_alone(folder: Folder) -> None:
    for name in ("note.txt", "20261122T120000.000000Z-checkpoint-x.json", ".hidden"):
        (folder.path / name).write_text("x", encoding="utf-8")
    assert folder.names() == []
    folder.thin(NOW)
    assert len(list(folder.path.iterdir())) == 3


def test_the_public_key_lies_beside_them(folder: Folder) -> None:
    assert folder.public_key() is None
    folder.publish(SIGNER.public)
    assert folder.public_key() == SIGNER.public
    (folder.path / "public.key").write_text("something else", encoding="utf-8")
    assert folder.public_key() is None


def test_whoever_reads_while_it_is_written_finds_whole_files(folder: Folder) -> None:
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(keep, folder, each, NOW + timedelta(seconds=each)) for each in range(200)]
        while not all(each.done() for each in writing):
            for name in folder.names():
                data = folder.read(name)
                assert data is not None
                assert data.endswith(b"\n")
    assert len(folder.names()) == 200


def test_older_checkpoints_are_thinned_to_hours_and_then_days(folder: Folder) -> None:
    ages = [timedelta(minutes=10 * each) for each in range(6 * 24 * 8)]
    ages += [timedelta(days=100, minutes=10 * each) for each in range(6 * 24 * 2)]
    for number, age in enumerate(ages):
        keep(folder, 10_000 - number, NOW - age)
    restored = keep(folder, 3, NOW - timedelta(days=101), "restored")
    (folder.path / ".left.part").write_text("{", encoding="utf-8")
    removed = folder.thin(NOW)
    left = folder.names()
    assert removed + len(left) == len(ages) + 1
    young = [name for name in left if NOW - signed_at(name) < timedelta(days=7)]
    hourly = [name for name in left if timedelta(days=7) <= NOW - signed_at(name) < timedelta(days=90)]
    daily = [name for name in left if NOW - signed_at(name) > timedelta(days=90) and name != restored]
    assert len(young) == 6 * 24 * 7
    assert 24 <= len(hourly) <= 25
    assert 2 <= len(daily) <= 3
    assert restored in left
    assert folder.thin(NOW) == 0
    assert not (folder.path / ".left.part").exists()


def test_the_last_of_an_hour_is_the_one_that_stays(folder: Folder) -> None:
    long_ago = datetime(2026, 11, 1, 7, tzinfo=UTC)
    names = [keep(folder, each, long_ago + timedelta(minutes=each)) for each in (1, 30, 59)]
    assert folder.thin(NOW) == 2
    assert folder.names() == names[-1:]


def test_a_name_says_when_what_and_where() -> None:
    statement = Statement("checkpoint", UUID(int=7), 1024, bytes(32), NOW, datetime(2026, 1, 31, 1, 30, tzinfo=UTC))
    assert name_of(statement) == "20260131T013000.000000Z-checkpoint-1024.json"
    assert signed_at("20260231T013000.000000Z-checkpoint-1024.json") == datetime(1970, 1, 1, tzinfo=UTC)
