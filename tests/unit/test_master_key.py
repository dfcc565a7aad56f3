"""The master key: made once, the same for everybody who starts together, and never replaced."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crm.keys.master import MasterKeyUnusable, in_folder


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    key = in_folder(tmp_path)
    assert len(key) == 32
    assert in_folder(tmp_path) == key


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    in_folder(tmp_path)
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600


def test_those_who_start_together_get_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: in_folder(tmp_path / "new"), range(40)))) == 1
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["master.key"]


@pytest.mark.parametrize("text", ["", "c2hvcnQ=", "Schlüssel"])
def test_a_broken_file_is_refused_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "master.key").write_text(text, encoding="utf-8")
    with pytest.raises(MasterKeyUnusable, match="put it back from a backup"):
        in_folder(tmp_path)
    assert (tmp_path / "master.key").read_text(encoding="utf-8") == text
