"""Who uses a server: a lock that each user holds, and that the system lets go when a user dies in any way."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 0.2
"""Seconds to see whether a lock is held for good, or only for the blink in which the guardian looks at it."""


class Lease:
    """The right to find a server running; it ends with `release`, or with the process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: int | None = None

    def take(self) -> None:
        """Use the server from now on."""
        if self._held is None:
            self._held = _open(self._folder / "users.lock")
            fcntl.flock(self._held, fcntl.LOCK_SH)

    def release(self) -> None:
        """Use it no longer."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def is_unused(self) -> bool:
        """Nobody holds a lease on this server, ourselves included."""
        probe = _open(self._folder / "users.lock")
        try:
            deadline = time.monotonic() + PATIENCE
            while not _locked(probe):
                if time.monotonic() > deadline:
                    return False
                time.sleep(0.01)
            return True
        finally:
            os.close(probe)

    def wait_until_unused(self) -> None:
        """Sleep until the last user is gone."""
        probe = _open(self._folder / "users.lock")
        try:
            fcntl.flock(probe, fcntl.LOCK_EX)
        finally:
            os.close(probe)


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Start or stop the server alone: one process at a time is in here."""
    held = _open(folder / "turn.lock")
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
