"""The key that checkpoints are signed with: given by the environment, or made once in a file of its owner's alone."""

from __future__ import annotations

from pathlib import Path

from crm.keys.file import made_once

FILE = "signing.key"


class SigningKeyUnusable(Exception):
    """The file of the signing key holds something else."""


def in_folder(folder: Path) -> bytes:
    """The key kept in a folder, made at the first call; processes that start together get the same one."""
    return made_once(
        folder / FILE,
        SigningKeyUnusable,
        "put it back from a backup, or remove it to have a new one made, and name the public key of the old one in "
        "CRM_TRUSTED_KEYS.",
    )


def found_in(folder: Path) -> bytes | None:
    """The same, if it was made already."""
    return in_folder(folder) if (folder / FILE).exists() else None
