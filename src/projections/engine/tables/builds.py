"""Built read models: each is a schema of its own, with its tables and its position."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, LiteralString

from psycopg import errors, sql
from psycopg.rows import class_row

from projections.engine.failures import Overtaken
from projections.engine.ground import Connection
from projections.engine.model.declaration import Projection
from projections.engine.tables import sights
from projections.engine.tables.statements import Statements

READER = "genjin_reader"
LONGEST_NAME = 63
_SELECT: LiteralString = """
    SELECT b.schema_name, b.projection, b.version, b.as_of, b.state, b.position FROM projection_builds b
"""


@dataclass(frozen=True)
class Build:
    """One built read model; `as_of` is set on a copy that stays at that position."""

    schema_name: str
    projection: str
    version: int
    as_of: int | None
    state: str
    position: int

    def at(self, position: int) -> Build:
        """The same one, brought further."""
        return replace(self, position=position)


def statements_of(projection: type[Projection], schema_name: str) -> dict[str, Statements]:
    """The SQL of each table, by its name."""
    return {table.name: Statements(schema_name, table) for table in projection.tables.values()}


def begin_build(
    connection: Connection, workspace: str, projection: type[Projection], as_of: int | None = None
) -> Build:
    """Make a schema with empty tables, without keys and indexes."""
    name = schema_name(workspace, projection)
    with connection.transaction():
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        for statements in statements_of(projection, name).values():
            connection.execute(statements.create())
        sights.create_views(connection, projection, name)
        if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [READER]).fetchone() is not None:
            _let_read(connection, name)
        build = connection.cursor(row_factory=class_row(Build)).execute(
            "INSERT INTO projection_builds (schema_name, projection, version, as_of, state, sealing_epoch) "
            "SELECT %s, %s, %s, %s, 'building', sealing_epoch FROM meta "
            "RETURNING schema_name, projection, version, as_of, state, position",
            [name, projection.name, projection.version, as_of],
        )
        found = build.fetchone()
    assert found is not None
    return found


def schema_name(workspace: str, projection: type[Projection]) -> str:
    """A name that no other build has."""
    name = f"{workspace}_{projection.name}_v{projection.version}_{secrets.token_hex(4)}"
    if len(name) + sights.LONGEST_SUFFIX > LONGEST_NAME:
        raise ValueError(f"the schema name {workspace} is too long for the read model {projection.name}")
    return name


def _let_read(connection: Connection, name: str) -> None:
    reader = sql.Identifier(READER)
    for each in (name, *sights.view_schemas(name)):
        schema = sql.Identifier(each)
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, reader))
        connection.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(schema, reader))


def live_build(connection: Connection, projection: type[Projection]) -> Build | None:
    """The one that is asked and kept up to date."""
    return _one(
        connection,
        _SELECT + "JOIN projections p ON b.schema_name = p.live WHERE p.projection = %s AND p.version = %s",
        [projection.name, projection.version],
    )


def ready_build(connection: Connection, projection: type[Projection]) -> Build | None:
    """One that is complete and waits to take the place of the live one."""
    return _one(
        connection,
        _SELECT
        + "WHERE projection = %s AND version = %s AND as_of IS NULL AND state = 'ready' ORDER BY made_at LIMIT 1",
        [projection.name, projection.version],
    )


def copy_as_of(connection: Connection, projection: type[Projection], position: int) -> Build | None:
    """The copy as of exactly that position, nothing erased since it was made."""
    return _one(
        connection,
        _SELECT + "JOIN meta m ON m.sealing_epoch = b.sealing_epoch "
        "WHERE projection = %s AND version = %s AND as_of = %s AND state = 'serving'",
        [projection.name, projection.version, position],
    )


def retire_erased_copies(connection: Connection) -> None:
    """Copies in which somebody may stand who was erased since they were begun."""
    connection.execute(
        "UPDATE projection_builds b SET state = 'retired', retired_at = now() FROM meta m "
        "WHERE b.as_of IS NOT NULL AND b.state = 'serving' AND b.sealing_epoch < m.sealing_epoch"
    )


def nearest_copy_before(connection: Connection, projection: type[Projection], position: int) -> Build | None:
    """The latest copy as of an earlier position, nothing erased since it was made."""
    return _one(
        connection,
        _SELECT + "JOIN meta m ON m.sealing_epoch = b.sealing_epoch "
        "WHERE projection = %s AND version = %s AND as_of < %s AND state = 'serving' ORDER BY as_of DESC LIMIT 1",
        [projection.name, projection.version, position],
    )


def _one(connection: Connection, query: LiteralString, parameters: list[Any]) -> Build | None:
    with connection.cursor(row_factory=class_row(Build)) as cursor:
        return cursor.execute(query, parameters).fetchone()


def state_of(connection: Connection, schema_name: str, *, held: bool = False) -> str | None:
    """How far a build is; None when it is gone. What is held, nobody else changes until the transaction ends."""
    query: LiteralString = "SELECT state FROM projection_builds WHERE schema_name = %s"
    row = connection.execute(query + " FOR UPDATE" if held else query, [schema_name]).fetchone()
    return None if row is None else str(row[0])


def touch(connection: Connection, schema_name: str) -> None:
    """Note that a copy was used, to the minute: the least recently used one goes first when space is short."""
    connection.execute(
        "UPDATE projection_builds SET used_at = now() WHERE schema_name = %s AND used_at < now() - interval '1 minute'",
        [schema_name],
        prepare=True,
    )


def set_state(connection: Connection, build: Build, state: str, position: int | None = None) -> Build:
    """Say how far a build has come."""
    connection.execute(
        "UPDATE projection_builds SET state = %s, position = coalesce(%s, position), "
        "retired_at = CASE WHEN %s = 'retired' THEN now() END WHERE schema_name = %s",
        [state, position, state, build.schema_name],
    )
    return replace(build, state=state, position=build.position if position is None else position)


def make_live(connection: Connection, build: Build) -> Build:
    """Let queries ask this one from now on, and retire the one that was asked so far.

    Raises Overtaken when it is gone: somebody took it for the remains of a rebuild that broke off.
    """
    with connection.transaction():
        if state_of(connection, build.schema_name, held=True) is None:
            raise Overtaken(build.schema_name)
        connection.execute(
            "INSERT INTO projections (projection, version) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [build.projection, build.version],
        )
        connection.execute(
            "UPDATE projection_builds b SET state = 'retired', retired_at = now() FROM projections p "
            "WHERE p.projection = %s AND p.version = %s AND b.schema_name = p.live AND p.live <> %s",
            [build.projection, build.version, build.schema_name],
        )
        connection.execute(
            "UPDATE projections SET live = %s, failed_position = NULL, failed_topic = NULL, failed_aggregate = NULL, "
            "failed_error = NULL, failed_at = NULL WHERE projection = %s AND version = %s",
            [build.schema_name, build.projection, build.version],
        )
        return set_state(connection, build, "serving")


def drop_build(connection: Connection, schema_name: str) -> bool:
    """Remove a build and its schema; False when it is served, or still read and to be tried again later."""
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('lock_timeout', '500ms', true)")
            if state_of(connection, schema_name, held=True) == "serving":
                return False
            connection.execute("UPDATE projections SET live = NULL WHERE live = %s", [schema_name])
            connection.execute("DELETE FROM projection_builds WHERE schema_name = %s", [schema_name])
            for name in (*sights.view_schemas(schema_name), schema_name):
                connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(name)))
    except (errors.LockNotAvailable, errors.DeadlockDetected):
        return False
    return True


def drop_retired(connection: Connection, grace_seconds: float) -> list[str]:
    """Drop what was retired long enough ago that no reader can still be in it; names what was dropped."""
    found = connection.execute(
        "SELECT schema_name FROM projection_builds WHERE state = 'retired' "
        "AND retired_at < now() - make_interval(secs => %s)",
        [grace_seconds],
    ).fetchall()
    return _dropped(connection, (name for (name,) in found))


def _dropped(connection: Connection, names: Iterable[str]) -> list[str]:
    return [name for name in names if drop_build(connection, name)]
