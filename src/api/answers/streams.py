"""Server-sent events: how they are written, and how a stream learns that something new is there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from threading import Event, Lock, Thread
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from api.answers.encoding import to_json
from ledger.database import Database
from ledger.errors import DatabaseAway
from ledger.follow.tailing import Bell

HEARTBEAT_SECONDS = 15.0
POLL_SECONDS = 1.0


def wants_stream(request: Request) -> bool:
    """The client asked for text/event-stream."""
    return "text/event-stream" in request.headers.get("accept", "").lower()


def event_stream(pieces: AsyncIterator[bytes]) -> StreamingResponse:
    """A response that goes on for as long as the client listens."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(pieces, media_type="text/event-stream", headers=headers)


def message(name: str, data: Any, id: int | None = None) -> bytes:
    """One event as the browser's EventSource reads it."""
    head = b"" if id is None else b"id: %d\n" % id
    return head + b"event: " + name.encode() + b"\ndata: " + to_json(data) + b"\n\n"


HEARTBEAT = b": still here\n\n"


class Pulse:
    """Wakes all streams of a process when something was appended; one connection and one thread for all of them."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = Lock()
        self._thread: Thread | None = None
        self._stop = Event()
        self._bell: Bell | None = None
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    async def wait(self, seconds: float = POLL_SECONDS) -> None:
        """Until something was appended, or the time is up."""
        self._begin()
        waiter = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            self._waiting.add(waiter)
        try:
            await asyncio.wait_for(waiter[1].wait(), seconds)
        except TimeoutError:
            return
        finally:
            with self._lock:
                self._waiting.discard(waiter)

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None and not self._stop.is_set():
                self._thread = Thread(target=self._listen, name="genjin-pulse", daemon=True)
                self._thread.start()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                self._bell = self._bell or Bell(self._database)
                if not self._stop.is_set() and self._bell.wait(POLL_SECONDS) is not None:
                    self._wake()
            except DatabaseAway:
                self._stop.wait(POLL_SECONDS)
        if self._bell is not None:
            self._bell.close()

    def _wake(self) -> None:
        with self._lock:
            waiting = list(self._waiting)
        for loop, event in waiting:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    def close(self) -> None:
        """Stops listening."""
        self._stop.set()
        if self._bell is not None:
            self._bell.wake()
        if self._thread is not None:
            self._thread.join(timeout=3 * POLL_SECONDS)
