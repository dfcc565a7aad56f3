"""Waiting for what takes as long as the machine is slow: given up only where nothing moves any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable

STILL_SECONDS = 180.0
"""How long nothing may move before a wait is given up; a machine four times slower moves all the same."""


class NoProgress(Exception):
    """What was waited for has not come, and nothing moves that would lead to it."""


def wait_until(
    is_there: Callable[[], bool],
    progress: Callable[[], Hashable],
    what: str,
    *,
    apart: float = 0.05,
    looks_apart: float = 1.0,
    still: float = STILL_SECONDS,
) -> None:
    """Wait for as long as `progress` changes; raises NoProgress when it has stood still for `still` seconds.

    `is_there` is asked every `apart` seconds, `progress`, which may cost more, every `looks_apart`.
    """
    seen: Hashable = None
    looked_at, moved_at = 0.0, time.monotonic()
    while not is_there():
        now = time.monotonic()
        if now - looked_at >= looks_apart:
            looked_at = now
            if (found := progress()) != seen:
                seen, moved_at = found, now
            elif now - moved_at > still:
                raise NoProgress(f"{what}: nothing has moved for {still:.0f} s, the last was {seen!r}")
        time.sleep(apart)
