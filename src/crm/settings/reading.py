"""What the environment says about how this service runs: read once, checked, and refused in plain words.

Settings of the business (time zone, currency, numbering) are not here: they are events in the ledger.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

import psycopg
from psycopg.conninfo import conninfo_to_dict

from api.limits.buckets import Allowance, Limits
from crm.keys.file import decoded
from crm.settings import backups, signing_in
from crm.settings.backups import BackupSettings
from crm.settings.refused import SettingRefused
from ledger.patience import Patience

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]
PROJECT = Path(__file__).resolve().parents[3]
LONGEST_BETWEEN_CHECKPOINTS = 86_400
LONGEST_ARCHIVED = 3_650


@dataclass(frozen=True)
class Settings:
    """How this service runs."""

    database_url: str | None
    """A PostgreSQL server of yours; without one, an embedded server keeps its data under `data_dir`."""
    data_dir: Path
    schema: str
    host: str
    port: int
    log_level: LogLevel
    log_format: LogFormat
    limits: Limits
    patience: Patience
    sign_in: signing_in.SignInSettings
    master_key: bytes | None = field(repr=False)
    """The key that wraps the keys of personal data; without one it is made once, in `data_dir`."""
    former_key: bytes | None = field(repr=False)
    """The master key before, while keys are still wrapped by it."""
    checkpoint_dir: Path
    """Where signed checkpoints lie, in a folder for each schema."""
    checkpoint_seconds: int
    """How often a checkpoint is written; 0 for never."""
    erasure_dir: Path
    """Where the register of erasures lies, in a folder for each schema."""
    archive_dir: Path | None
    """Where the embedded server archives its write-ahead log, to be recovered to any moment; nowhere by default."""
    archive_days: int
    """For how many days back the archive must do."""
    signing_key: bytes | None = field(repr=False)
    """The key that checkpoints are signed with; without one it is made once, in `data_dir`."""
    trusted_keys: tuple[bytes, ...]
    """Public keys of former signing keys, or of the one that only other machines have."""
    backups: BackupSettings

    @property
    def erasures(self) -> Path:
        """The register of erasures of this workspace."""
        return self.erasure_dir / self.schema

    @property
    def backup_dir(self) -> Path:
        """Where the backups of this workspace lie."""
        return self.backups.dir / self.schema


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings, or SettingRefused for the first value that cannot be used."""
    data_dir = _data_dir(environment)
    return Settings(
        database_url=_database_url(environment),
        data_dir=data_dir,
        schema=_schema(environment),
        host=environment.get("CRM_HOST") or "127.0.0.1",
        port=_port(environment),
        log_level=_log_level(environment),
        log_format=_log_format(environment),
        limits=_limits(environment),
        patience=_patience(environment),
        sign_in=signing_in.read(environment),
        master_key=_key(environment, "CRM_MASTER_KEY"),
        former_key=_key(environment, "CRM_OLD_MASTER_KEY"),
        checkpoint_dir=_folder(environment, "CRM_CHECKPOINT_DIR", data_dir / "checkpoints"),
        erasure_dir=_folder(environment, "CRM_ERASURE_DIR", data_dir / "erasures"),
        archive_dir=_archive_dir(environment),
        archive_days=_archive_days(environment),
        checkpoint_seconds=_checkpoint_seconds(environment),
        signing_key=_key(environment, "CRM_SIGNING_KEY"),
        trusted_keys=_trusted_keys(environment),
        backups=backups.read(
            environment,
            _folder(environment, "CRM_BACKUP_DIR", data_dir / "backups"),
            _folder(environment, "CRM_KEY_COPY_DIR", data_dir / "key-copy"),
        ),
    )


def _database_url(environment: Mapping[str, str]) -> str | None:
    url = environment.get("CRM_DATABASE_URL")
    if not url:
        return None
    try:
        named = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        named = {}
    if not named.get("dbname"):
        raise SettingRefused(
            "CRM_DATABASE_URL must name a PostgreSQL database, as in postgresql://user:password@host:5432/genjin."
        )
    return url


def _data_dir(environment: Mapping[str, str]) -> Path:
    """Beside the sources in a checkout, else where this user's programs keep their data."""
    if given := environment.get("CRM_DATA_DIR"):
        folder = Path(given).expanduser()
    elif (PROJECT / "pyproject.toml").exists():
        folder = PROJECT / "data"
    else:
        folder = Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "genjin"
    if folder.exists() and not folder.is_dir():
        raise SettingRefused(f"CRM_DATA_DIR must be a folder, and {folder} is a file.")
    return folder.resolve()


def _schema(environment: Mapping[str, str]) -> str:
    name = environment.get("CRM_SCHEMA") or "genjin"
    if not re.fullmatch(r"(?!pg_)[a-z][a-z0-9_]{0,29}", name) or name in ("public", "information_schema"):
        raise SettingRefused(
            f"CRM_SCHEMA must be 1 to 30 lower-case letters, digits and underscores, beginning with a letter and "
            f"neither public nor pg_..., and not {name!r}."
        )
    return name


