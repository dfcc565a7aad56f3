"""An OpenID provider for tests: a process of its own on the loopback, with keys of its own, that can be told to lie.

`python openid_provider.py PORT CLIENT_ID SECRET`; `POST /control` says who signs in and what shall be wrong.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey


def a_key(algorithm: str) -> RSAKey | ECKey:
    """A new key to sign with in this way."""
    key = RSAKey.generate_key(2048) if algorithm == "RS256" else ECKey.generate_key("P-256")
    key.ensure_kid()
    return key


class Provider:
    """What the provider knows: its keys, whom it lets in, which codes it has given out."""

    def __init__(self, port: int, client_id: str, secret: str) -> None:
        self.issuer = f"http://127.0.0.1:{port}/"
        self.client_id, self.secret = client_id, secret
        self.told: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked = {"jwks": 0, "token": 0}
        self.rotate("RS256")

    def rotate(self, algorithm: str) -> None:
        """Sign with a new key from now on, and forget the old one."""
        self.algorithm, self.key = algorithm, a_key(algorithm)

    def metadata(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "issuer": self.told.get("says_issuer", self.issuer),
            "authorization_endpoint": f"{self.issuer}authorize",
            "token_endpoint": f"{self.issuer}token",
            "jwks_uri": f"{self.issuer}jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256", "none", "HS256"],
            "code_challenge_methods_supported": ["S256"],
        }

    def authorize(self, asked: dict[str, str]) -> str:
        """Let the person of the test in, and send the browser back."""
        assert asked["client_id"] == self.client_id
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert set(asked["scope"].split()) == {"openid", "email"}
        code = secrets.token_urlsafe(24)
        self.codes[code] = asked
        back = {"code": code, "state": self.told.get("state", asked["state"])}
        if error := self.told.get("error"):
            back = {"error": error, "state": asked["state"]}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Give tokens for a code, once, to who can show the verifier that belongs to it."""
        self.asked["token"] += 1
        expected = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        begun = self.codes.pop(form.get("code", ""), None)
        if authorization != f"Basic {expected}":
            return 401, {"error": "invalid_client"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if begun is None or begun["code_challenge"] != challenge.rstrip(b"=").decode():
            return 400, {"error": "invalid_grant"}
        if begun["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        token = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 60}
        return 200, {**token, "id_token": self.signed(begun["nonce"])}

    def signed(self, nonce: str) -> str:
        """The identity token, with what the test wants wrong in it."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "somebody",
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "email": self.told.get("email"),
            "email_verified": True,
            **self.told.get("claims", {}),
        }
        for name in ("exp", "iat", "nbf"):
            if (moved := self.told.get(f"{name}_in")) is not None:
                claims[name] = now + moved
        claims = {name: value for name, value in claims.items() if value is not None}
        how = self.told.get("signature")
        if how == "none":
            return unsigned(claims)
        if how == "secret":
            return by_secret(claims, self.secret)
        key = a_key(self.algorithm) if how == "another key" else self.key
        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, claims, key)


def unsigned(claims: dict[str, Any]) -> str:
    """A token that nobody has signed."""
    return ".".join([_part({"alg": "none", "typ": "JWT"}), _part(claims), ""])


def by_secret(claims: dict[str, Any], secret: str) -> str:
    """A token signed with what is no key of the provider's."""
    import hmac

    signed = ".".join([_part({"alg": "HS256", "typ": "JWT"}), _part(claims)])
    mac = hmac.digest(secret.encode(), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class Handler(BaseHTTPRequestHandler):
    """The provider over HTTP."""

    provider: Provider

    def do_GET(self) -> None:
        """Description, keys, and the way in."""
        parts = urlsplit(self.path)
        if parts.path == "/.well-known/openid-configuration":
            self._answer(200, self.provider.metadata())
        elif parts.path == "/jwks":
            self.provider.asked["jwks"] += 1
            self._answer(200, KeySet([self.provider.key]).as_dict(private=False))
        elif parts.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._answer(302, {}, Location=self.provider.authorize(asked))
        else:
            self._answer(404, {})

    def do_POST(self) -> None:
        """Tokens for a code; and what the test wants."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path == "/token":
            form = {name: values[0] for name, values in parse_qs(body).items()}
            status, shown = self.provider.exchange(form, self.headers.get("Authorization", ""))
            self._answer(status, shown)
        elif self.path == "/control":
            told = json.loads(body)
            if algorithm := told.pop("rotate", None):
                self.provider.rotate(algorithm)
            self.provider.told = told
            self._answer(200, self.provider.asked)

    def _answer(self, status: int, shown: Any, **headers: str) -> None:
        body = json.dumps(shown).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing is said."""


def main() -> None:
    """Serve until killed."""
    port, client_id, secret = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    Handler.provider = Provider(port, client_id, secret)
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
