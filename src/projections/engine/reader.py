"""Asking a read model: as it is, as soon as it has seen a position, or as it was at an earlier one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic, sleep
from uuid import UUID

from psycopg import sql

from ledger.database import Database
from policy import FULL, Sight
from projections.engine.build import jobs
from projections.engine.build.jobs import Job
from projections.engine.failures import BuildFailed, NotBuilt, StillBuilding
from projections.engine.ground import Connection
from projections.engine.model.declaration import Projection
from projections.engine.tables import builds, sights

LOOKS_APART = 0.005
"""Seconds between the first two looks at a position that is waited for; they get rarer."""
LONGEST_APART = 0.05
CATCHING_UP = 0.2
"""Seconds that a question about the newest position waits for the live one to get there."""


@dataclass(frozen=True)
class View:
    """A connection that sees one read model, unqualified, in one snapshot; `position` is what it has seen.

    `opened` are the customers whose contact details may be shown as they are, for what is not read from columns; None
    stands for all. Append-only tables also hold what came after `position`, when an earlier one was asked for: their
    queries leave that out by themselves.
    """

    connection: Connection
    position: int
    opened: frozenset[UUID] | None = None


class Reader:
    """Reads the live read models, and copies as of earlier positions.

    `database` is where it reads (a replica will do), `writer` where copies are ordered; the same one unless given.
    """

    def __init__(
        self,
        database: Database,
        projections: Iterable[type[Projection]] | None = None,
        *,
        writer: Database | None = None,
    ) -> None:
        if projections is None:
            from projections import ALL

            projections = ALL
        self._database = database
        self._writer = writer or database
        self._projections = {each.name: each for each in projections}

    @contextmanager
    def at(
        self,
        name: str,
        as_of_position: int | None = None,
        after: int | None = None,
        timeout: float = 5.0,
        sight: Sight = FULL,
    ) -> Iterator[View]:
        """The read model of that name: as of a position, or once it has seen one, waiting no longer than `timeout`.

        Who does not see everything finds in it what is within `sight`, by whose it is today. Raises NotBuilt when it is
        not that far in time, StillBuilding when a copy takes longer, BuildFailed.
        """
        projection = self._projections[name]
        until = monotonic() + timeout
        if as_of_position is None:
            with self._live(projection, after, until, sight) as view:
                yield view
        elif projection.is_append_only():
            with self._live(projection, as_of_position, until, sight) as view:
                yield View(view.connection, as_of_position, view.opened)
        else:
            with self._as_of(projection, as_of_position, after, until, sight) as view:
                yield view

    @contextmanager
    def _live(self, projection: type[Projection], wanted: int | None, until: float, sight: Sight) -> Iterator[View]:
        apart = LOOKS_APART
        while True:
            with self._database.connection() as connection:
                schema_name, position, erased_upto = self._enter_live(connection, projection)
                if schema_name is not None and position >= max(wanted or 0, erased_upto):
                    view = self._narrowed(View(connection, position), projection, schema_name, sight, wanted)
                    if view is not None:
                        yield view
                        return
            if monotonic() >= until:
                raise NotBuilt(projection.name, position if schema_name else None, wanted)
            sleep(apart)
            apart = min(LONGEST_APART, apart * 1.5)

    def _enter_live(self, connection: Connection, projection: type[Projection]) -> tuple[str | None, int, int]:
        """Begin one snapshot and look at the live schema in it; two statements, one round trip.

        Gives the position up to which persons were erased, too: an earlier state would still show them.
        """
        with connection.pipeline():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = connection.execute(
                "SELECT b.schema_name, b.position, m.erased_upto, "
                "set_config('search_path', quote_ident(b.schema_name) || ', public', true) "
                "FROM projections p JOIN projection_builds b ON b.schema_name = p.live "
                "JOIN meta m ON m.barred_epoch <= b.sealing_epoch WHERE p.projection = %s AND p.version = %s",
                [projection.name, projection.version],
                prepare=True,
            )
        row = found.fetchone()
        return (None, 0, 0) if row is None else (str(row[0]), int(row[1]), int(row[2]))

    def _narrowed(
        self, view: View, projection: type[Projection], schema_name: str, sight: Sight, wanted: int | None
    ) -> View | None:
        """The same, seeing only what is within sight; None while today's ownership is not known far enough."""
        if sight.is_full:
            return view
        owned = self._ownership(view.connection, wanted)
        if owned is None:
            return None
        opened = sights.look(view.connection, projection.name, sight, owned)
        view.connection.execute(
            "SELECT set_config('search_path', quote_ident(%s) || ', public', true)",
            [sights.schema_for(sight, schema_name)],
        )
        return replace(view, opened=opened)

    def seen(self, sight: Sight) -> sights.Seen:
        """Whose records are seen, and which with their contact details, for what is read from the ledger itself.

        Raises NotBuilt while that is not known.
        """
        if sight.is_full:
            return sights.Seen()
        with self._database.connection() as connection:
            owned = self._ownership(connection, None)
            if owned is None:
                raise NotBuilt(sights.OWNERSHIP[0], None, None)
            return sights.seen(connection, sight, owned)

    def _ownership(self, connection: Connection, wanted: int | None) -> sights.Ownership | None:
        """Where it stands whose everything is today; None while that is not known far enough."""
        known = {name: self._projections[name].version for name in sights.OWNERSHIP}
        found = connection.execute(
            sql.SQL(
                "SELECT p.projection, b.schema_name, b.position FROM {} p JOIN {} b ON b.schema_name = p.live "
                "WHERE (p.projection, p.version) IN (SELECT * FROM unnest(%s::text[], %s::integer[]))"
            ).format(
                sql.Identifier(self._database.schema, "projections"),
                sql.Identifier(self._database.schema, "projection_builds"),
            ),
            [list(known), list(known.values())],
        ).fetchall()
        if len(found) < len(known) or any(position < (wanted or 0) for _, _, position in found):
            return None
        return sights.Ownership({name: live for name, live, _ in found}, min(position for _, _, position in found))

    @contextmanager
    def _as_of(
        self, projection: type[Projection], position: int, after: int | None, until: float, sight: Sight
    ) -> Iterator[View]:
        job: Job | None = None
        newest_until = min(until, monotonic() + CATCHING_UP)
        apart = LOOKS_APART
        while True:
            with self._database.connection() as connection:
                schema_name = self._enter_as_of(connection, projection, position)
                if schema_name is not None:
                    view = self._narrowed(View(connection, position), projection, schema_name, sight, after)
                    if view is not None:
                        yield view
                        return
            if not self._is_about_to_be(projection, position) or monotonic() >= newest_until:
                job = self._order(projection, position, job)
                if monotonic() >= until:
                    raise StillBuilding(projection.name, job.job_id)
            sleep(apart)
            apart = min(LONGEST_APART, apart * 1.5)

    def _enter_as_of(self, connection: Connection, projection: type[Projection], position: int) -> str | None:
        """Look at the copy, or at the live one if it happens to stand exactly there; gives its schema.

        A copy that was begun before somebody was erased is not looked at, nor a live one that does not know it yet.
        """
        with connection.pipeline():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            found = connection.execute(
                "SELECT b.schema_name, b.as_of, b.used_at < now() - interval '1 minute', "
                "set_config('search_path', quote_ident(b.schema_name) || ', public', true) "
                "FROM projection_builds b CROSS JOIN meta m "
                "WHERE b.projection = %(name)s AND b.version = %(version)s AND b.state = 'serving' "
                "AND (b.as_of = %(position)s AND b.sealing_epoch = m.sealing_epoch "
                "OR b.position = %(position)s AND b.position >= m.erased_upto AND b.sealing_epoch >= m.barred_epoch "
                "AND b.schema_name = "
                "(SELECT live FROM projections WHERE projection = %(name)s AND version = %(version)s)) LIMIT 1",
                {"name": projection.name, "version": projection.version, "position": position},
                prepare=True,
            )
        row = found.fetchone()
        if row is not None and row[1] is not None and row[2]:
            with self._writer.connection(autocommit=True) as writing:
                builds.touch(writing, row[0])
        return None if row is None else str(row[0])

    def _is_about_to_be(self, projection: type[Projection], position: int) -> bool:
        """Whether the live one has not got there yet, and may stand exactly there in a moment."""
        with self._database.connection(autocommit=True) as connection:
            live = builds.live_build(connection, projection)
        return live is not None and live.position < position

    def _order(self, projection: type[Projection], position: int, job: Job | None) -> Job:
        """Have the copy built, once, and see how that goes."""
        with self._writer.connection(autocommit=True) as connection:
            if job is None:
                return jobs.request(connection, "as-of", projection.name, projection.version, position)
            found = jobs.find(connection, job.job_id)
        if found is None or found.state == "cancelled":
            raise BuildFailed(projection.name, job.job_id, "cancelled")
        if found.state == "failed":
            raise BuildFailed(projection.name, job.job_id, found.error or "failed")
        return found
