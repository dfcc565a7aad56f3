"""The archive as files: what is kept, how far it reaches, what is no longer needed, and what is refused."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crm.database.archive import fetch
from crm.database.archive.archiving import Archiving, fetching
from crm.database.archive.folder import MANIFEST, Archive
from crm.database.archive.keep import OWNER, Refused, keep
from crm.database.archive.planning import plan
from crm.database.archive.retention import Removed, remove_older
from crm.database.archive.segments import SIZE, Segment, line_of, parsed
from crm.database.errors import ArchiveUnusable
from crm.database.tuning import quoted
from crm.zstd import compressed
from ledger.stamps import stamp

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def of_system(number: int, text: bytes = b"") -> bytes:
    """A segment, as far as its system identifier is concerned."""
    return bytes(24) + number.to_bytes(8, sys.byteorder) + text


@pytest.fixture
def wal(tmp_path: Path) -> Path:
    """The folder of an archive's segments."""
    (tmp_path / "archive" / "wal").mkdir(parents=True)
    return tmp_path / "archive" / "wal"


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A segment that a server has finished."""
    file = tmp_path / "000000010000000000000001"
    file.write_bytes(of_system(7, b"what happened" * 1000))
    return file


def segment(wal: Path, number: int, *, timeline: int = 1, at: datetime = NOW) -> None:
    """A segment in an archive, kept at a moment."""
    file = wal / f"{Segment(timeline, number).name}.zst"
    file.write_bytes(b"segment")
    os.utime(file, (at.timestamp(), at.timestamp()))


def base(wal: Path, moment: datetime, begins: int, *, timeline: int = 1) -> None:
    """A base backup that needs segments from a number on."""
    folder = wal.parent / "base" / stamp(moment)
    folder.mkdir(parents=True)
    ranges = [{"Timeline": timeline, "Start-LSN": f"0/{begins * SIZE + 40:X}", "End-LSN": f"0/{begins * SIZE + 288:X}"}]
    (folder / MANIFEST).write_text(json.dumps({"WAL-Ranges": ranges}))


def history(wal: Path, timeline: int, *turns: tuple[int, int]) -> None:
    """How a timeline came about: after which others, up to which segment's first kilobyte each."""
    lines = "".join(f"{each}\t0/{number * SIZE + 1024:X}\tbefore 2026-11-22\n\n" for each, number in turns)
    (wal / f"{timeline:08X}.history.zst").write_bytes(compressed(lines.encode()))


def test_a_segment_is_kept_once_and_given_back(finished: Path, wal: Path, tmp_path: Path) -> None:
    for _ in range(2):
        keep(finished, wal)
    assert sorted(each.name for each in wal.iterdir()) == [f"{finished.name}.zst", OWNER]
    assert (wal / f"{finished.name}.zst").stat().st_size < 200
    assert fetched(wal, finished.name, tmp_path / "back") == 0
    assert (tmp_path / "back").read_bytes() == finished.read_bytes()


def test_another_segment_of_that_name_is_refused(finished: Path, wal: Path) -> None:
    keep(finished, wal)
    before = (wal / f"{finished.name}.zst").read_bytes()
    finished.write_bytes(of_system(7, b"something else"))
    with pytest.raises(Refused, match="is there already and holds something else"):
        keep(finished, wal)
    assert (wal / f"{finished.name}.zst").read_bytes() == before


def test_segments_of_another_database_are_refused(finished: Path, wal: Path) -> None:
    keep(finished, wal)
    other = finished.with_name("000000010000000000000009")
    other.write_bytes(of_system(8))
    with pytest.raises(Refused, match="is that of another database"):
        keep(other, wal)


