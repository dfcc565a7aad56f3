"""Where it is measured: a store of its own on this machine, and the service over it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.waiting import wait_until
from crm import settings as crm_settings
from crm import store as crm_store
from crm.database.embedded import EmbeddedServer
from crm.store import Store
from ledger.database import Database
from ledger.sealing import Keyring

APP_ROLE = "genjin_app"
ENDING_SECONDS = 300.0
"""How long a process may take to end that was asked to: a server writes down first what it has in memory."""


@dataclass
class Place:
    """A data folder and the settings that lead to it."""

    folder: Path
    port: int = field(default_factory=lambda: free_port())

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to find this place, and no other setting of ours."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
        return {**clean, "CRM_DATA_DIR": str(self.folder), "CRM_PORT": str(self.port), "PYTHONUNBUFFERED": "1"}

    def progress(self) -> tuple[Any, ...] | None:
        """How large the database is and how far its jobs are; None while it does not answer."""
        chosen = crm_settings.read(self.environment)
        conninfo = EmbeddedServer(chosen.data_dir / "postgres").conninfo(crm_store.EMBEDDED_DATABASE)
        jobs = sql.Identifier(chosen.schema, "projection_jobs")
        builds = sql.Identifier(chosen.schema, "projection_builds")
        asked = sql.SQL(
            "SELECT pg_database_size(current_database()), (SELECT sum(events_done) FROM {}), "
            "(SELECT sum(position) FROM {})"
        ).format(jobs, builds)
        try:
            with closing(psycopg.connect(conninfo, autocommit=True, connect_timeout=10)) as connection:
                return connection.execute(asked).fetchone()
        except psycopg.Error:
            return None

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store, migrated, its server running as long as the block lasts."""
        with crm_store.opened(crm_settings.read(self.environment)) as opened:
            opened.prepare()
            yield opened


@contextmanager
def place() -> Iterator[Place]:
    """A new one, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="genjin-bench-"))
    try:
        yield Place(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def database_of(store: Store, connections: int = 40) -> Iterator[Database]:
    """The workspace as the application reaches it."""
    with Database(store.conninfo, store.settings.schema, role=APP_ROLE, min_size=1, max_size=connections) as database:
        yield database


def keyring_of(store: Store, database: Database) -> Keyring:
    """The keys of the workspace's data subjects."""
    return Keyring(database, store.master_key)


def free_port() -> int:
    """A port of the loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def crm(place: Place, *words: str) -> str:
    """What one command of the command line prints; a failing one fails the measurement."""
    done = subprocess.run(
        [sys.executable, "-m", "crm", *words],
        env=place.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"crm {' '.join(words)}: {done.stdout}{done.stderr}")
    return done.stdout


@dataclass
class Running:
    """A service that answers, and how long it took until it was ready."""

    process: subprocess.Popen[str]
    port: int
    seconds_to_ready: float
    token: str | None


@contextmanager
def working(place: Place) -> Iterator[None]:
    """`crm work` over the place's store: a process that keeps the read models up to date."""
    process = subprocess.Popen(
        [sys.executable, "-m", "crm", "work"],
        env=place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(ENDING_SECONDS)


@contextmanager
def serving(place: Place, *, workers: int) -> Iterator[Running]:
    """`crm serve` over the place's store, ended at the end of the block.

    What it says goes to a file: to read a line for each request would slow down the load, which is in this process.
    """
    said = place.folder / "said.log"
    begun = time.perf_counter()
    with said.open("w", encoding="utf-8") as saying:
        process = subprocess.Popen(
            [sys.executable, "-m", "crm", "serve", "--workers", str(workers)],
            env=place.environment,
            stdin=subprocess.DEVNULL,
            stdout=saying,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    try:

        def is_ready() -> bool:
            text = said.read_text(encoding="utf-8")
            if process.poll() is not None:
                raise RuntimeError(f"crm serve has ended: {text}")
            return "is ready" in text

        wait_until(is_ready, place.progress, "crm serve builds its read models", apart=0.005, looks_apart=5.0)
        ready = time.perf_counter() - begun
        found = re.findall(r"^\s+(genjin_\S+)$", said.read_text(encoding="utf-8"), re.MULTILINE)
        yield Running(process, place.port, ready, found[0] if found else None)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(ENDING_SECONDS)


@contextmanager
def bare_service(conninfo: str, *, workers: int) -> Iterator[int]:
    """The bare route under the same server program; yields its port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bare_service", str(port), str(workers)],
        env={**os.environ, "BARE_DATABASE_URL": conninfo},
        stdin=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(ENDING_SECONDS)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        if process.poll() is not None:
            raise RuntimeError("the bare service has ended")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(answers, lambda: None, "the bare service starts", apart=0.02)
    time.sleep(0.5)
