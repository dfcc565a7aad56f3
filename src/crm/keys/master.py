"""The key above all keys of personal data: given by the environment, or made once in a file of its owner's alone."""

from __future__ import annotations

from pathlib import Path

from crm.keys.file import made_once

FILE = "master.key"


class MasterKeyUnusable(Exception):
    """The file of the master key holds something else."""


def in_folder(folder: Path) -> bytes:
    """The key kept in a folder, made at the first call; processes that start together get the same one."""
    path = folder / FILE
    key = made_once(path)
    if key is None:
        raise MasterKeyUnusable(
            f"{path} does not hold a master key (32 bytes in base64): put it back from a backup, since without it "
            f"the personal data in the ledger stays closed."
        )
    return key
