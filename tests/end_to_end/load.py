"""Clients that keep writing, whatever happens to the service, and remember what they were promised."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self
from uuid import uuid4

import httpx


class Load:
    """Some clients, each registering one customer after another; a request without an answer is sent again."""

    def __init__(self, url: str, token: str, clients: int = 4) -> None:
        self.promised: dict[str, str] = {}
        """The id that was answered for each name."""
        self.statuses: Counter[int] = Counter()
        self._url = f"{url}/api/v1/customers"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, name=f"client {each}") for each in range(clients)]

    def __enter__(self) -> Self:
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
        while not self._stop.is_set():
            name = f"Load {uuid4()}"
            headers = {**self._headers, "Idempotency-Key": str(uuid4())}
            deadline = time.monotonic() + 90
            while name not in self.promised and time.monotonic() < deadline:
                self._try(name, headers)

    def _try(self, name: str, headers: dict[str, str]) -> None:
        try:
            answer = httpx.post(self._url, json={"name": name, "kind": "company"}, headers=headers, timeout=20)
        except httpx.TransportError:
            time.sleep(0.05)
            return
        self.statuses[answer.status_code] += 1
        if answer.status_code == 201:
            self.promised[name] = answer.json()["id"]
        else:
            time.sleep(0.05)
