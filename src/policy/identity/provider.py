"""What an OpenID provider says of itself, and its keys, which it may change at any time."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

import httpx2
import structlog
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from policy.identity.refusals import OpenIdAway

T = TypeVar("T")
HOLDS_SECONDS = 3600.0
"""For which the description and the keys are gone on with."""
ASKED_AGAIN_AFTER = 5.0
"""Seconds between two looks at the keys, so that made-up tokens do not make us ask for each."""
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
log = structlog.get_logger(__name__)


class Provider:
    """The provider at an issuer's address (OpenID Connect Discovery 1.0)."""

    timeout = 5.0

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer
        self._lock = Lock()
        self._metadata: dict[str, Any] = {}
        self._until = 0.0

    def metadata(self) -> dict[str, Any]:
        """What it says of itself; raises OpenIdAway."""
        with self._lock:
            if monotonic() >= self._until:
                self._metadata = self._checked(self.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"))
                self._until = monotonic() + HOLDS_SECONDS
            return self._metadata

    def get(self, address: str) -> dict[str, Any]:
        """A JSON object of the provider's; raises OpenIdAway."""
        try:
            answer = httpx2.get(address, timeout=self.timeout, follow_redirects=False)
            answer.raise_for_status()
            found = answer.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as failed:
            raise self.away(failed) from None
        if not isinstance(found, dict):
            raise self.away("no object")
        return found

    def away(self, why: object) -> OpenIdAway:
        """It did not answer as it should; why is for the log."""
        log.warning("the OpenID provider did not answer as it should", why=str(why)[:200])
        return OpenIdAway()

    def _checked(self, found: dict[str, Any]) -> dict[str, Any]:
        if found.get("issuer") != self._issuer:
            raise self.away("it says to be another issuer")
        for name in _NEEDED:
            place = found.get(name)
            if not isinstance(place, str) or (self._issuer.startswith("https:") and not place.startswith("https:")):
                raise self.away(f"{name} is missing or without TLS")
        return found


class ProviderKeys:
    """The keys that the provider signs with."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._lock = Lock()
        self._keys: KeySet | None = None
        self._asked_at = 0.0

    def tried(self, work: Callable[[KeySet], T]) -> T:
        """Do it with the keys that are known, and once more with new ones when none of them fits."""
        known = self._known()
        try:
            return work(known)
        except (InvalidKeyIdError, BadSignatureError):
            newer = self._asked_anew(known)
            if newer is known:
                raise
            return work(newer)

    def _known(self) -> KeySet:
        keys = self._keys
        if keys is None or monotonic() - self._asked_at > HOLDS_SECONDS:
            return self._asked_anew(keys)
        return keys

    def _asked_anew(self, before: KeySet | None) -> KeySet:
        with self._lock:
            if self._keys is not None and self._keys is not before:
                return self._keys
            if self._keys is not None and monotonic() - self._asked_at < ASKED_AGAIN_AFTER:
                return self._keys
            found = self._provider.get(self._provider.metadata()["jwks_uri"])
            try:
                self._keys = KeySet.import_key_set(found)  # type: ignore[arg-type]
            except (JoseError, ValueError, KeyError, TypeError) as unfit:
                raise self._provider.away(unfit) from None
            self._asked_at = monotonic()
            return self._keys
