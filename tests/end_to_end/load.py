"""Clients that keep writing, whatever happens to the service, and remember what they were promised."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self
from uuid import uuid4

import httpx

PAUSE = 0.02
"""Seconds between two customers of a client: enough is in flight at any moment, and the store stays small."""
GIVING_UP = 90.0


class Load:
    """Some clients, each registering one customer after another; a request without an answer is sent again.

    They write as long as its block lasts, which may be entered again.
    """

    def __init__(self, url: str, token: str, clients: int = 4) -> None:
        self.promised: dict[str, str] = {}
        """The id that was answered for each name."""
        self.given_up: list[str] = []
        """Names for which nothing was answered in all the time that there was."""
        self.position = 0
        """The position of a customer that was answered last."""
        self.statuses: Counter[int] = Counter()
        self.unexpected: list[str] = []
        """Answers that were neither a promise nor a request to come again."""
        self._url = f"{url}/api/v1/customers"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._clients = clients
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._stop.clear()
        self._threads = [threading.Thread(target=self._write, name=f"client {each}") for each in range(self._clients)]
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

    def _write(self) -> None:
        with httpx.Client(timeout=20) as client:
            while not self._stop.is_set():
                self._register(client, f"Load {uuid4()}")
                self._stop.wait(PAUSE)

    def _register(self, client: httpx.Client, name: str) -> None:
        """One customer: the same request until it is answered."""
        headers = {**self._headers, "Idempotency-Key": str(uuid4())}
        deadline = time.monotonic() + GIVING_UP
        while time.monotonic() < deadline:
            if self._is_done(client, name, headers):
                return
            time.sleep(0.05)
        self.given_up.append(name)

    def _is_done(self, client: httpx.Client, name: str, headers: dict[str, str]) -> bool:
        try:
            answer = client.post(self._url, json={"name": name, "kind": "company"}, headers=headers)
        except httpx.TransportError:
            return False
        self.statuses[answer.status_code] += 1
        if answer.status_code != 201:
            self.unexpected += [answer.text] if answer.status_code != 503 else []
            return False
        self.promised[name] = answer.json()["id"]
        self.position = answer.json()["position"]
        return True
