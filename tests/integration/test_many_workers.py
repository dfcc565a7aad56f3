"""Two workers on one projection, round after round: whoever of them is at it, nothing is applied twice or left out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as Signal
from threading import Thread
from time import sleep

import pytest

from integration.bookkeeping import superuser
from integration.engine_help import applier_on, begin, wait_until, working
from integration.shops import Lines, Shops, Takings, Trade
from projections.engine.events import next_events
from projections.engine.failures import Overtaken
from projections.engine.ground import Connection, Ground
from projections.engine.live.applying import Applier
from projections.engine.model.declaration import Projection
from projections.engine.tables import builds
from projections.engine.verifying import verify

STEPS = 12
HESITATION = 0.004
"""Seconds at most between reading events and applying them, in which the other one may be faster."""
KEPT = (Shops, Takings, Lines)


@contextmanager
def running(ground: Ground, projection: type[Projection]) -> Iterator[list[Overtaken]]:
    """Somebody who keeps it up to date without asking whether anybody else does; how often others were faster."""
    overtaken: list[Overtaken] = []
    chance = random.Random()
    stop = Signal()

    def one_batch(applier: Applier, connection: Connection) -> None:
        events, position = next_events(connection, projection, applier.position)
        sleep(chance.random() * HESITATION)
        if position != applier.position:
            applier.apply(events, position)

    def keep_up() -> None:
        with ground.connection() as connection:
            applier = applier_on(ground, connection, projection)
            while not stop.is_set():
                try:
                    one_batch(applier, connection)
                except Overtaken as error:
                    overtaken.append(error)
                    applier = applier_on(ground, connection, projection)

    runner = Thread(target=keep_up)
    runner.start()
    try:
        yield overtaken
    finally:
        stop.set()
        runner.join()


MOST_ROUNDS = 200
"""Rounds more in which each has to have come too late once: how soon that happens is a matter of chance."""


@pytest.mark.parametrize("rounds", [5, pytest.param(150, marks=pytest.mark.torture)])
@pytest.mark.parametrize("projection", [Shops, Takings])
def test_two_who_know_nothing_of_each_other(
    ground: Ground, trade: Trade, projection: type[Projection], rounds: int
) -> None:
    begin(ground, projection)
    with running(ground, projection) as once, running(ground, projection) as again:
        for done in range(MOST_ROUNDS + rounds):
            up_to_date(ground, projection, trade.steps(STEPS))
            assert verify(ground, projection).differences == []
            if done >= rounds and once and again:
                break
    assert once
    assert again


@pytest.mark.parametrize("rounds", [3, pytest.param(200, marks=pytest.mark.torture)])
def test_the_leader_is_lost_at_random_moments(
    ground: Ground, trade: Trade, server: str, workspace: str, rounds: int
) -> None:
    chance = random.Random(rounds)
    lost = 0
    with working(ground, *KEPT), working(ground, *KEPT):
        for _ in range(rounds):
            writing = Thread(target=trade.steps, args=(STEPS,))
            writing.start()
            sleep(chance.random() * 0.3)
            lost += lose_the_leaders(server, workspace)
            writing.join()
            head = trade.ledger.head()
            for projection in KEPT:
                up_to_date(ground, projection, head)
                assert verify(ground, projection).differences == []
    assert lost >= rounds


def lose_the_leaders(server: str, workspace: str) -> int:
    """End the connections under which projections are led; gives how many there were."""
    with superuser(server, workspace) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN projections"
            " ON (classid::bigint << 32 | objid::bigint) = leader_lock WHERE locktype = 'advisory' AND granted"
        ).fetchall()
    return len(ended)


def up_to_date(ground: Ground, projection: type[Projection], head: int) -> None:
    """Wait until the live one has every event."""

    def reached() -> bool:
        with ground.database.connection() as connection:
            live = builds.live_build(connection, projection)
        return live is not None and live.position == head

    wait_until(reached)
