"""What a process does that brings in uploaded files: one open job after the other, until there is none."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import closing
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from threading import Thread

import psycopg
import structlog

from commands.base import Door
from crm import logs, settings
from crm.doors import open_door
from crm.imports.standing import Standing
from crm.stopping import unwind_on_signals
from ledger.database import Connection, Database
from ledger.errors import CredentialEnded, DatabaseAway
from ledger.ledger import Ledger
from ledger.sealing import Keyring
from policy import Actor
from policy.directory import Directory
from projections.engine.ground import Address
from sheets.importing import Importer, Report
from sheets.jobs import Job, Outcome, taking, uploads
from sheets.jobs.signs import CalledOff, Lost, NotAllowed, SignsOfLife
from sheets.opening import load
from sheets.profile import Profile
from sheets.reading import Unreadable

log = structlog.get_logger(__name__)
WRITERS = 4
"""Rows that are written at the same time: fewer than at a terminal, since others are being served."""


def work_off(address: Address, worker: str, folder: Path, lifeline: Pipe, log_level: str) -> None:
    """Do every open job of the workspace; ends with the process that holds the other end of the lifeline."""
    unwind_on_signals()
    logs.configure(log_level, settings.read().log_format)
    Thread(target=_end_with, args=[lifeline], name="lifeline", daemon=True).start()
    with Database(address.conninfo, address.schema, role=address.role, max_size=WRITERS + 4) as database:
        keyring = Keyring(database, address.master_key, former_key=address.former_key)
        with closing(Ledger(database, keyring)) as ledger, closing(database.connect()) as connection:
            working = Working(connection, keyring, open_door(ledger, Directory(database)), ledger, worker, folder)
            while working.do_next():
                pass


def _end_with(lifeline: Pipe) -> None:
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)


class Working:
    """Does jobs, one at a time."""

    def __init__(
        self,
        connection: Connection,
        keyring: Keyring,
        door: Door,
        ledger: Ledger,
        worker: str,
        folder: Path,
        writers: int = WRITERS,
    ) -> None:
        self._connection = connection
        self._keyring = keyring
        self._door = door
        self._ledger = ledger
        self._worker = worker
        self._folder = folder
        self._writers = writers

    def do_next(self) -> bool:
        """Do one job and say how it ended; False when there is none."""
        with taking.taken(self._connection, self._worker) as job:
            if job is not None:
                self._do(job)
        return job is not None

    def _do(self, job: Job) -> None:
        epoch = self._keyring.epoch()
        try:
            report = self._bring_in(job)
        except CalledOff:
            taking.end(self._connection, job, self._worker, "cancelled")
        except NotAllowed as refused:
            taking.end(self._connection, job, self._worker, "failed", refused.code)
        except Unreadable as unreadable:
            told = Outcome(tuple(unreadable.refusals))
            taking.fail_unreadable(self._connection, self._keyring, job, self._worker, told, epoch)
        except (Lost, DatabaseAway, psycopg.OperationalError):
            raise
        except Exception:
            log.exception("an import failed", job=str(job.job_id))
            taking.end(self._connection, job, self._worker, "failed", "import-failed")
        else:
            taking.finish(self._connection, self._keyring, job, self._worker, report, epoch)

    def _bring_in(self, job: Job) -> Report:
        profile = load(job.profile)
        folder = self._folder / str(job.job_id) / profile.name
        folder.mkdir(parents=True)
        standing = self._standing(job, profile)
        try:
            with SignsOfLife(self._connection, job, self._worker, standing.refusal) as signs:
                uploads.fetch(self._connection, self._keyring, job.job_id, job.files, folder)
                return self._importer(job, standing, signs).run(_path(profile, job, folder), job.encoding)
        except CredentialEnded as ended:
            standing.directory.expire()  # with a member who was removed, its tokens end
            raise NotAllowed(standing.refusal(self._connection) or "import-token-ended") from ended
        finally:
            shutil.rmtree(folder.parent, ignore_errors=True)

    def _standing(self, job: Job, profile: Profile) -> Standing:
        if self._door.directory is None:
            raise TypeError("jobs are done through a door that knows the members")
        return Standing(job, profile, self._door.directory, self._door.policy)

    def _importer(self, job: Job, standing: Standing, signs: SignsOfLife) -> Importer:
        return Importer(
            standing.profile,
            self._door,
            self._ledger,
            by=Actor(job.asked_by, None, job.asked_by, "api"),
            is_rehearsal=job.is_rehearsal,
            progress=signs.progress,
            writers=self._writers,
            read_asker=standing.read_member,
            credential=standing.credential,
        )


def _path(profile: Profile, job: Job, folder: Path) -> Path:
    """A profile of one file takes that file, whatever its name is."""
    return folder / job.files[0] if len(profile.files) == 1 else folder