def test_a_segment_that_cannot_be_written_leaves_nothing(
    finished: Path, wal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        keep(finished, wal)
    assert list(wal.iterdir()) == []


def test_only_what_is_not_there_ends_a_recovery_in_good_order(
    finished: Path, wal: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(finished, wal)
    assert fetched(wal, "000000010000000000000002", tmp_path / "back") == 1
    kept = wal / f"{finished.name}.zst"
    content = kept.read_bytes()
    for damaged in (content[:-7], content[:40] + bytes([content[40] ^ 1]) + content[41:], b""):
        kept.write_bytes(damaged)
        assert fetched(wal, finished.name, tmp_path / "back") > 125
        assert f"{kept} is damaged" in capsys.readouterr().err
    kept.unlink()
    kept.mkdir()
    assert fetched(wal, finished.name, tmp_path / "back") > 125


def fetched(wal: Path, name: str, to: Path) -> int:
    """The exit code with which a server is told about a file."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["fetch", str(wal), name, str(to)])
        return fetch.main()


def test_names_of_folders_may_hold_anything(tmp_path: Path) -> None:
    folder = tmp_path / "Ann's 100% \\ $(x)"
    assert "Ann'\"'\"'s 100%% \\ $(x)/wal" in Archiving(folder).settings["archive_command"]
    assert fetching(folder).endswith(' %f "%p"')
    assert quoted("Ann's\\\n") == r"'Ann''s\\\n'"


def test_a_segment_has_a_number_and_a_name() -> None:
    assert parsed("0000000200000001000000FF") == Segment(2, 511)
    assert Segment(2, 511).name == "0000000200000001000000FF"
    assert parsed("00000002.history") is None


def test_a_line_follows_the_timelines_to_the_newest() -> None:
    line = line_of(3, "1\t0/5000400\tno recovery target specified\n\n2\t0/7000400\tbefore 2026-11-22\n")
    assert [line.at(number).timeline for number in (4, 5, 6, 7, 8)] == [1, 2, 2, 3, 3]
    assert line.holds(1, 5 * SIZE)
    assert not line.holds(1, 6 * SIZE)
    assert not line.holds(4, 1)


def test_segments_reach_to_the_first_gap(wal: Path) -> None:
    base(wal, NOW - 3 * HOUR, 2)
    for number, hours in ((2, 3), (3, 2), (5, 1)):
        segment(wal, number, at=NOW - hours * HOUR)
    archive = Archive(wal.parent)
    reach = archive.reach(archive.bases[0])
    assert (reach.until, reach.last, reach.missing) == (NOW - 2 * HOUR, Segment(1, 3), Segment(1, 4))
    assert plan(archive, NOW - 2.5 * HOUR, NOW).base == archive.bases[0]
    with pytest.raises(ArchiveUnusable, match="000000010000000000000004 is missing.* later ones are there"):
        plan(archive, None, NOW)
    with pytest.raises(ArchiveUnusable, match="since the segment 000000010000000000000004 is missing"):
        plan(archive, NOW - HOUR, NOW)


def test_the_newest_base_before_the_moment_is_taken(wal: Path) -> None:
    for hours, begins in ((9, 2), (6, 4), (3, 6)):
        base(wal, NOW - hours * HOUR, begins)
    for number in range(2, 8):
        segment(wal, number, at=NOW)
    archive = Archive(wal.parent)
    assert plan(archive, NOW - 4 * HOUR, NOW).base == archive.bases[1]
    assert plan(archive, NOW - 3 * HOUR, NOW).base == archive.bases[2]
    assert plan(archive, None, NOW).base == archive.bases[2]


def test_a_base_on_a_timeline_that_was_left_is_not_taken(wal: Path) -> None:
    base(wal, NOW - 9 * HOUR, 2)
    base(wal, NOW - 6 * HOUR, 6)
    history(wal, 2, (1, 4))
    for number in range(2, 8):
        segment(wal, number, at=NOW - 5 * HOUR)
    for number in range(4, 6):
        segment(wal, number, timeline=2, at=NOW)
    archive = Archive(wal.parent)
    taken = plan(archive, None, NOW)
    assert (taken.base, taken.reach.last) == (archive.bases[0], Segment(2, 5))
    assert archive.usable() == archive.bases[:1]


def test_a_moment_that_the_archive_does_not_hold_is_refused(wal: Path) -> None:
    archive = Archive(wal.parent)
    with pytest.raises(ArchiveUnusable, match="There is no base backup in .* `crm archive base` put one"):
        plan(archive, None, NOW)
    base(wal, NOW - 3 * HOUR, 2)
    segment(wal, 2, at=NOW - HOUR)
    archive = Archive(wal.parent)
    for moment, sentence in (
        (NOW + HOUR, "2026-11-22T13:00:00.000Z lies in the future: it is 2026-11-22T12:00:00.000Z now"),
        (NOW - 4 * HOUR, "before the end of the oldest base backup: .* is 2026-11-22T09:00:00.000Z"),
        (NOW, "later than what was archived: .* is about 2026-11-22T11:00:00.000Z, and --until latest"),
    ):
        with pytest.raises(ArchiveUnusable, match=sentence):
            plan(archive, moment, NOW)


def test_a_damaged_base_or_history_is_named(wal: Path) -> None:
    base(wal, NOW, 2)
    (wal / "00000002.history.zst").write_bytes(b"no")
    with pytest.raises(ArchiveUnusable, match=r"00000002.history.zst is damaged"):
        plan(Archive(wal.parent), None, NOW)
    (wal.parent / "base" / stamp(NOW) / MANIFEST).write_text("{")
    with pytest.raises(ArchiveUnusable, match=r"is damaged \(backup_manifest\)"):
        plan(Archive(wal.parent), None, NOW)


def test_what_no_moment_of_the_last_days_needs_is_removed(wal: Path) -> None:
    for days, begins in ((9, 2), (8, 4), (3, 6)):
        base(wal, NOW - days * DAY, begins)
    for number in range(1, 8):
        segment(wal, number)
    (wal / f"{Segment(1, 2).name}.00000028.backup.zst").touch()
    history(wal, 2, (1, 1))
    assert remove_older(Archive(wal.parent), NOW, 7) == Removed(1, 4)
    left = Archive(wal.parent)
    assert [each.begins // SIZE for each in left.bases] == [4, 6]
    assert sorted(each.number for each in left.segments) == [4, 5, 6, 7]
    assert (wal / "00000002.history.zst").exists()
    assert remove_older(left, NOW, 7) == Removed(0, 0)


def test_the_newest_base_stays_whatever_its_age(wal: Path) -> None:
    base(wal, NOW - 90 * DAY, 2)
    base(wal, NOW - 80 * DAY, 4)
    assert remove_older(Archive(wal.parent), NOW, 1) == Removed(1, 0)
    assert remove_older(Archive(wal.parent), NOW, 1) == Removed(0, 0)


def test_nothing_is_removed_where_there_is_no_base(wal: Path) -> None:
    segment(wal, 5)
    assert remove_older(Archive(wal.parent), NOW, 1) == Removed(0, 0)
