"""Saving one event: the ledger with everything on, the library as it comes, and a bare INSERT."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate as LibraryAggregate
from eventsourcing.domain import event

from aggregates.base import Acting, acting
from aggregates.business_days import Calendar
from aggregates.customer import Customer
from benchmarks import measure
from benchmarks.measure import Figure
from benchmarks.place import Place, database_of, keyring_of
from ledger.ledger import Ledger
from ledger.outcome import Idempotency

SECONDS = 4.0
SHANGHAI = ZoneInfo("Asia/Shanghai")
BODY = {"name": "example", "note": "x" * 180}


class Note(LibraryAggregate):
    """What the library's own application saves: an aggregate with one event of a like size."""

    @event("Begun")
    def __init__(self, name: str) -> None:
        self.name = name

    @event("Noted")
    def note(self, text: str) -> None:
        self.text = text


@contextmanager
def library(conninfo: str, schema: str) -> Iterator[Application[UUID]]:
    """The library's application on the same server with its default settings, in a schema of its own."""
    parts: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(conninfo)
    application = Application[UUID](
        env={
            "PERSISTENCE_MODULE": "eventsourcing.postgres",
            "POSTGRES_DBNAME": str(parts["dbname"]),
            "POSTGRES_HOST": str(parts.get("host", "")),
            "POSTGRES_PORT": str(parts.get("port", "5432")),
            "POSTGRES_USER": str(parts.get("user", "postgres")),
            "POSTGRES_PASSWORD": str(parts.get("password", "")),
            "POSTGRES_SCHEMA": schema,
            "POSTGRES_POOL_SIZE": "32",
        }
    )
    try:
        yield application
    finally:
        application.close()


def library_step(application: Application[UUID]) -> Callable[[int], Callable[[], None]]:
    """Each thread adds one event to an aggregate of its own and saves it."""

    def of(number: int) -> Callable[[], None]:
        aggregate = Note(name=f"{number}")
        application.save(aggregate)

        def step() -> None:
            aggregate.note(BODY["note"])
            application.save(aggregate)

        return step

    return of


def raw_step(conninfo: str, schema: str) -> Callable[[int], Callable[[], None]]:
    """Each thread inserts one row of a like size into a plain table and commits: what the disk and the server allow."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL(
                "CREATE TABLE IF NOT EXISTS {}.raw_events (id bigserial PRIMARY KEY, originator_id uuid, "
                "version bigint, topic text, state bytea, UNIQUE (originator_id, version))"
            ).format(psycopg.sql.Identifier(schema))
        )
    insert = psycopg.sql.SQL(
        "INSERT INTO {}.raw_events (originator_id, version, topic, state) VALUES (%s, %s, %s, %s)"
    ).format(psycopg.sql.Identifier(schema))

    def of(_number: int) -> Callable[[], None]:
        connection = psycopg.connect(conninfo, autocommit=True, prepare_threshold=0)
        own, version, state = uuid4(), 0, repr(BODY).encode()

        def step() -> None:
            nonlocal version
            version += 1
            connection.execute(insert, (own, version, "note.noted", state))

        return step

    return of


def our_step(ledger: Ledger) -> Callable[[int], Callable[[], None]]:
    """Each thread logs follow-ups with a customer of its own: sealed, chained, with an idempotency key each."""

    def of(_number: int) -> Callable[[], None]:
        own = uuid4()
        with acting(_acting()):
            customer = Customer.register(own, code=f"B{own.hex}", kind="company", name="示例有限公司")
        ledger.save(customer)

        def step() -> None:
            with acting(_acting()):
                calendar = Calendar(datetime.now(UTC), SHANGHAI)
                at = calendar.now - timedelta(minutes=1)
                customer.log_follow_up(uuid4(), at, calendar, method="phone", content=BODY["note"])
            ledger.save(customer, idempotency=Idempotency("member:bench", uuid4().hex, 0, b"the request"))

        return step

    return of


def _acting() -> Acting:
    return Acting(actor="member:bench", command_id=uuid4(), source="api", now=datetime.now(UTC))


def figures(place: Place) -> Iterator[Figure]:
    """Rates of saving, ours and the baselines taken in turn, run by run."""
    rates: dict[tuple[str, int], list[float]] = {}
    with place.store() as store, database_of(store) as database:
        ledger = Ledger(database, keyring_of(store, database))
        with psycopg.connect(store.conninfo, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA IF NOT EXISTS bench_baseline")
        with library(store.conninfo, "bench_baseline") as application:
            ways = {
                "ours": our_step(ledger),
                "library": library_step(application),
                "raw": raw_step(store.conninfo, "bench_baseline"),
            }
            for _ in range(measure.RUNS):
                for threads in (8, 32):
                    for name, step in ways.items():
                        rates.setdefault((name, threads), []).append(measure.per_second(threads, SECONDS, step))
        ledger.close()
    of = partial(_pair, rates)
    yield measure.ratio("save one event, 8 threads: ours / library as it comes", *of(8, "library"), 3.5)
    yield measure.ratio("save one event, 32 threads: ours / library as it comes", *of(32, "library"), 5)
    yield measure.ratio("save one event, 8 threads: ours / raw INSERT + commit", *of(8, "raw"), 0.55)


def _pair(rates: dict[tuple[str, int], list[float]], threads: int, baseline: str) -> tuple[list[float], list[float]]:
    return rates["ours", threads], rates[baseline, threads]
