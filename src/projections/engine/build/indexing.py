"""Keys and indexes, which are built once the rows are in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from psycopg import sql

from projections.engine.ground import Connection, Ground
from projections.engine.locks import lock_key
from projections.engine.model.declaration import Projection, Table
from projections.engine.tables import builds
from projections.engine.tables.builds import Build

T = TypeVar("T")


def add_keys(ground: Ground, projection: type[Projection], build: Build) -> None:
    """Build the primary keys, two tables at a time."""
    statements = builds.statements_of(projection, build.schema_name)

    def add(table: Table[Any], connection: Connection) -> None:
        add_key_once(connection, build.schema_name, table, statements[table.name].add_key())

    _two_at_a_time(ground, [partial(add, table) for table in projection.tables.values()])


def add_indexes(ground: Ground, projection: type[Projection], build: Build) -> None:
    """Build the indexes, two at a time, and let the planner know the rows."""

    def run(statement: bytes, connection: Connection) -> None:
        connection.execute(statement)

    every = list(builds.statements_of(projection, build.schema_name).values())
    _two_at_a_time(ground, [partial(run, each) for statements in every for each in statements.add_indexes()])
    _two_at_a_time(ground, [partial(run, statements.analyse) for statements in every])


def _two_at_a_time(ground: Ground, tasks: Iterable[Callable[[Connection], None]]) -> None:
    """Do all of them, on two connections that each take the next one as soon as they are free."""
    waiting = SimpleQueue[Callable[[Connection], None]]()
    for task in tasks:
        waiting.put(task)

    def work() -> None:
        with ground.connection() as connection:
            connection.execute("SELECT set_config('maintenance_work_mem', '128MB', false)")
            while (task := _next(waiting)) is not None:
                task(connection)

    with ThreadPoolExecutor(max_workers=2) as pool:
        for future in [pool.submit(work) for _ in range(2)]:
            future.result()


def _next(waiting: SimpleQueue[T]) -> T | None:
    try:
        return waiting.get_nowait()
    except Empty:
        return None


def add_key_once(connection: Connection, schema_name: str, table: Table[Any], statement: bytes) -> None:
    """Build the primary key unless it is there; several processes may ask for it at once."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [lock_key(schema_name, table.name, "key")])
        relation = sql.Identifier(schema_name, table.name).as_string(None)
        found = connection.execute(
            "SELECT FROM pg_index WHERE indrelid = %s::regclass AND indisprimary", [relation]
        ).fetchone()
        if found is None:
            connection.execute(statement)
