"""The headers that every answer carries, so that a browser does nothing with it that was not meant."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import Scope

Headers = list[tuple[bytes, bytes]]

ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
UNLESS_SAID: Headers = [
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (b"cache-control", b"no-store"),
]
"""What holds where a route says nothing else: an answer is data, for nobody to keep, to frame or to run."""
_HSTS = (b"strict-transport-security", b"max-age=31536000")


def secured(given: Iterable[tuple[bytes, bytes]], scope: Scope) -> Headers:
    """The headers of an answer with all that belong to it; HSTS only where the client came over TLS."""
    headers = [*given, *ALWAYS]
    said = [name for name, _ in headers]
    headers += [each for each in UNLESS_SAID if each[0] not in said]
    if scope.get("scheme") == "https":
        headers.append(_HSTS)
    return headers
