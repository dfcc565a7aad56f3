"""Random bytes of the system, fetched in larger portions."""

from __future__ import annotations

import os
from collections import deque

AT_ONCE = 256


class Portions:
    """Hands out random bytes, always equally many; no two calls get the same ones, in any thread or forked process.

    Asking the system lets every other thread run first, so that an id here and a nonce there made a busy process spend
    a fifth of its time on changing threads.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._ready: deque[bytes] = deque()
        os.register_at_fork(after_in_child=self._ready.clear)

    def __call__(self) -> bytes:
        """The next ones."""
        try:
            return self._ready.popleft()
        except IndexError:
            size = self._size
            fetched = os.urandom(size * AT_ONCE)
            self._ready.extend(fetched[start : start + size] for start in range(size, len(fetched), size))
            return fetched[:size]
