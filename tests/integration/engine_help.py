"""Steps that tests of the engine take often."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

from psycopg import sql

from projections.engine.build import jobs
from projections.engine.build.building import Builder
from projections.engine.build.jobs import Job, Kind, Progress
from projections.engine.ground import Connection, Ground
from projections.engine.live.applying import Applier
from projections.engine.live.switching import step
from projections.engine.model.declaration import Projection
from projections.engine.tables import builds
from projections.engine.tables.builds import Build
from projections.engine.work.housekeeping import Limits
from projections.engine.work.working import Worker


def begin(ground: Ground, projection: type[Projection]) -> Build:
    """Empty tables that are served."""
    return Builder(ground).serve_empty(projection)


def applier_on(ground: Ground, connection: Connection, projection: type[Projection]) -> Applier:
    """Somebody who keeps the live one up to date."""
    live = builds.live_build(connection, projection)
    assert live is not None
    return Applier(projection, live, connection, ground.keyring)


def catch_up(applier: Applier, connection: Connection, projection: type[Projection]) -> None:
    """Apply all there is."""
    while step(applier, connection, projection):
        pass


def rows_in(connection: Connection, schema_name: str, table: str) -> list[tuple[Any, ...]]:
    """All rows of a table, in a fixed order."""
    relation = sql.Identifier(schema_name, table)
    return sorted(connection.execute(sql.SQL("SELECT t::text FROM {} AS t").format(relation)).fetchall())


def everything_in(
    connection: Connection, build: Build, projection: type[Projection]
) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    return {table.name: rows_in(connection, build.schema_name, table.name) for table in projection.tables.values()}


def progress_of(connection: Connection, kind: Kind, projection: type[Projection], as_of: int | None = None) -> Progress:
    """The progress of a job that nobody else will take: it is running already."""
    job = jobs.request(connection, kind, projection.name, projection.version, as_of)
    connection.execute("UPDATE projection_jobs SET state = 'running' WHERE job_id = %s", [job.job_id])
    return Progress(connection, job, apart=0.0)


@contextmanager
def working(
    ground: Ground, *projections: type[Projection], limits: Limits | None = None, builder: Builder | None = None
) -> Iterator[Worker]:
    """A worker at work as long as the block lasts."""
    stop = Event()
    worker = Worker(ground, projections, stop, builder=builder or Builder(ground, processes=0), limits=limits)
    thread = Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        stop.set()
        thread.join()


def wait_until(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What the condition gives once it gives something."""
    until = monotonic() + seconds
    while not (found := condition()):
        assert monotonic() < until, "waited in vain"
        sleep(0.01)
    return found


def wait_for_job(ground: Ground, job: Job) -> Job:
    """The job once it is over."""

    def over() -> Job | None:
        with ground.database.connection() as connection:
            found = jobs.find(connection, job.job_id)
        return found if found is not None and found.is_over else None

    found = wait_until(over)
    assert isinstance(found, Job)
    return found
