"""Saving one event: the ledger with everything on, the library as it comes, and a bare INSERT."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from time import time
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
from aggregates.ids import new_id
from benchmarks import measure
from benchmarks.measure import Figure
from benchmarks.place import Place, database_of, keyring_of, working
from benchmarks.waiting import wait_until
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.outcome import Idempotency
from projections import ALL

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

        requests = count()

        def step() -> None:
            with acting(_acting()):
                calendar = Calendar(datetime.now(UTC), SHANGHAI)
                at = calendar.now - timedelta(minutes=1)
                customer.log_follow_up(_new_id(), at, calendar, method="phone", content=BODY["note"])
            ledger.save(customer, idempotency=Idempotency("member:bench", f"{own}-{next(requests)}", 0, b"the request"))

        return step

    return of


def _new_id() -> UUID:
    return new_id(int(time() * 1000))


def _acting() -> Acting:
    return Acting(actor="member:bench", command_id=_new_id(), source="api", now=datetime.now(UTC))


def figures(place: Place) -> Iterator[Figure]:
    """Rates of saving, ours and the baselines taken in turn, run by run."""
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
            with working(place):
                followed = _rates(ways, before_each=lambda: _until_followed(database))
            alone = _rates({name: ways[name] for name in ("ours", "raw")}, threads=(8,))
        ledger.close()
    library_8, library_32 = followed["library", 8], followed["library", 32]
    yield measure.ratio("save one event, 8 threads: ours / library as it comes", followed["ours", 8], library_8, 3.5)
    yield measure.ratio("save one event, 32 threads: ours / library as it comes", followed["ours", 32], library_32, 5)
    raw = "save one event, 8 threads: ours / raw INSERT + commit"
    yield measure.ratio(raw, followed["ours", 8], followed["raw", 8], 0.55)
    yield measure.ratio(f"{raw}, no worker beside either", alone["ours", 8], alone["raw", 8], 0.55)


def _until_followed(database: Database) -> None:
    """Wait until the worker has folded everything, so that no way pays for what another one wrote."""
    asked = (
        "SELECT b.position, (SELECT coalesce(max(position), 0) FROM events) "
        "FROM projections p JOIN projection_builds b ON b.schema_name = p.live ORDER BY p.projection"
    )

    def standing() -> tuple[tuple[int, int], ...]:
        with database.connection() as connection:
            return tuple((position, head) for position, head in connection.execute(asked).fetchall())

    def is_followed() -> bool:
        found = standing()
        return len(found) == len(ALL) and all(position == head for position, head in found)

    wait_until(is_followed, standing, "the worker brings the read models up to date", apart=0.1)


def _rates(
    ways: Mapping[str, Callable[[int], Callable[[], None]]],
    threads: Sequence[int] = (8, 32),
    before_each: Callable[[], None] = lambda: None,
) -> dict[tuple[str, int], list[float]]:
    """How often a second each way saves, by way and number of threads."""
    rates: dict[tuple[str, int], list[float]] = {}
    for _ in range(measure.RUNS):
        for number in threads:
            for name, step in ways.items():
                before_each()
                rates.setdefault((name, number), []).append(measure.per_second(number, SECONDS, step))
    return rates