def _port(environment: Mapping[str, str]) -> int:
    text = environment.get("CRM_PORT") or "8000"
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65_535:
        raise SettingRefused(f"CRM_PORT must be a whole number from 1 to 65535, and not {text!r}.")
    return int(text)


def _log_level(environment: Mapping[str, str]) -> LogLevel:
    level = (environment.get("CRM_LOG_LEVEL") or "info").lower()
    if level not in get_args(LogLevel):
        raise SettingRefused(f"CRM_LOG_LEVEL must be one of {', '.join(get_args(LogLevel))}, and not {level!r}.")
    return cast(LogLevel, level)


def _log_format(environment: Mapping[str, str]) -> LogFormat:
    form = (environment.get("CRM_LOG_FORMAT") or "text").lower()
    if form not in get_args(LogFormat):
        raise SettingRefused(f"CRM_LOG_FORMAT must be one of {', '.join(get_args(LogFormat))}, and not {form!r}.")
    return cast(LogFormat, form)


def _limits(environment: Mapping[str, str]) -> Limits:
    usual = Limits()
    return Limits(
        token=_allowance(environment, "TOKEN", usual.token),
        address=_allowance(environment, "ADDRESS", usual.address),
        unauthenticated=_allowance(environment, "UNAUTHENTICATED", usual.unauthenticated),
        most_waiting=int(_number(environment, "CRM_MOST_WAITING", usual.most_waiting, whole=True)),
    )


def _allowance(environment: Mapping[str, str], of: str, usual: Allowance) -> Allowance:
    """A rate and a burst; where only the rate is set, twice as many may come at once."""
    rate = _number(environment, f"CRM_{of}_RATE", usual.rate)
    burst = usual.burst if rate == usual.rate else max(1.0, 2 * rate)
    return Allowance(rate, _number(environment, f"CRM_{of}_BURST", burst))


def _patience(environment: Mapping[str, str]) -> Patience:
    usual = Patience()
    return Patience(
        statement=_number(environment, "CRM_STATEMENT_TIMEOUT", usual.statement),
        lock=_number(environment, "CRM_LOCK_TIMEOUT", usual.lock),
    )


def _number(environment: Mapping[str, str], name: str, usual: float, *, whole: bool = False) -> float:
    text = environment.get(name)
    if not text:
        return usual
    if not re.fullmatch(r"[0-9]{1,6}" if whole else r"[0-9]{1,6}(\.[0-9]{1,3})?", text):
        kind = "a whole number" if whole else "a number, such as 15 or 0.5,"
        raise SettingRefused(f"{name} must be {kind} from 0 to 999999, and not {text!r}.")
    return float(text)


def _key(environment: Mapping[str, str], name: str) -> bytes | None:
    text = environment.get(name)
    if not text:
        return None
    if (key := decoded(text)) is None:
        raise SettingRefused(f"{name} must be 32 bytes in base64, as `openssl rand -base64 32` prints them.")
    return key


def _folder(environment: Mapping[str, str], name: str, usual: Path) -> Path:
    given = environment.get(name)
    folder = Path(given).expanduser() if given else usual
    if folder.exists() and not folder.is_dir():
        raise SettingRefused(f"{name} must be a folder, and {folder} is a file.")
    return folder.resolve()


def _archive_dir(environment: Mapping[str, str]) -> Path | None:
    if not (given := environment.get("CRM_ARCHIVE_DIR")):
        return None
    if environment.get("CRM_DATABASE_URL"):
        raise SettingRefused(
            "CRM_ARCHIVE_DIR is for the embedded database: leave it out beside CRM_DATABASE_URL, and have that server "
            "archive as docs/operations.md tells."
        )
    return _folder(environment, "CRM_ARCHIVE_DIR", Path(given))


def _archive_days(environment: Mapping[str, str]) -> int:
    text = environment.get("CRM_ARCHIVE_DAYS") or "7"
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= LONGEST_ARCHIVED:
        raise SettingRefused(
            f"CRM_ARCHIVE_DAYS must be a whole number of days from 1 to {LONGEST_ARCHIVED}, and not {text!r}."
        )
    return int(text)


def _checkpoint_seconds(environment: Mapping[str, str]) -> int:
    text = environment.get("CRM_CHECKPOINT_SECONDS") or "300"
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > LONGEST_BETWEEN_CHECKPOINTS:
        raise SettingRefused(
            f"CRM_CHECKPOINT_SECONDS must be a whole number from 0 (none is written) to {LONGEST_BETWEEN_CHECKPOINTS}, "
            f"and not {text!r}."
        )
    return int(text)


def _trusted_keys(environment: Mapping[str, str]) -> tuple[bytes, ...]:
    texts = [each.strip() for each in (environment.get("CRM_TRUSTED_KEYS") or "").split(",") if each.strip()]
    keys = tuple(key for key in map(decoded, texts) if key is not None)
    if len(keys) < len(texts):
        raise SettingRefused(
            "CRM_TRUSTED_KEYS must be public keys of 32 bytes in base64 with commas between, as `crm checkpoints key` "
            "prints them."
        )
    return keys
