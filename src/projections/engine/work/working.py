"""A worker: leads projections, does the jobs that were asked for, and keeps house, each in a thread of its own."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable
from threading import Event, Thread

import psycopg

from ledger.errors import DatabaseAway
from projections.engine.build import jobs
from projections.engine.build.building import Builder, RebuildRunning
from projections.engine.build.jobs import Job, Kind, Progress
from projections.engine.build.parts import PartFailed
from projections.engine.failures import Cancelled, Stopping, Undigested
from projections.engine.ground import Connection, Ground
from projections.engine.live.applying import is_passing
from projections.engine.model.declaration import Projection
from projections.engine.work import housekeeping
from projections.engine.work.bell import Bell
from projections.engine.work.leading import Leader

log = logging.getLogger(__name__)
LOOK_ROUND = 2.0
"""Seconds between two looks for jobs that nobody announced, or that broke off."""


class Worker:
    """Everything a worker process does for read models, until the stop is asked for."""

    def __init__(
        self,
        ground: Ground,
        projections: Iterable[type[Projection]],
        stop: Event,
        *,
        builder: Builder | None = None,
        name: str | None = None,
        limits: housekeeping.Limits | None = None,
    ) -> None:
        self._ground = ground
        self._projections = {each.name: each for each in projections}
        self._stop = stop
        self._builder = builder or Builder(ground)
        self._name = name or f"{socket.gethostname()}:{os.getpid()}"
        self._limits = limits or housekeeping.Limits()

    def run(self) -> None:
        """Work; returns when everything has stopped."""
        with Bell(self._ground) as bell:
            threads = [Thread(target=task, name=name) for name, task in self._tasks(bell)]
            for thread in threads:
                thread.start()
            self._stop.wait()
            bell.ring()
            for thread in threads:
                thread.join()

    def _tasks(self, bell: Bell) -> Iterable[tuple[str, Callable[[], None]]]:
        for each in self._projections.values():
            yield f"lead {each.name}", Leader(self._ground, each, bell, self._stop, self._name).run
        yield "rebuilds", lambda: self._again(lambda: self._do_jobs(bell, "rebuild"))
        yield "copies", lambda: self._again(lambda: self._do_jobs(bell, "as-of"))
        yield "housekeeping", lambda: self._again(self._keep_house)

    def _again(self, task: Callable[[], None]) -> None:
        """Do it until the stop is asked for, and start over when the database was away."""
        while not self._stop.is_set():
            try:
                task()
            except (psycopg.OperationalError, psycopg.InterfaceError, DatabaseAway) as error:
                log.warning("not working for a moment: %s", error)
                self._stop.wait(1.0)
            except Exception:
                log.exception("starting over")
                self._stop.wait(1.0)

    def _keep_house(self) -> None:
        with self._ground.connection() as connection:
            while not self._stop.is_set():
                housekeeping.keep_house(connection, self._ground.schema, self._projections.values(), self._limits)
                self._stop.wait(self._limits.seconds_apart)

    def _do_jobs(self, bell: Bell, kind: Kind) -> None:
        versions = [(each.name, each.version) for each in self._projections.values()]
        with self._ground.connection() as connection:
            while not self._stop.is_set():
                seen = bell.count("jobs")
                with jobs.taken(connection, self._name, kind, versions) as job:
                    if job is not None:
                        self.do(connection, job)
                if job is None:
                    bell.wait(seen, "jobs", timeout=LOOK_ROUND)

    def do(self, connection: Connection, job: Job) -> None:
        """Do one job and say how it ended."""
        progress = Progress(connection, job, self._stop)
        try:
            if job.kind == "rebuild":
                self._builder.rebuild(self._projections[job.projection], progress)
            else:
                assert job.as_of is not None
                self._builder.copy_as_of(self._projections[job.projection], job.as_of, progress)
        except Cancelled:
            jobs.finish(connection, job, "cancelled")
        except Stopping:
            jobs.put_back(connection, job)
        except RebuildRunning:
            jobs.put_back(connection, job)
            self._stop.wait(1.0)
        except Undigested as failure:
            log.error("%s of %s failed: %s", job.kind, job.projection, failure.told)
            jobs.finish(connection, job, "failed", str(failure))
        except Exception as error:
            self._after_breaking_off(connection, job, error)
        else:
            jobs.finish(connection, job, "done")

    def _after_breaking_off(self, connection: Connection, job: Job, error: Exception) -> None:
        """What may pass is tried again, a few times; all else has failed."""
        log.exception("%s of %s broke off", job.kind, job.projection)
        if connection.closed:
            return
        if (is_passing(error) or isinstance(error, PartFailed)) and job.attempts < jobs.MOST_ATTEMPTS:
            jobs.put_back(connection, job)
            self._stop.wait(1.0)
        else:
            jobs.finish(connection, job, "failed", f"{type(error).__name__}: {error}")
