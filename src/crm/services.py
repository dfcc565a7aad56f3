"""The composition root: every piece of the service, put together for one store."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import psycopg

from commands.base import Door
from crm.checkpoints import Checkpoints
from crm.database.roles import APP
from crm.doors import open_door
from crm.settings.signing_in import CALLBACK, SignInSettings
from crm.store import Store
from ledger.database import Database
from ledger.erasing.key_copy import KeyCopy
from ledger.erasing.register import Register
from ledger.ledger import Ledger
from ledger.patience import Patience
from ledger.sealing import Keyring
from policy import Actor, Policy
from policy.accesses import Accesses
from policy.directory import Directory
from policy.identity.chosen import Client, Lifetimes, SigningIn
from policy.identity.identity import Identity
from projections.engine.ground import Ground
from projections.engine.reader import Reader


class Tokens(Protocol):
    """Knows whose token it is."""

    def actor_of(self, token: str) -> Actor | None:
        """The member whose token this is; none when it is unknown or was revoked."""
        ...


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
    identity: Identity
    clock: Callable[[], datetime]
    cursor_secret: bytes
    schema_is_current: Callable[[], bool]
    checkpoints: Checkpoints
    erasures: Register
    key_copy: KeyCopy


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
        erasures = Register(store.settings.erasures)
        ledger = Ledger(database, keyring, erasures)
        directory = Directory(database)
        policy = Policy(directory)
        reader = Reader(database)
        signing_in = _signing_in(store.settings.sign_in)
        identity = Identity(database, ledger, master_key, directory, signing_in)
        try:
            yield Services(
                database=database,
                keyring=keyring,
                ledger=ledger,
                policy=policy,
                directory=directory,
                accesses=Accesses(database),
                door=open_door(ledger, directory, policy, reader),
                reader=reader,
                ground=Ground(database, keyring),
                tokens=identity.bearers,
                identity=identity,
                clock=_now,
                cursor_secret=hmac.digest(master_key, b"genjin page cursors", "sha256"),
                schema_is_current=store.is_current,
                checkpoints=Checkpoints(store.settings),
                erasures=erasures,
                key_copy=KeyCopy(store.settings.backups.key_copy(schema)),
            )
        finally:
            identity.close()
            ledger.close()


def _signing_in(chosen: SignInSettings) -> SigningIn:
    client = None
    if chosen.openid_issuer and chosen.openid_client_id:
        client = Client(
            chosen.openid_issuer,
            chosen.openid_client_id,
            chosen.openid_client_secret,
            f"{chosen.public_url}{CALLBACK}",
        )
    lifetimes = Lifetimes(timedelta(hours=chosen.session_idle_hours), timedelta(days=chosen.session_days))
    return SigningIn(chosen.public_url, lifetimes, client)


def _now() -> datetime:
    return datetime.now(UTC)
