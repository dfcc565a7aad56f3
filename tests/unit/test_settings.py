"""The settings: read from the environment, with a sentence for each value that cannot be used."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from api.limits.buckets import Allowance, Limits
from crm.settings import PROJECT, SettingRefused, read
from keys import MASTER_KEY, as_setting
from ledger.patience import Patience

SIGNING_KEY = secrets.token_bytes(32)


def test_nothing_needs_to_be_set() -> None:
    settings = read({})
    assert settings.database_url is None
    assert settings.data_dir == PROJECT / "data"
    assert (settings.host, settings.port, settings.schema) == ("127.0.0.1", 8000, "genjin")
    assert settings.master_key is None
    assert settings.checkpoint_dir == settings.data_dir / "checkpoints"
    assert (settings.erasure_dir, settings.former_key) == (settings.data_dir / "erasures", None)
    assert (settings.checkpoint_seconds, settings.signing_key, settings.trusted_keys) == (300, None, ())
    assert (settings.archive_dir, settings.archive_days) == (None, 7)
    assert (settings.log_format, settings.limits, settings.patience) == ("text", Limits(), Patience())


def test_everything_may_be_set(tmp_path: Path) -> None:
    settings = read(
        {
            "CRM_DATABASE_URL": "postgresql://ann@db.example/crm",
            "CRM_DATA_DIR": str(tmp_path),
            "CRM_HOST": "0.0.0.0",
            "CRM_PORT": "9000",
            "CRM_SCHEMA": "sales_2",
            "CRM_LOG_LEVEL": "DEBUG",
            "CRM_LOG_FORMAT": "json",
            "CRM_TOKEN_RATE": "50",
            "CRM_ADDRESS_RATE": "0.5",
            "CRM_ADDRESS_BURST": "7",
            "CRM_UNAUTHENTICATED_RATE": "0",
            "CRM_MOST_WAITING": "10",
            "CRM_STATEMENT_TIMEOUT": "2.5",
            "CRM_LOCK_TIMEOUT": "0",
            "CRM_MASTER_KEY": as_setting(MASTER_KEY),
            "CRM_CHECKPOINT_DIR": str(tmp_path / "signed"),
            "CRM_CHECKPOINT_SECONDS": "60",
            "CRM_SIGNING_KEY": as_setting(SIGNING_KEY),
            "CRM_TRUSTED_KEYS": f"{as_setting(MASTER_KEY)}, {as_setting(SIGNING_KEY)}",
        }
    )
    assert settings.log_format == "json"
    assert (settings.limits.token, settings.limits.address) == (Allowance(50, 100), Allowance(0.5, 7))
    assert settings.limits.unauthenticated.rate == 0
    assert settings.limits.most_waiting == 10
    assert (settings.patience.statement, settings.patience.lock) == (2.5, 0)
    assert settings.database_url == "postgresql://ann@db.example/crm"
    assert settings.data_dir == tmp_path
    assert (settings.host, settings.port, settings.schema) == ("0.0.0.0", 9000, "sales_2")
    assert settings.log_level == "debug"
    assert settings.master_key == MASTER_KEY
    assert (settings.checkpoint_dir, settings.checkpoint_seconds) == (tmp_path / "signed", 60)
    assert (settings.signing_key, settings.trusted_keys) == (SIGNING_KEY, (MASTER_KEY, SIGNING_KEY))


def test_an_archive_is_for_the_embedded_database(tmp_path: Path) -> None:
    settings = read({"CRM_ARCHIVE_DIR": str(tmp_path / "archive"), "CRM_ARCHIVE_DAYS": "30"})
    assert (settings.archive_dir, settings.archive_days) == (tmp_path / "archive", 30)
    with pytest.raises(SettingRefused, match=r"CRM_ARCHIVE_DIR is for the embedded database: .* docs/operations.md"):
        read({"CRM_ARCHIVE_DIR": str(tmp_path), "CRM_DATABASE_URL": "postgresql://ann@db.example/crm"})


def test_an_empty_value_is_one_that_is_not_set() -> None:
    assert read({"CRM_PORT": "", "CRM_DATABASE_URL": "", "CRM_SCHEMA": "", "CRM_MASTER_KEY": ""}) == read({})


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("CRM_DATABASE_URL", "mysql://there/crm", "postgresql://user:password@host:5432/genjin"),
        ("CRM_DATABASE_URL", "postgresql://host-only", "must name a PostgreSQL database"),
        ("CRM_DATA_DIR", __file__, "must be a folder"),
        ("CRM_ARCHIVE_DIR", __file__, "must be a folder"),
        ("CRM_ARCHIVE_DAYS", "0", "a whole number of days from 1 to 3650"),
        ("CRM_ARCHIVE_DAYS", "3651", "a whole number of days from 1 to 3650"),
        ("CRM_ARCHIVE_DAYS", "a week", "a whole number of days from 1 to 3650"),
        ("CRM_PORT", "http", "a whole number from 1 to 65535"),
        ("CRM_PORT", "0", "a whole number from 1 to 65535"),
        ("CRM_PORT", "65536", "a whole number from 1 to 65535"),
        ("CRM_PORT", "८०००", "a whole number from 1 to 65535"),
        ("CRM_SCHEMA", "Sales", "lower-case letters"),
        ("CRM_SCHEMA", "pg_sales", "neither public nor pg_"),
        ("CRM_SCHEMA", "public", "neither public nor pg_"),
        ("CRM_SCHEMA", "s" * 31, "1 to 30"),
        ("CRM_SCHEMA", 'x"; DROP SCHEMA public', "lower-case letters"),
        ("CRM_LOG_LEVEL", "loud", "debug, info, warning, error"),
        ("CRM_LOG_FORMAT", "xml", "text, json"),
        ("CRM_TOKEN_RATE", "-1", "a number"),
        ("CRM_TOKEN_RATE", "many", "a number"),
        ("CRM_MOST_WAITING", "1.5", "a whole number"),
        ("CRM_STATEMENT_TIMEOUT", "1e3", "a number"),
        ("CRM_MASTER_KEY", "c2hvcnQ=", "32 bytes in base64"),
        ("CRM_MASTER_KEY", "not base64!", "32 bytes in base64"),
        ("CRM_SIGNING_KEY", "c2hvcnQ=", "32 bytes in base64"),
        ("CRM_TRUSTED_KEYS", "c2hvcnQ=", "crm checkpoints key"),
        ("CRM_CHECKPOINT_DIR", __file__, "must be a folder"),
        ("CRM_ERASURE_DIR", __file__, "must be a folder"),
        ("CRM_OLD_MASTER_KEY", "c2hvcnQ=", "32 bytes in base64"),
        ("CRM_CHECKPOINT_SECONDS", "often", "a whole number from 0"),
        ("CRM_CHECKPOINT_SECONDS", "86401", "to 86400"),
    ],
)
def test_a_wrong_value_is_refused_in_one_sentence(name: str, value: str, accepted: str) -> None:
    with pytest.raises(SettingRefused) as refusal:
        read({name: value})
    sentence = str(refusal.value)
    assert sentence.startswith(name)
    assert accepted in sentence
    assert "\n" not in sentence


def test_the_master_key_is_never_printed() -> None:
    key = as_setting(MASTER_KEY)
    assert "master_key" not in repr(read({"CRM_MASTER_KEY": key}))
    assert "signing_key" not in repr(read({"CRM_SIGNING_KEY": key}))


def test_signing_in_may_be_set() -> None:
    found = read(
        {
            "CRM_PUBLIC_URL": "https://crm.example.com/",
            "CRM_TRUSTED_PROXIES": "10.0.0.0/8, 192.0.2.1",
            "CRM_SESSION_IDLE_HOURS": "2",
            "CRM_SESSION_DAYS": "30",
            "CRM_OPENID_ISSUER": "https://login.example.com/realms/sales",
            "CRM_OPENID_CLIENT_ID": "genjin",
            "CRM_OPENID_CLIENT_SECRET": as_setting(MASTER_KEY),
        }
    ).sign_in
    assert (found.public_url, found.trusted_proxies) == ("https://crm.example.com", "10.0.0.0/8,192.0.2.1")
    assert (found.session_idle_hours, found.session_days) == (2, 30)
    assert found.openid_issuer == "https://login.example.com/realms/sales"
    assert as_setting(MASTER_KEY) not in repr(found)


@pytest.mark.parametrize(
    ("name", "value", "accepted"),
    [
        ("CRM_PUBLIC_URL", "crm.example.com", "https://crm.example.com"),
        ("CRM_PUBLIC_URL", "https://crm.example.com/crm", "https://crm.example.com"),
        ("CRM_TRUSTED_PROXIES", "everybody", "addresses or networks"),
        ("CRM_SESSION_IDLE_HOURS", "0", "a whole number from 1 to 720"),
        ("CRM_SESSION_DAYS", "1000", "a whole number from 1 to 90"),
        ("CRM_OPENID_ISSUER", "http://login.example.com", "as in https://login.example.com"),
        ("CRM_OPENID_ISSUER", "https://login.example.com", "CRM_OPENID_CLIENT_ID and CRM_PUBLIC_URL must be set too"),
    ],
)
def test_what_cannot_be_used_for_signing_in_is_refused(name: str, value: str, accepted: str) -> None:
    with pytest.raises(SettingRefused) as refused:
        read({name: value})
    assert name in str(refused.value)
    assert accepted in str(refused.value)
