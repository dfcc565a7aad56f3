"""What a service says when it is ready: where it is, and on the first start how to get in and what to try."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request

from crm.members import DEFAULT_DAYS, First
from crm.output import sentence

FIRST_CALLS = """
This is the first start, so there is one administrator: you. What follows is shown this once.

Your token, for programs and for curl (it ends after {days} days; `crm token create` makes another):

  {token}

What to try first, in another terminal:

  export TOKEN={token}
  curl {url}/api/v1/customers -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\
       -d '{{"name": "上海明远科技", "kind": "company"}}'
  curl {url}/api/v1/tracking -H "Authorization: Bearer $TOKEN"

To sign in with an e-mail address and a password as well (the code works once, within seven days):

  curl {url}/api/v1/setup -H "Content-Type: application/json" \\
       -d '{{"code": "{code}", "name": "...", "email": "...", "password": "..."}}'
"""


class Welcome:
    """Says it once, as soon as the service answers."""

    def __init__(self, url: str, first: First | None) -> None:
        self._url = url
        self._first = first
        self._thread: threading.Thread | None = None

    def once_ready(self) -> None:
        """Begin to look whether the service answers, the first time this is called."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._wait_and_say, name="welcome", daemon=True)
            self._thread.start()

    def _wait_and_say(self) -> None:
        while not self._is_ready():
            time.sleep(0.1)
        sentence(f"Genjin is ready at {self._url}; its API is described at {self._url}/api/v1/docs. Ctrl-C stops it.")
        if self._first:
            sentence(
                FIRST_CALLS.format(token=self._first.token, code=self._first.code, days=DEFAULT_DAYS, url=self._url)
            )

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/readyz", timeout=2) as answer:  # noqa: S310  our own address
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
