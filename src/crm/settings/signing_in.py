"""What the environment says about signing in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from urllib.parse import urlsplit

from crm.settings.refused import SettingRefused

CALLBACK = "/api/v1/session/openid/callback"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class SignInSettings:
    """How members sign in."""

    public_url: str | None = None
    """Where people reach the service, where a proxy stands before it."""
    trusted_proxies: str = "127.0.0.1,::1"
    """Addresses and networks, with commas between, whose X-Forwarded headers are believed."""
    session_idle_hours: int = 12
    session_days: int = 14
    openid_issuer: str | None = None
    openid_client_id: str | None = None
    openid_client_secret: str | None = field(default=None, repr=False)


def read(environment: Mapping[str, str]) -> SignInSettings:
    """The settings, or SettingRefused for the first value that cannot be used."""
    usual = SignInSettings()
    found = SignInSettings(
        public_url=_public_url(environment),
        trusted_proxies=_trusted_proxies(environment) or usual.trusted_proxies,
        session_idle_hours=_whole(environment, "CRM_SESSION_IDLE_HOURS", usual.session_idle_hours, 720),
        session_days=_whole(environment, "CRM_SESSION_DAYS", usual.session_days, 90),
        openid_issuer=_issuer(environment),
        openid_client_id=environment.get("CRM_OPENID_CLIENT_ID") or None,
        openid_client_secret=environment.get("CRM_OPENID_CLIENT_SECRET") or None,
    )
    if found.openid_issuer and not (found.openid_client_id and found.public_url):
        raise SettingRefused(
            "With CRM_OPENID_ISSUER, CRM_OPENID_CLIENT_ID and CRM_PUBLIC_URL must be set too: the provider knows this "
            f"service by them, and sends people back to {found.public_url or 'https://...'}{CALLBACK}."
        )
    return found


def _public_url(environment: Mapping[str, str]) -> str | None:
    given = environment.get("CRM_PUBLIC_URL")
    if not given:
        return None
    parts = urlsplit(given)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise SettingRefused(
            f"CRM_PUBLIC_URL must be where people reach the service, as in https://crm.example.com, and not {given!r}."
        )
    return f"{parts.scheme}://{parts.netloc}"


def _trusted_proxies(environment: Mapping[str, str]) -> str | None:
    given = [each.strip() for each in (environment.get("CRM_TRUSTED_PROXIES") or "").split(",") if each.strip()]
    for each in given:
        try:
            ip_network(each)
        except ValueError:
            raise SettingRefused(
                f"CRM_TRUSTED_PROXIES must be addresses or networks with commas between, as in 10.0.0.0/8, and "
                f"{each!r} is none."
            ) from None
    return ",".join(given) or None


def _whole(environment: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = environment.get(name)
    if not text:
        return usual
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= most:
        raise SettingRefused(f"{name} must be a whole number from 1 to {most}, and not {text!r}.")
    return int(text)


def _issuer(environment: Mapping[str, str]) -> str | None:
    given = environment.get("CRM_OPENID_ISSUER")
    if not given:
        return None
    parts = urlsplit(given)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or not parts.hostname or parts.query or parts.fragment:
        raise SettingRefused(
            f"CRM_OPENID_ISSUER must be the issuer of an OpenID provider, as in https://login.example.com, and not "
            f"{given!r}."
        )
    return given
