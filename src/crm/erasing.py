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
from ledger.erasing.key_copy import KeyCopy
from ledger.erasing.register import Register, Unreadable
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

    @property
    def key_copy(self) -> KeyCopy:
        """The keys, outside the database."""


@dataclass(frozen=True)
class Tools:
    """What it takes, and nothing else."""

    database: Database
    keyring: Keyring
    erasures: Register
    key_copy: KeyCopy


@contextmanager
def tools(store: Store) -> Iterator[Tools]:
    """For a process that does nothing else with the store: to read all that the services are made of takes longer."""
    settings = store.settings
    with Database(store.conninfo, settings.schema, role=APP, max_size=2) as database:
        keyring = Keyring(database, store.master_key, former_key=settings.former_key)
        key_copy = KeyCopy(settings.backups.key_copy(settings.schema))
        yield Tools(database, keyring, Register(settings.erasures), key_copy)


def apply_erasures_again(services: Needs) -> None:
    """The same while the service runs; what fails is told, and tried the next time."""
    try:
        apply_erasures(services)
    except (Unreadable, OSError) as failed:
        log.error("erasures could not be applied and will be tried again", reason=str(failed))
    except Exception:
        log.exception("erasures could not be applied and will be tried again")


def apply_erasures(services: Needs) -> None:
    """Erase once more whoever came back with older keys, and complete the register. Raises Unreadable, OSError."""
    applied = apply(services.database, services.keyring, services.erasures)
    forgotten = services.key_copy.forget(services.erasures.subjects())
    if applied.destroyed:
        log.warning("keys of persons who were erased were there again and are destroyed", keys=len(applied.destroyed))
    if forgotten:
        log.info("keys of persons who were erased are taken out of the key copy", keys=forgotten)
    if applied.registered:
        log.info("erasures were put down in the register", erasures=applied.registered)
