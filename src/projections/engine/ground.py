"""What read models are built on: a workspace's database and the key that opens personal data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from ledger.database import Database
from ledger.sealing import Keyring

Connection = psycopg.Connection[tuple[Any, ...]]


KEYS_AT_HAND = 20_000
"""Keys that a process which only fills tables keeps: as many as the rows that are written together may need."""


@dataclass(frozen=True)
class Address:
    """Everything another process needs to build on the same ground."""

    conninfo: str
    schema: str
    role: str | None
    master_key: bytes
    former_key: bytes | None = None


class Ground:
    """A workspace as the engine sees it."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.keyring = keyring

    @property
    def schema(self) -> str:
        """The schema of the workspace, after which the schemas of its read models are named."""
        return self.database.schema

    @property
    def address(self) -> Address:
        """How another process gets here."""
        keys = self.keyring.master_key, self.keyring.former_key
        return Address(self.database.conninfo, self.schema, self.database.role, *keys)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of one's own for as long as the block lasts, each statement a transaction by itself.

        What is written to read models need not wait for the disk: rows and position move together, and what a crash
        undoes is folded again.
        """
        connection = self.connect()
        try:
            yield connection
        finally:
            connection.close()

    def connect(self) -> Connection:
        """A connection of one's own; the caller closes it."""
        connection = self.database.connect()
        connection.execute("SELECT set_config('synchronous_commit', 'off', false)")
        return connection


@contextmanager
def ground_at(address: Address) -> Iterator[Ground]:
    """The same ground, in another process."""
    with Database(address.conninfo, address.schema, role=address.role, min_size=1, max_size=3) as database:
        keyring = Keyring(database, address.master_key, former_key=address.former_key, cached_keys=KEYS_AT_HAND)
        yield Ground(database, keyring)
