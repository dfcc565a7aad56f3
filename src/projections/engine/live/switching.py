"""Bringing a build up to date, and letting it take the place of the live one."""

from __future__ import annotations

from projections.engine.events import head_of, next_events
from projections.engine.ground import Connection, Ground
from projections.engine.live.applying import Applier
from projections.engine.locks import lock_key
from projections.engine.model.declaration import Projection
from projections.engine.tables import builds
from projections.engine.tables.builds import Build

CLOSE = 200
"""Events that may be missing when a build is called ready; whoever makes the switch folds them."""


def leader_lock(schema: str, projection: type[Projection]) -> int:
    """Whoever holds this lock keeps the projection up to date."""
    return lock_key(schema, "leader", projection.name, projection.version)


def catch_up(
    ground: Ground, connection: Connection, projection: type[Projection], build: Build, *, close: int = CLOSE
) -> Build:
    """Fold what was written meanwhile, until only a few events are missing."""
    applier = Applier(projection, build, connection, ground.keyring)
    while head_of(connection) - applier.position > close:
        step(applier, connection, projection)
    return applier.build


def switch_to(ground: Ground, connection: Connection, projection: type[Projection], build: Build) -> Applier:
    """Bring a ready build at least as far as the live one, and let queries ask it from now on.

    Only for whoever leads the projection: nobody else moves the live one meanwhile, so no query ever goes back in time.
    """
    live = builds.live_build(connection, projection)
    applier = Applier(projection, build, connection, ground.keyring)
    while live is not None and applier.position < live.position and step(applier, connection, projection):
        pass
    builds.make_live(connection, applier.build)
    connection.execute("SELECT pg_notify(current_schema() || '_jobs', 'switched')")
    return applier


def step(applier: Applier, connection: Connection, projection: type[Projection]) -> bool:
    """Apply the next batch; False when there was nothing to do.

    Raises Undigested, and Overtaken when somebody else moves this build.
    """
    events, position = next_events(connection, projection, applier.position)
    if position == applier.position:
        return False
    applier.apply(events, position)
    return True
