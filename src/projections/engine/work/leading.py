"""Keeping one projection up to date, by whichever worker leads it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event
from time import monotonic

import psycopg

from ledger.errors import DatabaseAway
from projections.engine.build import jobs
from projections.engine.build.building import Builder
from projections.engine.events import BATCH, head_of
from projections.engine.failures import Overtaken, Undigested
from projections.engine.ground import Connection, Ground
from projections.engine.live.applying import Applier
from projections.engine.live.switching import leader_lock, step, switch_to
from projections.engine.locks import try_lock
from projections.engine.model.declaration import Projection
from projections.engine.tables import builds
from projections.engine.work.bell import Bell

log = logging.getLogger(__name__)
TAKE_OVER = 1.0
"""Seconds between two attempts to become the leader."""
LOOK_ROUND = 1.0
"""Seconds between two looks at what else there is to do: a build to switch to, another live one."""
FEW = 2_000
"""Events that are folded at once where there is nothing yet; more of them are left to a job."""
BREATH, BREATH_OF_EVENT, LONGEST_BREATH = 0.004, 0.002, 0.05
"""Seconds between two batches: at least, for each event of the last one, and at most. The more happens, the more events
share a batch, and cost each of them less; where little happens, it is seen at once, and after a full batch there is
more to fold already."""


class Leader:
    """One projection in one worker: waits to lead it, leads it, and starts over when the database was away."""

    def __init__(self, ground: Ground, projection: type[Projection], bell: Bell, stop: Event, worker: str) -> None:
        self._ground = ground
        self._projection = projection
        self._bell = bell
        self._stop = stop
        self._worker = worker
        self._applier: Applier | None = None
        self._failed: Undigested | None = None
        self._looked = 0.0
        self._jobs_heard = 0

    def run(self) -> None:
        """Until the stop is asked for."""
        while not self._stop.is_set():
            try:
                with self._ground.connection() as connection:
                    self._run(connection)
            except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseAway) as error:
                log.warning("%s is not being kept up to date for a moment: %s", self._projection.name, error)
                self._stop.wait(TAKE_OVER)
            except Exception:
                log.exception("%s is not being kept up to date; trying again", self._projection.name)
                self._stop.wait(TAKE_OVER)

    def _run(self, connection: Connection) -> None:
        while not self._stop.is_set():
            if try_lock(connection, leader_lock(self._ground.schema, self._projection)):
                self._lead(connection)
                return
            self._stop.wait(TAKE_OVER)

    def _lead(self, connection: Connection) -> None:
        """Fold batch after batch; the lock is gone when the connection is."""
        self._applier = self._failed = None
        self._looked = 0.0
        self._sign(connection)
        while not self._stop.is_set():
            seen, stood = self._bell.count("events", "jobs"), self._position
            if not self._work(connection):
                self._bell.wait(seen, "events", "jobs", timeout=LOOK_ROUND)
            came = self._position - stood
            if came < BATCH:
                self._stop.wait(min(max(BREATH, came * BREATH_OF_EVENT), LONGEST_BREATH))

    @property
    def _position(self) -> int:
        return 0 if self._applier is None else self._applier.position

    def _work(self, connection: Connection) -> bool:
        """One batch, or one look round; False when there was nothing to do."""
        jobs_heard = self._bell.count("jobs")
        if self._applier is None or jobs_heard != self._jobs_heard or monotonic() - self._looked >= LOOK_ROUND:
            self._look_round(connection)
            self._looked, self._jobs_heard = monotonic(), jobs_heard
        if self._applier is None or self._failed is not None:
            return False
        try:
            return step(self._applier, connection, self._projection)
        except Undigested as failure:
            self._stop_loudly(connection, failure)
            return False
        except Overtaken:
            self._applier = None
            return True

    def _look_round(self, connection: Connection) -> None:
        """See whether there is another build to switch to, or to go on with, or none at all."""
        ready = builds.ready_build(connection, self._projection)
        if ready is not None:
            self._guarded(connection, lambda: switch_to(self._ground, connection, self._projection, ready))
            return
        live = builds.live_build(connection, self._projection)
        if live is None:
            self._begin(connection)
        elif self._applier is None or self._applier.build.schema_name != live.schema_name:
            self._failed = None
            self._applier = Applier(self._projection, live, connection, self._ground.keyring)

    def _guarded(self, connection: Connection, switch: Callable[[], Applier]) -> None:
        """Switch; a build that cannot be brought up to date is given up, and the live one goes on."""
        try:
            self._applier = switch()
        except Overtaken:
            return
        except Undigested as failure:
            log.error("%s was rebuilt in vain: %s", self._projection.name, failure.told)
            ready = builds.ready_build(connection, self._projection)
            if ready is not None:
                builds.set_state(connection, ready, "retired")
        else:
            self._failed = None
            log.info("%s is served from %s", self._projection.name, self._applier.build.schema_name)

    def _begin(self, connection: Connection) -> None:
        """There is nothing yet: begin with empty tables when there is little to fold, else have it rebuilt."""
        self._applier = None
        if head_of(connection) > FEW:
            jobs.request(connection, "rebuild", self._projection.name, self._projection.version)
            return
        build = Builder(self._ground).serve_empty(self._projection)
        self._applier = Applier(self._projection, build, connection, self._ground.keyring)

    def _sign(self, connection: Connection) -> None:
        connection.execute(
            "INSERT INTO projections AS p (projection, version, leader, leader_lock, led_since) "
            "VALUES (%s, %s, %s, %s, now()) ON CONFLICT (projection, version) DO UPDATE SET "
            "leader = excluded.leader, leader_lock = excluded.leader_lock, led_since = excluded.led_since, "
            "failed_position = NULL, failed_topic = NULL, failed_aggregate = NULL, failed_error = NULL, "
            "failed_at = NULL",
            [
                self._projection.name,
                self._projection.version,
                self._worker,
                leader_lock(self._ground.schema, self._projection),
            ],
        )
        log.debug("leading %s", self._projection.name)

    def _stop_loudly(self, connection: Connection, failure: Undigested) -> None:
        self._failed = failure
        log.error("%s has stopped: %s", self._projection.name, failure.told)
        connection.execute(
            "UPDATE projections SET failed_position = %s, failed_topic = %s, failed_aggregate = %s, failed_error = %s, "
            "failed_at = now() WHERE projection = %s AND version = %s",
            [
                failure.position,
                failure.topic,
                failure.aggregate,
                failure.error,
                self._projection.name,
                self._projection.version,
            ],
        )
