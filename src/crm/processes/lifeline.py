"""A pipe from the process that looks after the others: when it closes, for whatever reason, the others end too."""

from __future__ import annotations

import os
import signal
import threading
import time

PATIENCE = 15.0
"""Seconds to finish what it is at; a process that nobody looks after any more must not stay for ever."""


def hold(descriptor: int) -> None:
    """Ask this process to stop as soon as the other end of the pipe is gone, and end it when it does not."""
    threading.Thread(target=_watch, args=[descriptor], name="lifeline", daemon=True).start()


def _watch(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os.kill(os.getpid(), signal.SIGKILL)
