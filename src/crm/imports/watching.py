"""Looks for imports to be done, and has each done in a process of its own, so that nothing else has to wait for it."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from threading import Event

import psutil
import structlog

from crm.imports.process import work_off
from ledger.database import Database
from ledger.errors import DatabaseAway
from ledger.sealing import Keyring
from projections.engine.ground import Address
from sheets.jobs import book, taking

log = structlog.get_logger(__name__)
LOOKS_APART = 0.5
FORGETTING_APART = 3600.0
FOLDER = "genjin-import-"


def watch(database: Database, keyring: Keyring, stop: Event) -> None:
    """Do what is asked for until the stop; any number of workers may watch one workspace."""
    address = Address(database.conninfo, database.schema, database.role, keyring.master_key, keyring.former_key)
    _sweep()
    rounds = 0
    while not stop.is_set():
        try:
            with database.connection(autocommit=True) as connection:
                if rounds % int(FORGETTING_APART / LOOKS_APART) == 0:
                    book.forget_old(connection)
                is_any_open = taking.is_any_open(connection)
            rounds += 1
            if is_any_open:
                _do(database, address, stop)
        except DatabaseAway as away:
            log.warning("not looking for imports for a moment", error=str(away))
        except Exception:
            log.exception("looking for imports is tried again")
        stop.wait(LOOKS_APART)


def _do(database: Database, address: Address, stop: Event) -> None:
    """Run a process that does all open jobs; what it leaves undone is queued again, however it ended."""
    name = f"{socket.gethostname()}:{secrets.token_hex(6)}"
    with _folder() as folder, _running(address, name, folder) as process:
        while process.is_alive() and not stop.is_set():
            process.join(LOOKS_APART / 2)
        is_stopped = process.is_alive()
        process.terminate()
        process.join()
        if not is_stopped and process.exitcode != 0:
            log.error("an import broke off and will be gone on with", worker=name, exitcode=process.exitcode)
    with database.connection(autocommit=True) as connection:
        taking.put_back(connection, name, is_counted=not is_stopped)


@contextmanager
def _running(address: Address, name: str, folder: Path) -> Iterator[SpawnProcess]:
    """The process; it ends when we do, since it holds the other end of a pipe."""
    context = get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    level = logging.getLevelName(logging.getLogger().getEffectiveLevel())
    process = context.Process(target=work_off, args=(address, name, folder, theirs, level), name=name, daemon=True)
    process.start()
    theirs.close()
    try:
        yield process
    finally:
        ours.close()
        process.join()


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for uploaded files that only we can read; it goes even when the process is killed."""
    folder = Path(mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove the folders of processes that were killed before they could do so."""
    for folder in Path(gettempdir()).glob(f"{FOLDER}*-*"):
        pid = folder.name.removeprefix(FOLDER).split("-")[0]
        is_ours = folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid()
        if is_ours and pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)
