"""The composition root: every piece of the service, put together for one store."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg

from commands.base import Door
from crm import tokens
from crm.checkpoints import Checkpoints
from crm.database.roles import APP
from crm.store import Store
from crm.surroundings import Surroundings
from ledger.database import Database
from ledger.erasing.register import Register
from ledger.ledger import Ledger
from ledger.patience import Patience
from ledger.sealing import Keyring
from policy import Actor, Policy
from policy.accesses import Accesses
from policy.directory import Directory
from projections.engine.ground import Ground
from projections.engine.reader import Reader


class Tokens(Protocol):
    """Knows whose token it is."""

    def actor_of(self, token: str) -> Actor | None:
        """The member whose token this is; none when it is unknown or was revoked."""
        ...


class KeptTokens:
    """The tokens in the database."""

    def __init__(self, database: Database, directory: Directory) -> None:
        self._database = database
        self._directory = directory

    def actor_of(self, token: str) -> Actor | None:
        """The member whose token this is; none when it is unknown or was revoked, or the member may not act."""
        found = self._database.read(lambda connection: tokens.found(connection, token))
        person = None if found is None else self._directory.member(found.member_id)
        if found is None or person is None or not person.may_act:
            return None
        return Actor(f"member:{found.member_id}", found.member_id, found.name, "api", person.roles)


@dataclass(frozen=True)
class Services:
    """What the routes and the commands of the command line work with."""

    database: Database
    keyring: Keyring
    ledger: Ledger
    policy: Policy
    directory: Directory
    accesses: Accesses
    door: Door
    reader: Reader
    ground: Ground
    tokens: Tokens
    clock: Callable[[], datetime]
    cursor_secret: bytes
    schema_is_current: Callable[[], bool]
    checkpoints: Checkpoints
    erasures: Register


@contextmanager
def services(
    store: Store,
    *,
    connections: int = 12,
    patience: Patience | None = None,
    cursors: type[psycopg.Cursor[Any]] = psycopg.Cursor,
) -> Iterator[Services]:
    """The services over a store that is migrated; its connections are closed afterwards."""
    master_key, schema = store.master_key, store.settings.schema
    with Database(
        store.conninfo, schema, role=APP, max_size=connections, patience=patience, cursors=cursors
    ) as database:
        keyring = Keyring(database, master_key, former_key=store.settings.former_key)
        erasures = Register(store.settings.erasure_dir / schema)
        ledger = Ledger(database, keyring, erasures)
        directory = Directory(database)
        policy = Policy(directory)
        reader = Reader(database)
        try:
            yield Services(
                database=database,
                keyring=keyring,
                ledger=ledger,
                policy=policy,
                directory=directory,
                accesses=Accesses(database),
                door=Door(ledger, policy, _now, directory, Surroundings(ledger, reader, directory)),
                reader=reader,
                ground=Ground(database, keyring),
                tokens=KeptTokens(database, directory),
                clock=_now,
                cursor_secret=hmac.digest(master_key, b"genjin page cursors", "sha256"),
                schema_is_current=store.is_current,
                checkpoints=Checkpoints(store.settings),
                erasures=erasures,
            )
        finally:
            ledger.close()


def _now() -> datetime:
    return datetime.now(UTC)
