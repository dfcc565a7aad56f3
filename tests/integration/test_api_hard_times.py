"""A database that is crowded, slow, locked, silent or full: 503 that says so, nobody kept waiting, nothing lost."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import psutil
import psycopg
import pytest
from anyio import to_thread
from psycopg import sql
from starlette.testclient import TestClient

from api.app import create_app
from api.limits.buckets import Limits
from commands.door import Door
from integration.engine_help import wait_until
from integration.serving import Api, serving
from integration.test_api_database_stopped import OwnServer
from keys import MASTER_KEY
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.patience import Patience
from ledger.sealing import Keyring
from projections.engine.reader import Reader

USUAL = Patience(statement=20, lock=20)


@contextmanager
def impatient(
    api: Api, patience: Patience = USUAL, *, connections: int = 4, timeout: float = 5.0, limits: Limits | None = None
) -> Iterator[Api]:
    """The same workspace behind a process of its own, so to speak: with few connections, and little patience."""
    given = api.services.database
    with Database(
        given.conninfo, given.schema, role=given.role, max_size=connections, timeout=timeout, patience=patience
    ) as database:
        keyring = Keyring(database, MASTER_KEY)
        ledger = Ledger(database, keyring)
        pieces = {"database": database, "keyring": keyring, "ledger": ledger, "reader": Reader(database)}
        services: Any = SimpleNamespace(**{**vars(api.services), **pieces, "door": Door(ledger)})
        with TestClient(create_app(services, limits), raise_server_exceptions=False) as client:
            yield Api(client, services, api.member_id)
        ledger.close()


@contextmanager
def superuser(api: Api) -> Iterator[psycopg.Connection]:
    """Somebody else at the database, in the workspace's schema."""
    database = api.services.database
    with closing(psycopg.connect(database.conninfo)) as connection:
        connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(database.schema)))
        connection.commit()
        yield connection


def assert_told(answered: Any, code: str) -> None:
    """It is the problem, with a time to come again."""
    assert (answered.status_code, answered.json().get("code")) == (503, code), answered.text
    assert answered.headers["content-type"] == "application/problem+json"
    assert int(answered.headers["retry-after"]) > 0


def test_connections_that_are_all_in_use_are_not_waited_for_long(api: Api) -> None:
    customer = api.customer("连接客户")
    with impatient(api, connections=2, timeout=0.3) as narrow:
        database: Database = narrow.services.database
        with database.connection() as first, database.connection() as second:
            first.execute("SELECT 1")
            second.execute("SELECT 1")
            assert_told(narrow.get(f"/customers/{customer}"), "database-busy")
            assert_told(narrow.get("/tracking"), "database-busy")
            assert_told(narrow.post(f"/customers/{customer}/tags", {"tag": "挤"}), "database-busy")
            assert database.standing["in_use"] == 2
        assert narrow.get(f"/customers/{customer}").json()["tags"] == []
        assert narrow.get("/tracking").status_code == 200


def test_only_so_many_threads_wait_for_a_connection(api: Api) -> None:
    patience = Patience(statement=20, lock=20, most_waiting=1)
    with impatient(api, patience, connections=1, timeout=2) as narrow, narrow.services.database.connection():
        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(lambda _: narrow.get("/tracking"), range(6)))
        for answered in answers:
            assert_told(answered, "database-busy")
        errors = narrow.services.database._pool.get_stats()["requests_errors"]
        assert errors >= 6


def test_only_so_many_requests_wait_for_a_thread(api: Api) -> None:
    limits = Limits(most_waiting=2)
    with impatient(api, connections=1, timeout=4, limits=limits) as narrow, narrow.services.database.connection():
        portal = narrow.client.portal
        assert portal is not None
        portal.call(_two_threads)
        with ThreadPoolExecutor(12) as threads:
            early = [threads.submit(narrow.get, "/tracking") for _ in range(4)]
            wait_until(lambda: portal.call(_waiting) >= 2)
            late = [threads.submit(narrow.get, "/tracking") for _ in range(8)]
            answers = [each.result() for each in (*early, *late)]
        assert {answered.status_code for answered in answers} == {503}
        codes = [answered.json()["code"] for answered in answers]
        assert codes.count("overloaded") >= 1, codes
        assert codes.count("database-busy") >= 2, codes
        assert narrow.client.get("/healthz").status_code == 200


async def _waiting() -> int:
    return to_thread.current_default_thread_limiter().statistics().tasks_waiting


async def _two_threads() -> None:
    to_thread.current_default_thread_limiter().total_tokens = 2


def test_a_question_that_takes_too_long_is_stopped(api: Api) -> None:
    api.customer("慢客户")
    api.read("/tracking")
    with superuser(api) as other, impatient(api, Patience(statement=0.3, lock=20)) as hurried:
        row = other.execute("SELECT live FROM projections WHERE projection = 'tracking'").fetchone()
        assert row is not None
        with slow_table(other, row[0], "customers"):
            assert_told(hurried.get("/tracking"), "query-too-slow")
            assert hurried.get("/workspace").status_code == 200
        assert hurried.get("/tracking").status_code == 200


