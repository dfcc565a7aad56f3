"""The API asked from the same process, so that the command line gives the answers that HTTP gives."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from api.app import PREFIX, create_app
from crm.services import Services
from policy import Actor

AUDITOR = Actor(id="rule:command-line", member_id=None, name="crm", source="rule")


@dataclass(frozen=True)
class _OnlyMe:
    """Knows one token, which no one else has."""

    token: str

    def actor_of(self, token: str) -> Actor | None:
        return AUDITOR if secrets.compare_digest(token, self.token) else None


class Refused(Exception):
    """What was asked for was refused; the message is the API's."""


def answer(services: Services, path: str, asked: Iterable[tuple[str, str]], language: str = "en") -> Any:
    """What `GET path?asked` answers, as it is in JSON; raises Refused with what the problem document says."""
    me = _OnlyMe(secrets.token_urlsafe(32))
    status, body = asyncio.run(
        _get(create_app(replace(services, tokens=me)), path, urlencode(list(asked)), me, language)
    )
    shown = json.loads(body)
    if status != 200:
        faults = [f"{each['pointer']}: {each['message']}" for each in shown.get("errors", [])]
        raise Refused("; ".join([shown.get("detail") or shown["title"], *faults]))
    return shown


async def _get(app: Any, path: str, query: str, me: _OnlyMe, language: str) -> tuple[int, bytes]:
    status, body = 500, bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        body.extend(message.get("body", b""))

    headers = {"authorization": f"Bearer {me.token}", "accept-language": language, "host": "crm"}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": PREFIX + path,
        "raw_path": (PREFIX + path).encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": None,
        "server": ("crm", 80),
    }
    await app(scope, receive, send)
    return status, bytes(body)
