"""Which backups are kept, and that nothing else in their folder is touched."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.backups.folder import Folder, made_at
from crm.processes.backup import seconds_left
from crm.settings.backups import Retention

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def a_backup(folder: Folder, moment: datetime) -> Path:
    """A file with the name of one."""
    path = folder.name("genjin", moment)
    path.write_bytes(b"")
    return path


def test_the_newest_of_each_period_stays() -> None:
    daily = [NOW - timedelta(days=number, hours=hours) for number in range(400) for hours in (0, 6)]
    kept = Retention.parsed("3d,2w,2m,1y").kept(daily, NOW)
    assert sorted(f"{each:%m-%d %H}" for each in kept) == [
        "10-31 12",
        "11-15 12",
        "11-20 12",
        "11-21 12",
        "11-22 06",
        "11-22 12",
    ]


def test_periods_without_a_backup_do_not_count() -> None:
    sparse = [NOW - timedelta(days=days) for days in (100, 200, 300)]
    assert Retention.parsed("2d").kept(sparse, NOW) == set(sparse[:2])


def test_all_of_the_last_day_stay() -> None:
    today = [NOW - timedelta(minutes=number) for number in range(100)]
    assert Retention.parsed("1y").kept(today, NOW) == set(today)


@given(st.lists(st.integers(0, 5_000_000), unique=True), st.sampled_from(["1h", "7d,5w,12m", "1y", "24h,2y"]))
def test_the_newest_always_stays_and_thinning_twice_removes_nothing_more(ages: list[int], text: str) -> None:
    moments = [NOW - timedelta(minutes=age) for age in ages]
    kept = Retention.parsed(text).kept(moments, NOW)
    assert set(moments[:0]) <= kept <= set(moments)
    assert not moments or max(moments) in kept
    assert Retention.parsed(text).kept(list(kept), NOW) == kept


@pytest.mark.parametrize("text", ["", "7", "d7", "0d", "7d;5w", "7d, 5w", "99999d", "7x", "-1d"])
def test_what_is_no_retention_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="^"):
        Retention.parsed(text)


def test_only_backups_are_removed(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert folder.all() == []
    old, new = a_backup(folder, NOW - timedelta(days=9)), a_backup(folder, NOW)
    other = tmp_path / "genjin.backup"
    other.write_bytes(b"")
    left, growing = tmp_path / f".{old.name}.abc.part", tmp_path / f".{new.name}.abc.part"
    for each, age in ((left, 7200), (growing, 60)):
        each.write_bytes(b"")
        os.utime(each, (NOW.timestamp() - age,) * 2)
    foreign = a_backup(folder, NOW - timedelta(days=8))
    for name in ("genjin-20261399T000000.000000Z.backup", "genjin-99991231T235959.000000Z.backup"):
        (tmp_path / name).mkdir()
    assert folder.thin(Retention.parsed("1d"), NOW, lambda path: path != foreign) == [old]
    assert {new, other, growing, foreign} == {each for each in tmp_path.iterdir() if each.is_file()}
    assert [made_at(each) for each in folder.all()] == [NOW, made_at(foreign)]


def test_a_clock_that_was_wrong_once_does_not_stop_backups(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    assert seconds_left(folder, timedelta(days=1), NOW) == 0
    a_backup(folder, NOW + timedelta(days=99))
    assert seconds_left(folder, timedelta(days=1), NOW) == 0
    a_backup(folder, NOW - timedelta(hours=23))
    assert seconds_left(folder, timedelta(days=1), NOW) == 3600
