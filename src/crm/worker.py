"""The worker: keeps read models up to date, does the jobs asked for, and looks after the ledger's side tables."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Protocol

import structlog

from crm import erasing, imports
from crm.database.archive.failing import warn_of_failing
from crm.erasing import apply_erasures, apply_erasures_again
from ledger.ledger import Ledger
from ledger.upkeep import forget_idempotency_keys, take_snapshots
from projections import ALL
from projections.engine.ground import Ground
from projections.engine.work.working import Worker

log = structlog.get_logger(__name__)
SNAPSHOTS_APART = 10.0
FORGETTING_APART = 3600.0
ERASING_APART = 60.0
ARCHIVING_APART = 60.0


class Needs(erasing.Needs, Protocol):
    """What a worker works with; the services have it."""

    @property
    def ledger(self) -> Ledger:
        """What happened."""


def run(services: Needs, stop: Event, keep_checkpoints: Callable[[Event], None] | None = None) -> None:
    """Work until the stop is asked for; any number of workers may run on one workspace."""
    apply_erasures(services)
    beside = [
        Thread(target=_look_after_ledger, args=(services, stop), name="upkeep"),
        Thread(target=imports.watch, args=(services.database, services.keyring, stop), name="imports"),
    ]
    if keep_checkpoints is not None:
        beside.append(Thread(target=keep_checkpoints, args=(stop,), name="checkpoints"))
    for thread in beside:
        thread.start()
    try:
        Worker(Ground(services.database, services.keyring), ALL, stop).run()
    finally:
        stop.set()
        for thread in beside:
            thread.join()


def _look_after_ledger(services: Needs, stop: Event) -> None:
    """Snapshots of long aggregates, erasures, answers to repeated requests that are kept no longer, and the archive."""
    ledger, rounds = services.ledger, 0
    while not stop.is_set():
        try:
            take_snapshots(ledger)
            if rounds % int(FORGETTING_APART / SNAPSHOTS_APART) == 0:
                forget_idempotency_keys(ledger.database)
            if rounds % int(ERASING_APART / SNAPSHOTS_APART) == 0:
                apply_erasures_again(services)
            if rounds % int(ARCHIVING_APART / SNAPSHOTS_APART) == 0:
                ledger.database.read(warn_of_failing)
            rounds += 1
        except Exception:
            log.exception("the upkeep of the ledger is tried again")
        stop.wait(SNAPSHOTS_APART)