@contextmanager
def slow_table(connection: psycopg.Connection, schema: str, table: str) -> Iterator[None]:
    """Every row of the table takes a second to read."""
    names = {"schema": sql.Identifier(schema), "table": sql.Identifier(table), "away": sql.Identifier(f"{table}_away")}
    connection.execute(sql.SQL("ALTER TABLE {schema}.{table} RENAME TO {away}").format(**names))
    connection.execute(
        sql.SQL(
            "CREATE VIEW {schema}.{table} AS SELECT t.* FROM {schema}.{away} t CROSS JOIN LATERAL "
            "(SELECT pg_sleep(1) WHERE t.customer_id IS NOT NULL) s"
        ).format(**names)
    )
    connection.execute(sql.SQL("GRANT SELECT ON {schema}.{table} TO genjin_app").format(**names))
    connection.commit()
    try:
        yield
    finally:
        connection.execute(sql.SQL("DROP VIEW {schema}.{table}").format(**names))
        connection.execute(sql.SQL("ALTER TABLE {schema}.{away} RENAME TO {table}").format(**names))
        connection.commit()


def test_a_write_does_not_wait_for_others_for_ever(api: Api) -> None:
    customer = api.customer("锁客户")
    before = api.get(f"/customers/{customer}").json()["version"]
    again = {"Idempotency-Key": "locked"}
    with superuser(api) as other, impatient(api, Patience(statement=20, lock=0.3)) as hurried:
        other.execute("LOCK TABLE events IN EXCLUSIVE MODE")
        assert_told(hurried.post(f"/customers/{customer}/tags", {"tag": "锁"}, headers=again), "database-busy")
        assert hurried.get(f"/customers/{customer}").status_code == 200
        other.rollback()
        assert hurried.done(f"/customers/{customer}/tags", {"tag": "锁"}, headers=again)["version"] == before + 1


def test_a_database_that_only_answers_questions(api: Api) -> None:
    customer = api.customer("只读客户")
    with impatient(api, connections=1) as reading:
        with reading.services.database.connection(autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = on")
        assert_told(reading.post(f"/customers/{customer}/tags", {"tag": "读"}), "database-read-only")
        assert reading.get(f"/customers/{customer}").json()["tags"] == []


def test_a_silent_server_holds_no_thread_for_ever(place: Path) -> None:
    server = OwnServer(place / "postgres")
    try:
        with serving(server.conninfo) as api:
            customer = api.customer("无声客户")
            before = api.get(f"/customers/{customer}").json()["version"]
            with impatient(api, Patience(statement=0.5, lock=0.5), timeout=1) as hurried:
                again = {"Idempotency-Key": "silent"}
                assert hurried.get(f"/customers/{customer}").status_code == 200
                with silent(place):
                    assert_told(hurried.get(f"/customers/{customer}"), "database-away")
                    answered = hurried.post(f"/customers/{customer}/tags", {"tag": "静"}, headers=again)
                    assert_told(answered, "database-away")
                until_back(hurried, customer)
                tag = f"/customers/{customer}/tags"
                done = once_served(lambda: hurried.post(tag, {"tag": "静"}, headers=again))
                assert done.json()["version"] == before + 1
    finally:
        server.close()


@contextmanager
def silent(place: Path) -> Iterator[None]:
    """Every process of the server stands still."""
    postmaster = psutil.Process(int((place / "postgres" / "data" / "postmaster.pid").read_text().split()[0]))
    stopped = [postmaster]
    postmaster.suspend()
    try:
        for process in postmaster.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.suspend()
                stopped.append(process)
        yield
    finally:
        for process in reversed(stopped):
            with suppress(psutil.NoSuchProcess):
                process.resume()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_refuses_writes_and_loses_nothing(place: Path) -> None:
    """The disk that is full is a real one: the kernel answers ENOSPC to every write to the file of the next table."""
    server = OwnServer(place / "postgres")
    try:
        with serving(server.conninfo) as api:
            customer = api.customer("满盘客户")
            before = api.head()
            again = {"Idempotency-Key": "full"}
            tag = f"/customers/{customer}/tags"
            file = place / "postgres" / "data" / empty_file(api, "idempotency_keys")
            with no_room(server, file):
                until_back(api, customer)
                for _ in range(2):
                    assert_told(api.post(tag, {"tag": "满"}, headers=again), "database-full")
                assert api.head() == before, "nothing was half done"
                assert api.get(f"/customers/{customer}").json()["tags"] == []
                assert api.post(tag, {"tag": "不需要那张表"}).status_code == 200, "who needs no room is served"
            until_back(api, customer)
            assert api.head() == before + 1
            assert api.done(tag, {"tag": "满"}, headers=again)["position"] == before + 2
            assert sorted(api.read(f"/customers/{customer}")["tags"]) == ["不需要那张表", "满"]
    finally:
        server.close()


def empty_file(api: Api, table: str) -> str:
    """The file of a table that nothing was written to yet, within the server's data."""
    with superuser(api) as connection:
        row = connection.execute("SELECT pg_relation_filepath(%s), pg_relation_size(%s)", [table, table]).fetchone()
    assert row is not None
    assert row[1] == 0
    return str(row[0])


@contextmanager
def no_room(server: OwnServer, file: Path) -> Iterator[None]:
    """The table's file stands on a device that is full."""
    server.stop(signal.SIGINT)
    aside = file.with_name(f"{file.name}.aside")
    file.rename(aside)
    file.symlink_to("/dev/full")
    server.start()
    try:
        yield
    finally:
        server.stop(signal.SIGINT)
        aside.rename(file)
        server.start()


def until_back(api: Api, customer: str) -> None:
    """The service has found its server again."""
    assert once_served(lambda: api.get(f"/customers/{customer}")).status_code == 200


def once_served(ask: Callable[[], Any]) -> Any:
    """The first answer that is no 503."""
    until = monotonic() + 90
    while (answered := ask()).status_code == 503:
        assert monotonic() < until, answered.text
    return answered
