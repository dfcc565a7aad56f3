"""Read models built anew from a million events, against a bare cursor that only decodes the same events."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from statistics import median

import psutil
import psycopg

from benchmarks import measure
from benchmarks.measure import Figure
from benchmarks.place import Place, database_of, keyring_of
from ledger.encoded.codec import fast
from ledger.proof.chain import verify_chain
from projections import ALL
from projections.engine.build.building import Builder
from projections.engine.build.jobs import Progress
from projections.engine.ground import Ground
from projections.engine.model.declaration import Projection
from projections.engine.tables import builds
from projections.tracking import Tracking

FETCH = 5_000


class Silent(Progress):
    """Nobody follows the progress of a measurement."""

    def __init__(self) -> None:
        """No job stands behind it."""

    def begin(self, phase: str, start: int, total: int, schema_name: str | None = None) -> None:
        """Nothing to tell."""

    def phase(self, name: str) -> None:
        """Nothing to tell."""

    def reached(self, position: int) -> None:
        """Nothing to tell."""


def bare_decode(conninfo: str, schema: str, topics: frozenset[str]) -> tuple[int, float]:
    """Events and seconds of a server-side binary cursor whose rows are decoded and dropped."""
    gc.collect()
    gc.freeze()
    decoders = {topic: fast(topic) for topic in topics}
    begun, done = time.perf_counter(), 0
    with closing(psycopg.connect(conninfo)) as connection:
        connection.execute(psycopg.sql.SQL("SET search_path = {}").format(psycopg.sql.Identifier(schema)))
        with connection.cursor(name="bare", binary=True) as cursor:
            cursor.itersize = FETCH
            cursor.execute(
                "SELECT position, originator_id, originator_version, topic, state, recorded_at, customer_id "
                "FROM events WHERE topic = ANY(%s) ORDER BY position",
                [list(topics)],
            )
            for row in cursor:
                decoders[row[3]](row[4])
                done += 1
    gc.unfreeze()
    return done, time.perf_counter() - begun


def rebuild(ground: Ground, projection: type[Projection], head: int, processes: int) -> float:
    """Seconds to build one read model beside the live one, tables and indexes finished; it is dropped again."""
    builder = Builder(ground, processes=processes)
    begun = time.perf_counter()
    build = builder.copy_as_of(projection, head, Silent())
    seconds = time.perf_counter() - begun
    with ground.connection() as connection:
        builds.set_state(connection, build, "retired")
        if not builds.drop_build(connection, build.schema_name):
            raise RuntimeError(f"{build.schema_name} is still there, and the next measurement would find it")
    return seconds


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """Samples the megabytes that this process grows by, and all that its children hold; the database is left out."""
    samples: list[float] = []
    over = threading.Event()
    own = psutil.Process()
    before = own.memory_info().rss

    def sample() -> None:
        while not over.wait(0.1):
            family = [own, *(child for child in own.children(recursive=True) if "postgres" not in child.name())]
            total = -before
            for process in family:
                try:
                    total += process.memory_info().rss
                except psutil.NoSuchProcess:
                    continue
            samples.append(total / 1e6)

    watcher = threading.Thread(target=sample, daemon=True)
    watcher.start()
    try:
        yield samples
    finally:
        over.set()
        watcher.join()


def figures(place: Place) -> Iterator[Figure]:
    """Rebuilds of one and of all read models, and the verification of the chain, over the store's own events."""
    with place.store() as store, database_of(store) as database:
        ground = Ground(database, keyring_of(store, database))
        with database.connection(autocommit=True) as connection:
            head = connection.execute("SELECT max(position) FROM events").fetchone()[0]  # type: ignore[index]
        topics = Tracking.topics_read() or frozenset()
        bare, one, two = [], [], []
        for _ in range(measure.RUNS):
            events, seconds = bare_decode(store.conninfo, store.settings.schema, topics)
            bare.append(events / seconds)
            one.append(events / rebuild(ground, Tracking, head, 1))
            two.append(events / rebuild(ground, Tracking, head, 2))
        columns = sum(len(table.columns) for table in Tracking.tables.values())
        yield measure.ratio(
            f"rebuild tracking ({columns} columns, {events:,} events), one core: ours / bare cursor and decode",
            one,
            bare,
            0.4,
        )
        yield measure.ratio("rebuild tracking: two cores / one core", two, one, 1.3)
        with peak_memory() as samples:
            begun = time.perf_counter()
            each = {projection.name: rebuild(ground, projection, head, 2) for projection in ALL}
            whole = time.perf_counter() - begun
        beside = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in each.items())
        yield measure.below(f"all read models rebuilt from {head:,} events, 2 cores", [whole], 50, "s", beside)
        yield measure.below("the same: peak memory of all our processes", [max(samples)], 1500, "MB")
        rates = []
        for _ in range(measure.RUNS):
            with database.connection() as connection:
                begun = time.perf_counter()
                report = verify_chain(connection)
                rates.append(head / (time.perf_counter() - begun))
            assert report.is_intact, report
        yield measure.at_least(
            "chain verification, one core", rates, 120_000, "events/s", f"{head / median(rates):.1f} s for {head:,}"
        )
