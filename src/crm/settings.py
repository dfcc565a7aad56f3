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

from crm import signing_in
from crm.master_key import decoded
from crm.refused import SettingRefused

__all__ = ["PROJECT", "LogLevel", "SettingRefused", "Settings", "read"]

LogLevel = Literal["debug", "info", "warning", "error"]
PROJECT = Path(__file__).resolve().parents[2]


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
    sign_in: signing_in.SignInSettings
    master_key: bytes | None = field(repr=False)
    """The key that wraps the keys of personal data; without one it is made once, in `data_dir`."""


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings, or SettingRefused for the first value that cannot be used."""
    return Settings(
        database_url=_database_url(environment),
        data_dir=_data_dir(environment),
        schema=_schema(environment),
        host=environment.get("CRM_HOST") or "127.0.0.1",
        port=_port(environment),
        log_level=_log_level(environment),
        sign_in=signing_in.read(environment),
        master_key=_master_key(environment),
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


def _master_key(environment: Mapping[str, str]) -> bytes | None:
    text = environment.get("CRM_MASTER_KEY")
    if not text:
        return None
    if (key := decoded(text)) is None:
        raise SettingRefused("CRM_MASTER_KEY must be 32 bytes in base64, as `openssl rand -base64 32` prints them.")
    return key
