"""What tests of the ledger share: somebody acts, things happen, and many threads do it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql

from aggregates.base import Acting, ImportedRow, acting
from aggregates.customer import Customer
from aggregates.product import Product
from aggregates.team import Team


def somebody(*, command_id: UUID | None = None, imported: ImportedRow | None = None) -> Any:
    """Somebody acts, in a command of its own."""
    return acting(Acting("member:test", command_id or uuid4(), "api", datetime.now(UTC), imported=imported))


def team(name: str = "North") -> Team:
    """A team that is not saved yet."""
    with somebody():
        return Team.form(uuid4(), name=name, region=None)


def customer(code: str = "C001", *, id: UUID | None = None, name: str = "Acme", **rest: Any) -> Customer:
    """A customer that is not saved yet."""
    with somebody():
        return Customer.register(id or uuid4(), code=code, kind="company", name=name, **rest)


def product(name: str) -> Product:
    """A product that is not saved yet."""
    with somebody():
        return Product.add(uuid4(), name=name)


def all_at_once(works: list[Callable[[], Any]]) -> list[Any]:
    """Run them in a thread each, started together; gives what each returned or raised."""
    results: list[Any] = [None] * len(works)
    barrier = Barrier(len(works))

    def run(index: int) -> None:
        barrier.wait()
        try:
            results[index] = works[index]()
        except Exception as error:
            results[index] = error

    threads = [Thread(target=run, args=(index,)) for index in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    return results


@contextmanager
def superuser(server: str, schema: str) -> Iterator[psycopg.Connection]:
    """Somebody who may do everything in the database, in the workspace's schema."""
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(schema)))
        yield connection


@contextmanager
def tampering(server: str, schema: str) -> Iterator[psycopg.Connection]:
    """Somebody who may do everything, and has switched off what protects the events."""
    with superuser(server, schema) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER events_append_only")
        yield connection
        connection.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only")
