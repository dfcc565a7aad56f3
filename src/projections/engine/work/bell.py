"""Wakes those who wait for new events or jobs, for a whole process with one connection."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import closing
from threading import Condition, Event, Thread

import psycopg

from ledger.errors import DatabaseAway
from ledger.follow.listening import Ear
from projections.engine.ground import Ground

log = logging.getLogger(__name__)
RETRY = 0.5
BREATH = 0.003
"""Seconds between two looks at what was announced: under load much is, and all of it says the same."""
POLL = 1.0
"""Seconds after which everybody looks by itself, since a notification may be lost with its connection."""


class Bell:
    """Counts how often something was announced on each channel, and lets threads wait for the next time."""

    def __init__(self, ground: Ground, channels: Iterable[str] = ("events", "jobs")) -> None:
        self._ground = ground
        self._names = {f"{ground.schema}_{channel}": channel for channel in channels}
        self._rung = dict.fromkeys(self._names.values(), 0)
        self._condition = Condition()
        self._stop = Event()
        self._ear: Ear | None = None
        self._thread = Thread(target=self._run, name="bell", daemon=True)

    def __enter__(self) -> Bell:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self.ring()
        if self._ear is not None:
            self._ear.wake()
        self._thread.join()

    def count(self, *channels: str) -> int:
        """How often these were rung so far; to be read before looking, and given to `wait` after."""
        return sum(self._rung[channel] for channel in channels)

    def wait(self, seen: int, *channels: str, timeout: float = POLL) -> None:
        """Wait until one of these is rung once more than was seen, or the time is up."""
        with self._condition:
            self._condition.wait_for(lambda: self.count(*channels) != seen, timeout)

    def ring(self, channel: str | None = None) -> None:
        """Wake whoever waits for a channel, or everybody."""
        with self._condition:
            for each in [channel] if channel else self._rung:
                self._rung[each] += 1
            self._condition.notify_all()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with closing(Ear(self._ground.connect(), self._names)) as ear:
                    self._ear = ear
                    self._listen(ear)
            except (psycopg.Error, DatabaseAway) as error:
                if not self._stop.is_set():
                    log.warning("not listening to the ledger for a moment: %s", error)
                self._stop.wait(RETRY)

    def _listen(self, ear: Ear) -> None:
        self.ring()
        while not self._stop.is_set():
            for name in {each.channel for each in ear.heard(POLL)}:
                self.ring(self._names[name])
            self._stop.wait(BREATH)
