"""Token buckets: how much somebody may ask for at once, and how fast it fills up again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

MOST_KNOWN = 10_000
"""Whoever has not asked for longest is forgotten beyond so many, and begins with a full bucket again."""
MOST_WAITING = 200
"""Requests that may wait for a thread."""

K = TypeVar("K")


@dataclass(frozen=True)
class Allowance:
    """Requests a second that one may make for long, and how many at once; a rate of 0 is no limit."""

    rate: float
    burst: float


@dataclass(frozen=True)
class Limits:
    """What one token, one address, and one address without a valid token may ask; and how many requests may wait.

    The defaults are above what a process can answer to one client, so that nobody meets them but by a mistake in a
    loop: 2,000 requests a second are about what a process does. Without a token it is one a second.
    """

    token: Allowance = Allowance(2_000, 4_000)
    address: Allowance = Allowance(4_000, 8_000)
    unauthenticated: Allowance = Allowance(1, 100)
    most_waiting: int = MOST_WAITING


class Buckets(Generic[K]):
    """A bucket for each key; for one thread, since all of it happens in the event loop."""

    def __init__(self, allowance: Allowance) -> None:
        self._rate, self._burst = allowance.rate, max(1.0, allowance.burst)
        self._known: OrderedDict[K, tuple[float, float]] = OrderedDict()

    def take(self, key: K, now: float) -> float:
        """Take one; 0 where there was one, else the seconds until there is."""
        if not self._rate:
            return 0.0
        left = self._left(key, now)
        if left < 1.0:
            return (1.0 - left) / self._rate
        self._known[key] = (left - 1.0, now)
        self._known.move_to_end(key)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
        return 0.0

    def wait(self, key: K, now: float) -> float:
        """The seconds until there is one to take; 0 where there is."""
        left = self._left(key, now) if self._rate else 1.0
        return 0.0 if left >= 1.0 else (1.0 - left) / self._rate

    def _left(self, key: K, now: float) -> float:
        found = self._known.get(key)
        return self._burst if found is None else min(self._burst, found[0] + (now - found[1]) * self._rate)
