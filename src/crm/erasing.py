"""Erasures made good at every start, before anything is answered: older keys may have come back with a backup."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog

from crm.database.roles import APP
from crm.store import Store
from ledger.database import Database
from ledger.erasing.applying import apply
from ledger.erasing.register import Register
from ledger.sealing import Keyring

log = structlog.get_logger(__name__)


class Needs(Protocol):
    """What it takes; the services have it."""

    @property
    def database(self) -> Database:
        """The workspace."""

    @property
    def keyring(self) -> Keyring:
        """The keys of data subjects."""

    @property
    def erasures(self) -> Register:
        """Whoever was erased."""


@dataclass(frozen=True)
class Tools:
    """What it takes, and nothing else."""

    database: Database
    keyring: Keyring
    erasures: Register


@contextmanager
def tools(store: Store) -> Iterator[Tools]:
    """For a process that does nothing else with the store: to read all that the services are made of takes longer."""
    schema = store.settings.schema
    with Database(store.conninfo, schema, role=APP, max_size=2) as database:
        keyring = Keyring(database, store.master_key, former_key=store.settings.former_key)
        yield Tools(database, keyring, Register(store.settings.erasure_dir / schema))


def apply_erasures(services: Needs) -> None:
    """Erase once more whoever came back with older keys, and complete the register; what fails is tried again."""
    try:
        applied = apply(services.database, services.keyring, services.erasures)
    except Exception:
        log.exception("erasures could not be applied and will be tried again")
        return
    if applied.destroyed:
        log.warning("keys of persons who were erased were there again and are destroyed", keys=len(applied.destroyed))
    if applied.registered:
        log.info("erasures were put down in the register", erasures=applied.registered)
