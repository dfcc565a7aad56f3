"""Signing in at an OpenID provider (OpenID Connect Core 1.0): authorization code, PKCE, state and nonce."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from time import time
from typing import Any

import httpx2
import structlog
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry

from aggregates.randomness import Portions
from policy.identity.chosen import Client
from policy.identity.provider import Provider, ProviderKeys
from policy.identity.refusals import OpenIdRefused

LEEWAY_SECONDS = 60
"""How far the provider's clock and ours may be apart."""
PATIENCE_SECONDS = 600
"""For somebody to sign in at the provider."""
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has."""
_NONCE = 12
_nonce = Portions(_NONCE)
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Vouched:
    """Whom the provider vouches for, and where that person wanted to go."""

    address: str
    return_to: str


class OpenId:
    """Sends people to the provider, and reads what they come back with."""

    def __init__(self, client: Client, master_key: bytes) -> None:
        self._client = client
        self._seal = AESGCM(hmac.digest(master_key, b"genjin openid sign-in", "sha256"))
        self._provider = Provider(client.issuer)
        self._keys = ProviderKeys(self._provider)

    def begin(self, return_to: str) -> tuple[str, str]:
        """Where to send somebody, and what the browser has to bring back; raises OpenIdAway."""
        told = {name: generate_token(48) for name in ("state", "nonce", "verifier")}
        with self._session() as session:
            where, _ = session.create_authorization_url(
                self._provider.metadata()["authorization_endpoint"],
                state=told["state"],
                nonce=told["nonce"],
                code_verifier=told["verifier"],
            )
        return str(where), self._sealed({**told, "return_to": return_to, "until": time() + PATIENCE_SECONDS})

    def finish(self, brought: str | None, answered: Mapping[str, str]) -> Vouched:
        """Whom the provider vouches for, with an address that it has verified; raises OpenIdRefused, OpenIdAway."""
        begun = self._opened(brought)
        if begun is None or begun["until"] < time():
            raise _refused("it was not begun here, or too long ago")
        if not hmac.compare_digest(begun["state"].encode(), answered.get("state", "").encode()):
            raise _refused("another state")
        if answered.get("iss", self._client.issuer) != self._client.issuer:
            raise _refused("another issuer")
        if "code" not in answered:
            raise _refused("no code", error=answered.get("error", "")[:100])
        claims = self._claims(answered["code"], begun["verifier"], begun["nonce"])
        address = claims.get("email")
        if not isinstance(address, str) or claims.get("email_verified") not in (True, "true"):
            raise _refused("no verified address")
        return Vouched(address, begun["return_to"])

    def _claims(self, code: str, verifier: str, nonce: str) -> Mapping[str, Any]:
        """What the identity token says, once everything about it was checked."""
        given = self._exchanged(code, verifier)
        metadata, client = self._provider.metadata(), self._client
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        registry = JWSRegistry(algorithms=[each for each in ALGORITHMS if each in offered], strict_check_header=False)
        try:
            token = self._keys.tried(lambda keys: jwt.decode(given["id_token"], keys, registry=registry))
            claims = CodeIDToken(
                token.claims,
                token.header,
                {"iss": {"essential": True, "value": client.issuer}, "aud": {"essential": True, "value": client.id}},
                {"nonce": nonce, "client_id": client.id, "access_token": given.get("access_token")},
            )
            claims.validate(leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, KeyError, TypeError) as unfit:
            raise _refused("an unfit identity token", error=type(unfit).__name__) from None
        return claims  # type: ignore[no-any-return]

    def _exchanged(self, code: str, verifier: str) -> Mapping[str, Any]:
        with self._session() as session:
            try:
                given = session.fetch_token(
                    self._provider.metadata()["token_endpoint"], code=code, code_verifier=verifier
                )
            except OAuthError as refused:
                raise _refused("the provider refused the code", error=str(refused.error)[:100]) from None
            except (httpx2.HTTPError, ValueError) as failed:
                raise self._provider.away(failed) from None
        if not isinstance(given.get("id_token"), str):
            raise _refused("no identity token")
        return given  # type: ignore[no-any-return]

    def _session(self) -> Any:
        """A client of Authlib's, for one request or two."""
        offered = self._provider.metadata().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"
        return OAuth2Client(
            self._client.id,
            self._client.secret,
            token_endpoint_auth_method=method if self._client.secret else "none",
            scope="openid email",
            redirect_uri=self._client.redirect_uri,
            code_challenge_method="S256",
            timeout=self._provider.timeout,
        )

    def _sealed(self, told: dict[str, Any]) -> str:
        nonce = _nonce()
        return (nonce + self._seal.encrypt(nonce, json.dumps(told).encode(), b"openid")).hex()

    def _opened(self, brought: str | None) -> dict[str, Any] | None:
        try:
            sealed = bytes.fromhex(brought or "")
            opened: dict[str, Any] = json.loads(self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], b"openid"))
        except (ValueError, InvalidTag):
            return None
        return opened


def _refused(why: str, **more: str) -> OpenIdRefused:
    log.info("an OpenID sign-in was refused", why=why, **more)
    return OpenIdRefused()
