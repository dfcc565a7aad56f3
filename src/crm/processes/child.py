"""A process that is looked after: started, started again when it fails, and stopped."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

import structlog

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
HEALTHY_AFTER = 30.0
"""Seconds; a process that lived as long is started again without counting earlier failures."""

log = structlog.get_logger(__name__)


class Child:
    """One process of the service, run as `python -m module`."""

    def __init__(self, name: str, module: str, *arguments: str, descriptors: Sequence[int] = ()) -> None:
        self.name = name
        self._words = [sys.executable, "-m", module, *arguments]
        self._descriptors = tuple(descriptors)
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._failures = 0
        self._due_at = 0.0

    def keep_running(self) -> None:
        """Start it when it is due, and note when it has ended."""
        if self._process is not None and (status := self._process.poll()) is not None:
            self._ended(status)
        if self._process is None and time.monotonic() >= self._due_at:
            self._start()

    @property
    def due_in(self) -> float | None:
        """Seconds until it is to be started again; None while it runs."""
        return None if self._process is not None else max(0.0, self._due_at - time.monotonic())

    @property
    def is_running(self) -> bool:
        """It was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def ask_to_stop(self) -> None:
        """Let it finish what it is at."""
        if self._process is not None and self.is_running:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Wait for its end, and force it when that takes longer."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.warning("process did not stop in time and was killed", process=self.name)
            self._process.kill()
            self._process.wait()

    def _start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches it only through us, in the right order."""
        self._process = subprocess.Popen(
            self._words, stdin=subprocess.DEVNULL, pass_fds=self._descriptors, start_new_session=True
        )
        self._started_at = time.monotonic()
        log.debug("process started", process=self.name, pid=self._process.pid)

    def _ended(self, status: int) -> None:
        self._process = None
        lived = time.monotonic() - self._started_at
        self._failures = 1 if lived > HEALTHY_AFTER else self._failures + 1
        pause = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** (self._failures - 1))
        self._due_at = time.monotonic() + pause
        log.error("process ended and will be started again", process=self.name, status=status, pause=pause)
