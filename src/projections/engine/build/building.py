"""Building a read model from the ledger: anew beside the live one, or as a copy that stays at an earlier position."""

from __future__ import annotations

import os
from contextlib import suppress
from time import sleep

from projections.engine.build.indexing import add_indexes, add_keys
from projections.engine.build.jobs import Progress
from projections.engine.build.parts import Stretch, fill
from projections.engine.events import head_of
from projections.engine.failures import NotBuilt, Overtaken
from projections.engine.ground import Connection, Ground
from projections.engine.live.switching import catch_up, leader_lock, switch_to
from projections.engine.locks import lock_key, try_lock
from projections.engine.model.declaration import Projection
from projections.engine.tables import builds
from projections.engine.tables.builds import Build

PROCESSES = max(1, min(2, os.cpu_count() or 1))
WORTH_PROCESSES = 50_000
"""Events from which on starting processes pays: until they have started, so many are folded here."""
NEAR = 0.3
"""A copy is continued when no more than this share of its events is missing; otherwise starting anew is faster."""
PATIENCE = 0.1


class RebuildRunning(Exception):
    """The read model is being rebuilt already."""


class Builder:
    """Builds read models on a ground, with that many processes (0: in this one; unsaid: as many as it is worth)."""

    def __init__(self, ground: Ground, *, processes: int | None = None, rows_in_memory: int | None = None) -> None:
        self._ground = ground
        self._processes = processes
        self._rows_in_memory = rows_in_memory

    def rebuild(self, projection: type[Projection], progress: Progress) -> Build:
        """Build it anew beside the live one, catch up, and let it take the live one's place.

        Raises RebuildRunning when another rebuild of it is at work; a failed or cancelled one leaves nothing behind.
        """
        with self._ground.connection() as connection:
            if not try_lock(connection, lock_key(self._ground.schema, "rebuild", projection.name, projection.version)):
                raise RebuildRunning(projection.name)
            self._clear_up(connection, projection)
            build = builds.begin_build(connection, self._ground.schema, projection)
            try:
                build = self._fill(connection, projection, build, head_of(connection), progress)
                progress.phase("catching up")
                build = catch_up(self._ground, connection, projection, build)
                build = builds.set_state(connection, build, "ready", build.position)
                connection.execute("SELECT pg_notify(current_schema() || '_jobs', 'ready')")
                progress.phase("taking over")
                self._hand_over(connection, projection, build, progress)
            except BaseException:
                with suppress(Exception):
                    builds.drop_build(connection, build.schema_name)
                raise
            return build

    def copy_as_of(self, projection: type[Projection], position: int, progress: Progress) -> Build:
        """Build a copy as of a position, from the nearest earlier copy if that is near enough."""
        with self._ground.connection() as connection:
            found = builds.copy_as_of(connection, projection, position)
            if found is not None:
                return found
            builds.retire_erased_copies(connection)
            self._clear_up_copies(connection, projection, position)
            build = builds.begin_build(connection, self._ground.schema, projection, position)
            try:
                base = builds.nearest_copy_before(connection, projection, position)
                if base is not None and position - base.position <= NEAR * position:
                    self._continue(connection, projection, build, base, progress)
                else:
                    self._fill(connection, projection, build, position, progress)
                self._measure(connection, build)
                return builds.set_state(connection, build, "serving", position)
            except BaseException:
                with suppress(Exception):
                    builds.drop_build(connection, build.schema_name)
                raise

    def serve_empty(self, projection: type[Projection]) -> Build:
        """Let queries ask empty tables, complete with keys and indexes; nobody sees them half made."""
        with self._ground.connection() as connection, connection.transaction():
            build = builds.begin_build(connection, self._ground.schema, projection)
            for statements in builds.statements_of(projection, build.schema_name).values():
                for statement in (statements.add_key(), *statements.add_indexes()):
                    connection.execute(statement)
            return builds.make_live(connection, build)

    def _fill(
        self, connection: Connection, projection: type[Projection], build: Build, upto: int, progress: Progress
    ) -> Build:
        progress.begin("folding", 0, upto, build.schema_name)
        stretch = Stretch(projection, build.schema_name, 0, upto, rows_in_memory=self._rows_in_memory)
        fill(self._ground, stretch, self._processes_for(upto), progress.reached)
        progress.phase("indexing")
        add_keys(self._ground, projection, build)
        add_indexes(self._ground, projection, build)
        return builds.set_state(connection, build, "building", upto)

    def _processes_for(self, events: int) -> int:
        if self._processes is not None:
            return self._processes
        return PROCESSES if events >= WORTH_PROCESSES else 0

    def _continue(
        self, connection: Connection, projection: type[Projection], build: Build, base: Build, progress: Progress
    ) -> None:
        assert build.as_of is not None
        progress.begin("folding", base.position, build.as_of, build.schema_name)
        builds.touch(connection, base.schema_name)
        with connection.transaction():
            for statements in builds.statements_of(projection, build.schema_name).values():
                connection.execute(statements.copy_from(base.schema_name))
        add_keys(self._ground, projection, build)
        stretch = Stretch(projection, build.schema_name, base.position, build.as_of, True, self._rows_in_memory)
        fill(self._ground, stretch, 0, progress.reached)
        progress.phase("indexing")
        add_indexes(self._ground, projection, build)

    def _hand_over(
        self, connection: Connection, projection: type[Projection], build: Build, progress: Progress
    ) -> None:
        """Whoever leads the projection makes the switch between two batches; if nobody does, it is made here."""
        while True:
            state = builds.state_of(connection, build.schema_name)
            if state == "serving":
                return
            if state != "ready":
                raise NotBuilt(projection.name, build.position, None)
            with self._ground.connection() as leading:
                if try_lock(leading, leader_lock(self._ground.schema, projection)):
                    with suppress(Overtaken):
                        switch_to(self._ground, leading, projection, build)
                        return
            progress.reached(build.position)
            sleep(PATIENCE)

    def _measure(self, connection: Connection, build: Build) -> None:
        connection.execute(
            "UPDATE projection_builds SET bytes = (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) "
            "FROM pg_class c WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r') WHERE schema_name = %s",
            [build.schema_name, build.schema_name],
        )

    def _clear_up(self, connection: Connection, projection: type[Projection]) -> None:
        """Remove what a rebuild that broke off has left; we hold the lock, so nobody works on it."""
        left = connection.execute(
            "SELECT schema_name FROM projection_builds WHERE projection = %s AND version = %s AND as_of IS NULL "
            "AND state IN ('building', 'ready')",
            [projection.name, projection.version],
        ).fetchall()
        for (name,) in left:
            builds.drop_build(connection, name)

    def _clear_up_copies(self, connection: Connection, projection: type[Projection], position: int) -> None:
        """Remove what a broken-off job for the same copy has left; that job is ours now."""
        left = connection.execute(
            "SELECT schema_name FROM projection_builds WHERE projection = %s AND version = %s AND as_of = %s "
            "AND state = 'building'",
            [projection.name, projection.version, position],
        ).fetchall()
        for (name,) in left:
            builds.drop_build(connection, name)
