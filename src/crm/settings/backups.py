"""What the environment says about backups."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from crm.settings.refused import SettingRefused

ALL_FOR = timedelta(days=1)
USUAL_RETENTION = "7d,5w,12m"
PERIODS = {"h": "%Y%m%d%H", "d": "%Y%m%d", "w": "%G%V", "m": "%Y%m", "y": "%Y"}
_KEEP = re.compile(r"[1-9][0-9]{0,3}[hdwmy](,[1-9][0-9]{0,3}[hdwmy])*")


@dataclass(frozen=True)
class Retention:
    """How many backups are kept: of each of the last so many hours, days, weeks, months and years the newest."""

    most: tuple[tuple[str, int], ...]

    @classmethod
    def parsed(cls, text: str) -> Retention:
        """As in `7d,5w,12m`. Raises ValueError for anything else."""
        if not _KEEP.fullmatch(text):
            raise ValueError(text)
        return cls(tuple((each[-1], int(each[:-1])) for each in text.split(",")))

    def kept(self, moments: Sequence[datetime], now: datetime) -> set[datetime]:
        """Which of these stay: also the newest and all of the last day; periods without a backup do not count."""
        newest_first = sorted(moments, reverse=True)
        kept = {*newest_first[:1], *(each for each in newest_first if now - each < ALL_FOR)}
        for unit, most in self.most:
            newest_of: dict[str, datetime] = {}
            for moment in newest_first:
                newest_of.setdefault(moment.strftime(PERIODS[unit]), moment)
            kept.update(list(newest_of.values())[:most])
        return kept


@dataclass(frozen=True)
class BackupSettings:
    """Where backups lie and which are kept; the key copy has a folder of its own."""

    dir: Path
    key_copy_dir: Path
    retention: Retention
    recipients: tuple[str, ...]
    """For whom they are encrypted, if for anybody."""

    def key_copy(self, schema: str) -> Path:
        """The file of one workspace's sealing keys."""
        return self.key_copy_dir / f"{schema}.keys"


def read(environment: Mapping[str, str], backup_dir: Path, key_copy_dir: Path) -> BackupSettings:
    """The settings, or SettingRefused for the first value that cannot be used."""
    if backup_dir.is_relative_to(key_copy_dir) or key_copy_dir.is_relative_to(backup_dir):
        raise SettingRefused(
            f"CRM_BACKUP_DIR and CRM_KEY_COPY_DIR must be apart, since whoever has both can read who is erased later; "
            f"they are {backup_dir} and {key_copy_dir}."
        )
    return BackupSettings(backup_dir, key_copy_dir, _retention(environment), _recipients(environment))


def _retention(environment: Mapping[str, str]) -> Retention:
    text = environment.get("CRM_BACKUP_KEEP") or USUAL_RETENTION
    try:
        return Retention.parsed(text)
    except ValueError:
        raise SettingRefused(
            f"CRM_BACKUP_KEEP must say how many hours, days, weeks, months and years keep their newest backup, as in "
            f"{USUAL_RETENTION} (h, d, w, m and y), and not {text!r}."
        ) from None


def _recipients(environment: Mapping[str, str]) -> tuple[str, ...]:
    given = environment.get("CRM_BACKUP_RECIPIENTS") or ""
    recipients = tuple(each.strip() for each in given.split(",") if each.strip())
    if recipients:
        from pyrage import RecipientError, x25519  # costs a start something, and few need it

        try:
            for each in recipients:
                x25519.Recipient.from_str(each)
        except RecipientError:
            raise SettingRefused(
                "CRM_BACKUP_RECIPIENTS must be recipients of age with commas between (age1...), as "
                "`crm backups keygen` prints one."
            ) from None
    return recipients
