"""The embedded database recovered to a moment: exactly what was known then, or a sentence that says why not."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest
import structlog

from commands.base import execute
from commands.customers import EraseCustomer, RegisterCustomer
from conftest import folder_for_a_server, hurry
from crm import settings, store
from crm.database.archive import archiving
from crm.database.archive.failing import warn_of_failing
from crm.database.archive.segments import SIZE
from crm.services import Services, services
from crm.store import Store
from crm.zstd import compressed, decompressed
from end_to_end.running import crm_here, environment_of, soon
from keys import MASTER_KEY, as_setting
from policy import Actor

BY = Actor("rule:test", None, "test", "rule")
PHONE = "13987650001"


@dataclass
class Scene:
    """A workspace that is archived: customers from before and after the base backup, and from after a moment."""

    place: Path
    opened: Store
    made: Services
    moment: datetime
    """Five customers are known by then, and seven in the end, the first of whom is erased."""

    @property
    def archive(self) -> Path:
        """Where it is archived."""
        return self.place / "archive"

    def register(self, *names: str) -> None:
        """Let customers be registered."""
        register(self.made, *names)

    def ask(self, sentence: LiteralString) -> Any:
        """What the database answers, as its administrator."""
        return asked(self.opened.conninfo, sentence)

    def archive_all(self) -> None:
        """Have everything so far in the archive."""
        segment = self.ask("SELECT pg_walfile_name(pg_switch_wal())")
        assert soon(lambda: (self.archive / "wal" / f"{segment}.zst").exists())

    def crm(self, *words: str, archive: Path | None = None, data: str = "data") -> CompletedProcess[str]:
        """Run a command."""
        return crm_here(
            self.place / data,
            *words,
            CRM_ARCHIVE_DIR=str(archive or self.archive),
            CRM_MASTER_KEY=as_setting(MASTER_KEY),
            CRM_ERASURE_DIR=str(self.place / "data" / "erasures"),
        )

    def recover(self, until: str, into: str, archive: Path | None = None) -> CompletedProcess[str]:
        """Recover into a folder beside."""
        return self.crm("recover", "--until", until, "--into", str(self.place / into), archive=archive)


def register(made: Services, *names: str) -> list[UUID]:
    """Let customers be registered."""
    outcomes = [
        execute(RegisterCustomer(name=name, kind="company", phone=PHONE), to=None, by=BY, door=made.door)
        for name in names
    ]
    return [each.id for each in outcomes]


def asked(conninfo: str, sentence: LiteralString) -> Any:
    """The one value that a question has."""
    with closing(psycopg.connect(conninfo, autocommit=True)) as connection:
        return (connection.execute(sentence).fetchone() or [None])[0]


@contextmanager
def serving(data: Path, archive: Path | None) -> Iterator[tuple[Store, Services]]:
    """A workspace in a data folder, archived or not."""
    more = {} if archive is None else {"CRM_ARCHIVE_DIR": str(archive)}
    chosen = settings.read(environment_of(data, CRM_MASTER_KEY=as_setting(MASTER_KEY), **more))
    with store.opened(chosen) as opened:
        opened.prepare()
        with services(opened, connections=2) as made:
            yield opened, made


def registered(made: Services) -> int:
    """How many customers are in the ledger."""
    with made.database.connection() as connection:
        found = connection.execute("SELECT count(*) FROM events WHERE topic = 'customer.registered'").fetchone()
    return int(found[0]) if found else 0


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with folder_for_a_server() as place, serving(place / "data", place / "archive") as (opened, made):
        hurry(opened.conninfo)
        (erased, *_) = register(made, "一", "二", "三")
        scene = Scene(place, opened, made, datetime.now(UTC))
        taken = scene.crm("archive", "base")
        assert (taken.returncode, taken.stderr) == (0, ""), taken
        register(made, "四", "五")
        scene.archive_all()
        time.sleep(0.01)
        scene.moment = scene.ask("SELECT clock_timestamp()")
        register(made, "六", "七")
        execute(EraseCustomer(reason="本人要求"), to=erased, by=BY, door=made.door)
        scene.archive_all()
        yield scene


def test_exactly_what_was_known_at_a_moment_is_there(scene: Scene) -> None:
    done = scene.recover(scene.moment.isoformat(), "then")
    assert done.returncode == 0, done.stderr
    assert f"CRM_DATA_DIR={scene.place / 'then'} crm restored" in done.stdout
    assert [each.name for each in (scene.place / "then").iterdir()] == ["postgres"]
    with serving(scene.place / "then", None) as (opened, made):
        assert registered(made) == 5
        assert asked(opened.conninfo, "SHOW archive_mode") == "off"
        assert asked(opened.conninfo, "SHOW restore_command") == ""
        told = json.loads(scene.crm("restored", "--json", data="then").stdout)
        assert (told["is_sound"], told["keys_destroyed"]) == (True, 1), told
        register(made, "八")
    assert registered(scene.made) == 7


def test_a_recovered_database_goes_on_in_the_same_archive(scene: Scene) -> None:
    """What it adds is on a timeline of its own, which the next recovery follows from the base that there was."""
    archive = scene.place / "copy"
    shutil.copytree(scene.archive, archive)
    assert scene.recover("latest", "second", archive).returncode == 0
    with serving(scene.place / "second", archive) as (opened, made):
        assert registered(made) == 7
        register(made, "八")
        segment = asked(opened.conninfo, "SELECT pg_walfile_name(pg_switch_wal())")
        assert segment.startswith("00000002")
        assert soon(lambda: (archive / "wal" / f"{segment}.zst").exists())
        moment = asked(opened.conninfo, "SELECT clock_timestamp()")
        register(made, "九")
    assert scene.recover(moment.isoformat(), "third", archive).returncode == 0
    with serving(scene.place / "third", None) as (_, made):
        assert registered(made) == 8


def test_what_the_archive_does_not_hold_is_refused_with_a_sentence(scene: Scene) -> None:
    for until, sentence in (
        ("yesterday", "--until must be `latest` or a moment with its offset, as 2026-03-31T18:00:00+08:00, and not"),
        ("2026-03-31T18:00:00", "--until must be `latest` or a moment with its offset"),
        ("2026-03-31T18:00:00Z", "is before the end of the oldest base backup: the earliest moment to recover is 20"),
        ("2999-03-31T18:00:00+08:00", "2999-03-31T10:00:00.000Z lies in the future"),
        (datetime.now(UTC).isoformat(), "is later than what was archived"),
    ):
        refused = scene.recover(until, "refused")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert sentence in refused.stderr
    full = scene.recover("latest", "data")
    assert f"--into must name a folder that is new or empty, and {scene.place / 'data'} is not." in full.stderr
    assert "There is no base backup in" in scene.recover("latest", "refused", scene.place / "nowhere").stderr
    unset = crm_here(scene.place / "data", "recover", "--until", "latest", "--into", str(scene.place / "refused"))
    assert "CRM_ARCHIVE_DIR must name the folder of the archive" in unset.stderr
    assert not (scene.place / "refused").exists()


def kept_last(archive: Path) -> str:
    """When the last segment was archived."""
    last = max(each.stat().st_mtime for each in (archive / "wal").glob("*.zst"))
    return datetime.fromtimestamp(last, UTC).isoformat()


def test_a_moment_after_the_last_change_is_not_taken_for_the_last_change(scene: Scene) -> None:
    """PostgreSQL reads to the end and gives up; the sentence says when the last change was."""
    refused = scene.recover(kept_last(scene.archive), "refused")
    assert "The last change in the archive is of 20" in refused.stderr
    assert "with --until latest" in refused.stderr
    assert not (scene.place / "refused").exists()


def test_a_damaged_archive_never_gives_less_than_was_asked_for(scene: Scene) -> None:
    archive = scene.place / "damaged"
    shutil.copytree(scene.archive, archive)
    *_, before, last = sorted(each for each in (archive / "wal").glob("*.zst") if len(each.stem) == 24)
    content = before.read_bytes()
    before.write_bytes(content[:-9])
    refused = scene.recover("latest", "refused", archive)
    assert f"The database could not be recovered: {before} is damaged" in refused.stderr
    before.write_bytes(compressed(decompressed(content)[:1024] + bytes(SIZE - 1024)))
    for until in ("latest", kept_last(scene.archive)):
        refused = scene.recover(until, "refused", archive)
        assert f"The log ends in the segment {before.stem}, and {last.stem} is the last one" in refused.stderr
    before.unlink()
    refused = scene.recover("latest", "refused", archive)
    assert f"The segment {before.stem} is missing" in refused.stderr
    last.unlink()
    for name, sentence in (("pg_wal.tar.gz", "pg_wal.tar.gz is damaged"), ("base.tar.gz", "pg_verifybackup failed")):
        (packed,) = (archive / "base").glob(f"*/{name}")
        packed.write_bytes(packed.read_bytes()[:-500])
        assert sentence in scene.recover("latest", "refused", archive).stderr
    assert not (scene.place / "refused").exists()


def test_the_service_goes_on_and_says_so_where_the_archive_is_broken(scene: Scene) -> None:
    wal, away = scene.archive / "wal", scene.place / "away"
    listed = json.loads(scene.crm("archive", "list", "--json").stdout)
    assert (listed["archiving"], listed["failing"]) == (True, None)
    wal.rename(away)
    wal.touch()
    scene.register("八")
    scene.ask("SELECT pg_switch_wal()")
    assert soon(lambda: scene.ask("SELECT failed_count FROM pg_stat_archiver"))
    listed = scene.crm("archive", "list")
    assert "Archiving fails: 0000000100000000000000" in listed.stdout
    refused = scene.crm("archive", "base")
    assert (refused.returncode, "cannot be archived, and a base backup is worth little" in refused.stderr) == (1, True)
    with structlog.testing.capture_logs() as logged:
        scene.made.database.read(warn_of_failing)
    assert [each["log_level"] for each in logged] == ["warning"]
    wal.unlink()
    away.rename(wal)
    scene.register("九")
    scene.archive_all()
    scene.made.database.read(warn_of_failing)
    assert scene.crm("archive", "base").returncode == 0
    listed = scene.crm("archive", "list", "--json")
    assert json.loads(listed.stdout)["failing"] is None
    assert len(json.loads(listed.stdout)["bases"]) == 2


def test_what_was_written_is_archived_in_time_and_without_an_archive_it_runs_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archiving, "LONGEST_UNARCHIVED", "1s")
    with serving(scene.place / "then", scene.place / "other") as (opened, made):
        register(made, "八")
        segment = asked(opened.conninfo, "SELECT pg_walfile_name(pg_current_wal_lsn())")
        assert soon((scene.place / "other" / "wal" / f"{segment}.zst").exists)
    with serving(scene.place / "then", None) as (opened, made):
        assert asked(opened.conninfo, "SHOW archive_mode") == "off"
        register(made, "九")
        other = scene.place / "other"
        assert (
            json.loads(scene.crm("archive", "list", "--json", archive=other, data="then").stdout)["archiving"] is False
        )
        assert "does not archive into" in scene.crm("archive", "base", archive=other, data="then").stderr
