"""The key above all keys of personal data: given by the environment, or made once in a file of its owner's alone."""

from __future__ import annotations

from pathlib import Path

from crm.keys.file import made_once

FILE = "master.key"


class MasterKeyUnusable(Exception):
    """The file of the master key holds something else."""


def in_folder(folder: Path) -> bytes:
    """The key kept in a folder, made at the first call; processes that start together get the same one."""
    return made_once(
        folder / FILE,
        MasterKeyUnusable,
        "put it back from a backup, since without it the personal data in the ledger stays closed.",
    )
