"""HTTP/1.1 as the service takes it: addresses as people type them, and problems for what cannot be read."""

from __future__ import annotations

import asyncio
import re
import sys
from http import HTTPStatus
from typing import Any

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.answers.problems import Problem, document
from api.limits.limiting import LARGEST_HEAD, MOST_HEADERS
from api.operations.headers import ALWAYS, UNLESS_SAID
from api.texts import preferred

HEAD_SECONDS = 30.0
"""A new connection has so long to say what it asks for, and a request so long to come to the end of its head."""
_FOREIGN = re.compile(rb"[\x80-\xff]")
_ACCEPTED = re.compile(rb"\r?\naccept-language:([^\r\n]*)", re.IGNORECASE)


class Protocol(H11Protocol):
    """One connection.

    An address with signs beyond ASCII (`?q=明远`) is not allowed on the wire, but `curl` sends it as it was typed: it
    is percent-encoded here, before it is read. That is done for a request that begins a transmission, as all do
    except those that a client sends ahead without waiting for answers.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._line = b""
        self._has_begun = False
        self._received = b""
        self._due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has come, and is to say what it is about."""
        super().connection_made(transport)
        self._due = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        super().connection_lost(exc)
        self._await_head(False)

    def _await_head(self, is_awaited: bool) -> None:
        if not is_awaited and self._due is not None:
            self._due.cancel()
            self._due = None
        elif is_awaited and self._due is None:
            self._due = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _give_up(self) -> None:
        """End a connection whose request does not come to the end of its head: such ones cost nothing to make."""
        self._due = None
        if not self.transport.is_closing():
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """More bytes; the first line of a request is held back until it is whole."""
        if self._begins():
            data = self._line + data
            self._line, self._received = b"", data
            if self._is_unfinished(data):
                self._line = data
                self._await_head(True)
                return
            self._has_begun = True
            data = with_encoded_address(data)
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._has_begun = False
        self._await_head(self.conn.their_state is h11.IDLE and self._has_begun)

    def _begins(self) -> bool:
        return self.conn.their_state is h11.IDLE and not self._has_begun and not self.conn.trailing_data[0]

    def _is_unfinished(self, data: bytes) -> bool:
        """The rest of the line is worth waiting for: it begins like a method, and is not too long."""
        return b"\n" not in data and len(data) < LARGEST_HEAD and data[:1].isalpha()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - ours says more
        """Says what could not be read as a problem document, and ends the connection."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        error = sys.exc_info()[1]
        status = error.error_status_hint if isinstance(error, h11.RemoteProtocolError) else 400
        for each in malformed(status, self._received):
            self.transport.write(self.conn.send(each) or b"")
        self.transport.close()


def with_encoded_address(data: bytes) -> bytes:
    """The same with the bytes beyond ASCII in its first line percent-encoded."""
    if data.isascii():
        return data
    line, end, rest = data.partition(b"\n")
    return _FOREIGN.sub(lambda found: b"%%%02X" % found[0][0], line) + end + rest


def malformed(status: int, received: bytes) -> list[h11.Event]:
    """The answer to a request that cannot be read, in the language that it seems to ask for."""
    accepted = _ACCEPTED.search(received[:LARGEST_HEAD])
    language = preferred(accepted[1].decode("latin-1").strip() if accepted else None)
    code = "headers-too-large" if status == 431 else "malformed-request"
    shown = document(Problem(status, code, {"limit": LARGEST_HEAD, "most": MOST_HEADERS}), language, "")
    body = msgspec.json.encode(shown)
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-language", language.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
        *ALWAYS,
        *UNLESS_SAID,
    ]
    begun = h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase)
    return [begun, h11.Data(data=body), h11.EndOfMessage()]
