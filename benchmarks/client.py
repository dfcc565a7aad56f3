"""A client of the service: one kept connection with a token."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

from benchmarks.waiting import wait_until

API = "/api/v1"
KEEP_ALIVE_SECONDS = 2.0
"""Seconds that a client trusts an idle connection; the server closes it after five."""
REQUEST_SECONDS = 300.0
"""How long one answer is waited for: only a service that has stopped answering takes so long."""


class Client:
    """One kept connection with a token."""

    def __init__(self, port: int, token: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=REQUEST_SECONDS)
        self._headers = {"Authorization": f"Bearer {token}"}
        self._used_at = time.monotonic()
        self._connect()

    def _connect(self) -> None:
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def get(self, path: str) -> bytes:
        """The body of a 200; anything else fails the measurement."""
        status, body = self._ask("GET", path)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {body[:500]!r}")
        return body

    def get_in_time(self, path: str) -> bytes:
        """The body of a 200, asked for again while it is being made (202), as long as that goes on."""
        answered = b""
        follow: str | None = None

        def is_made() -> bool:
            nonlocal answered, follow
            status, answered = self._ask("GET", path)
            if status not in (200, 202):
                raise RuntimeError(f"GET {path}: {status} {answered[:500]!r}")
            follow = json.loads(answered)["follow"] if status == 202 else None
            return status == 200

        def progress() -> bytes | None:
            return None if follow is None else self._ask("GET", follow.removeprefix(API))[1]

        wait_until(is_made, progress, f"GET {path}")
        return answered

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer to a command; one that is refused fails the measurement."""
        status, answered = self._ask("POST", path, json.dumps(body).encode())
        if status not in (200, 201):
            raise RuntimeError(f"POST {path}: {status} {answered[:500]!r}")
        found: dict[str, Any] = json.loads(answered)
        return found

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body; a connection that idled for too long is made anew."""
        if time.monotonic() - self._used_at > KEEP_ALIVE_SECONDS:
            self._connection.close()
            self._connect()
        self._used_at = time.monotonic()
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        self._connection.request(method, API + path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def seconds(self, path: str) -> float:
        """How long the answer to a read took."""
        return self.seconds_of(self.get, path)

    def seconds_of(self, ask: Callable[..., object], *given: Any) -> float:
        """How long the answer took."""
        begun = time.perf_counter()
        ask(*given)
        return time.perf_counter() - begun
