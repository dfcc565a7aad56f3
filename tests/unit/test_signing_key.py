"""The signing key: made once, the same for everybody who starts together, and only where something is to be signed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crm.checkpoints import Checkpoints
from crm.keys.signing import SigningKeyUnusable, found_in, in_folder
from crm.settings import read
from keys import as_setting
from ledger.proof.folder import Folder
from ledger.proof.statements import Signer


def test_it_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    assert found_in(tmp_path) is None
    with ThreadPoolExecutor(8) as pool:
        (key,) = set(pool.map(lambda _: in_folder(tmp_path), range(40)))
    assert found_in(tmp_path) == key
    assert [each.name for each in tmp_path.iterdir()] == ["signing.key"]
    assert (tmp_path / "signing.key").stat().st_mode & 0o777 == 0o600


def test_a_broken_file_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "signing.key").write_text("c2hvcnQ=", encoding="utf-8")
    with pytest.raises(SigningKeyUnusable, match="put it back from a backup"):
        found_in(tmp_path)
    assert (tmp_path / "signing.key").read_text(encoding="utf-8") == "c2hvcnQ="


def test_the_keys_that_count_are_its_own_and_the_trusted_ones_and_else_that_of_the_folder(tmp_path: Path) -> None:
    own, former, published = (Signer(bytes([each]) * 32) for each in range(3))
    place = {"CRM_DATA_DIR": str(tmp_path)}
    assert Checkpoints(read(place)).known_keys() == ()
    folder = Folder(tmp_path / "checkpoints" / "genjin")
    folder.make()
    folder.publish(published.public)
    assert Checkpoints(read(place)).known_keys() == (published.public,)
    trusting = {**place, "CRM_TRUSTED_KEYS": as_setting(former.public)}
    assert Checkpoints(read(trusting)).known_keys() == (former.public,)
    signing = {**trusting, "CRM_SIGNING_KEY": as_setting(bytes(32))}
    assert Checkpoints(read(signing)).known_keys() == (own.public, former.public)
    assert not (tmp_path / "signing.key").exists()
