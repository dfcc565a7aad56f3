"""Backups that only the holder of a secret can read, in the age format (age-encryption.org/v1)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyrage import DecryptError, IdentityError, decrypt, encrypt, x25519

from crm.backups.errors import BackupUnusable


class Lock:
    """Encrypts for recipients, any of whom can decrypt; whoever encrypts cannot."""

    def __init__(self, recipients: Sequence[str]) -> None:
        """They are of the form `age1...`, as the settings have checked."""
        self._recipients = [x25519.Recipient.from_str(each) for each in recipients]

    def __call__(self, data: bytes) -> bytes:
        """The same, so that only a recipient can read it."""
        return encrypt(data, self._recipients)


class Unlock:
    """Decrypts with the secret keys of a file, one a line (`AGE-SECRET-KEY-1...`), as age-keygen writes it."""

    def __init__(self, path: Path) -> None:
        """Raises BackupUnusable."""
        try:
            lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
            self._identities = [x25519.Identity.from_str(each) for each in lines if each and not each.startswith("#")]
        except (OSError, UnicodeDecodeError, IdentityError) as error:
            raise BackupUnusable(f"{path} is no file of secret keys (AGE-SECRET-KEY-1...): {error}") from error
        if not self._identities:
            raise BackupUnusable(f"There is no secret key (AGE-SECRET-KEY-1...) in {path}.")

    def __call__(self, data: bytes) -> bytes:
        """What was encrypted; raises BackupUnusable where it was for others."""
        try:
            return decrypt(data, self._identities)
        except DecryptError as error:
            raise BackupUnusable(f"The backup is encrypted for other secret keys than these ({error}).") from error


def new_secret() -> tuple[str, str]:
    """A secret key, and the recipient that goes into the settings."""
    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())
