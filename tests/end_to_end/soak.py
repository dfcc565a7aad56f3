"""A load as high as the service bears: several clients that write and read without a pause, and count what they were
promised."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

CUSTOMERS = 200
"""Customers that all conversations are held with, so that what a process keeps in memory does not grow with them."""
GIVING_UP = 90.0
"""Seconds after which a client gives up a request that is not answered."""
READS = (
    "/tracking?limit=50&sort=-last_followed_up_at",
    "/tracking?limit=50&sort=name&q=%E5%AE%A2%E6%88%B7",
    "/funnel",
    "/events?limit=50&after=0",
)
READ_EVERY = 10
"""One read after so many writes."""


class Soak:
    """Clients that log follow-ups and read lists for as long as its block lasts."""

    def __init__(self, port: int, token: str, clients: int = 8) -> None:
        self.written: dict[int, tuple[str, int]] = {}
        """What was promised: by position, the customer and its version."""
        self.given_up = 0
        self.statuses: Counter[int] = Counter()
        self.unexpected: list[str] = []
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._clients = clients
        self._customers: list[str] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        with closing(Client(self._port, self._headers)) as client:
            for number in range(CUSTOMERS):
                self._customers.append(self._done(client, "/customers", {"name": f"客户{number}", "kind": "company"}))
        self._threads = [threading.Thread(target=self._talk, args=[number]) for number in range(self._clients)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let every client get the answer that it still waits for."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _talk(self, number: int) -> None:
        chance = random.Random(number)
        with closing(Client(self._port, self._headers)) as client:
            while not self._stop.is_set():
                for _ in range(READ_EVERY):
                    where = f"/customers/{chance.choice(self._customers)}/follow-ups"
                    self._done(client, where, {"method": "phone", "content": "x" * 180})
                self._read(client, chance.choice(READS))

    def _done(self, client: Client, path: str, body: dict[str, str]) -> str:
        """The same request until it is answered; the id that it answers."""
        key, deadline = str(uuid4()), time.monotonic() + GIVING_UP
        while time.monotonic() < deadline:
            answer = client.ask("POST", path, body, key)
            if answer is not None and answer[0] == 201:
                written = answer[1]
                with self._lock:
                    self.statuses[201] += 1
                    self.written[written["position"]] = (written["id"], written["version"])
                return str(written["id"])
            self._note(answer)
            time.sleep(0.05)
        self.given_up += 1
        return ""

    def _read(self, client: Client, path: str) -> None:
        answer = client.ask("GET", path)
        if answer is not None and answer[0] != 200:
            self._note(answer)

    def _note(self, answer: tuple[int, Any] | None) -> None:
        """Only a connection that is gone, and 503, may stand between a request and its answer."""
        if answer is None:
            return
        with self._lock:
            self.statuses[answer[0]] += 1
            if answer[0] != 503:
                self.unexpected.append(str(answer))


class Client:
    """One kept connection, made anew when it breaks."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._port = port
        self._headers = headers
        self._connection: HTTPConnection | None = None

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any] | None:
        """Status and body; None where the connection broke."""
        headers = self._headers if key is None else {**self._headers, "Idempotency-Key": key}
        try:
            if self._connection is None:
                self._connection = HTTPConnection("127.0.0.1", self._port, timeout=20)
            sent = None if body is None else json.dumps(body)
            self._connection.request(method, f"/api/v1{path}", sent, headers)
            answer = self._connection.getresponse()
            told = answer.read()
            if answer.will_close:
                self.close()
            return answer.status, json.loads(told)
        except (OSError, HTTPException, ValueError):
            self.close()
            return None

    def close(self) -> None:
        """Close the connection; the next request makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
