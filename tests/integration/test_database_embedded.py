"""The embedded server: ours alone, shared by our processes, and gone with the last of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from crm.database.embedded import EmbeddedServer
from crm.database.system_user import SystemUser

USER = """
import sys, time
from pathlib import Path
from crm.database.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.start()
print("running", flush=True)
sys.stdin.read()
server.stop()
"""


@pytest.fixture
def folder(place: Path) -> Iterator[Path]:
    """A folder for a server, which is stopped afterwards whatever the test did."""
    path = place / "postgres"
    yield path
    with suppress(OSError, IndexError, psutil.NoSuchProcess):
        psutil.Process(postmaster(path)).terminate()


def postmaster(folder: Path) -> int:
    """The number of the server's process."""
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def alive(pid: int) -> bool:
    """The process is there, and not only its grave."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def user_of(folder: Path) -> subprocess.Popen[str]:
    """Another process that uses the server until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    return process


def leave(process: subprocess.Popen[str]) -> None:
    """Let a process that uses the server go its way."""
    process.communicate()
    assert process.returncode == 0


def soon(true: Callable[[], bool], seconds: float = 15.0) -> bool:
    """It becomes true within some seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_its_data_outlives_it(folder: Path) -> None:
    server = EmbeddedServer(folder)
    for expected in (0, 1):
        server.start()
        with closing(psycopg.connect(server.conninfo("postgres"), autocommit=True)) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (x int)")
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (expected,)
            connection.execute("INSERT INTO kept VALUES (1)")
        pid = postmaster(folder)
        server.stop()
        assert not alive(pid)


def test_it_was_made_on_purpose_whatever_the_environment_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PGDATABASE", "nowhere")
    server = EmbeddedServer(folder)
    server.start()
    with closing(psycopg.connect(server.conninfo("postgres"))) as connection:

        def shown(name: str) -> str | None:
            return connection.info.parameter_status(name) or str(
                (connection.execute("SELECT current_setting(%s)", [name]).fetchone() or [None])[0]
            )

        assert shown("server_encoding") == "UTF8"
        assert shown("data_checksums") == "on"
        assert shown("fsync") == "on"
        assert shown("listen_addresses") == ""
        assert connection.execute("SELECT DISTINCT datlocprovider, datctype FROM pg_database").fetchall() == [
            ("b", "C.UTF-8")
        ]
    server.stop()


def test_nobody_else_gets_in(folder: Path) -> None:
    server = EmbeddedServer(folder)
    server.start()
    socket = Path(str(psycopg.conninfo.conninfo_to_dict(server.conninfo("postgres"))["host"]))
    assert socket.stat().st_mode & 0o777 == 0o700
    assert socket != folder / "data"
    rules = (folder / "data" / "pg_hba.conf").read_text()
    assert rules.split() == ["local", "all,replication", "all", "peer", "map=genjin"]
    assert "trust" not in rules
    server.stop()


def test_a_long_path_still_gets_a_socket(place: Path) -> None:
    folder = place / ("deep" * 20) / "postgres"
    folder.parent.mkdir()
    server = EmbeddedServer(folder)
    server.start()
    psycopg.connect(server.conninfo("postgres")).close()
    socket = Path(str(psycopg.conninfo.conninfo_to_dict(server.conninfo("postgres"))["host"]))
    assert folder not in socket.parents
    server.stop()
    assert not socket.exists()


def test_processes_share_it_and_the_last_one_stops_it(folder: Path) -> None:
    first, second = user_of(folder), user_of(folder)
    pid = postmaster(folder)
    leave(first)
    assert alive(pid)
    leave(second)
    assert not alive(pid)


def test_a_killed_process_does_not_keep_it_running(folder: Path) -> None:
    killed, other = user_of(folder), user_of(folder)
    pid = postmaster(folder)
    killed.kill()
    killed.communicate()
    assert alive(pid)
    leave(other)
    assert not alive(pid)


def test_it_stops_when_its_last_process_is_killed(folder: Path) -> None:
    process = user_of(folder)
    pid = postmaster(folder)
    process.kill()
    process.communicate()
    assert soon(lambda: not alive(pid))


def test_it_is_run_again_after_a_crash(folder: Path) -> None:
    server = EmbeddedServer(folder)
    server.start()
    pid = postmaster(folder)
    os.kill(pid, signal.SIGKILL)
    assert soon(lambda: not alive(pid))

    def again() -> bool:
        with suppress(Exception):  # what the old server's processes still hold is let go within moments
            server.keep_running()
            psycopg.connect(server.conninfo("postgres")).close()
            return True
        return False

    assert soon(again)
    assert postmaster(folder) != pid
    server.stop()


def test_however_often_it_crashes_one_process_waits_to_stop_it(folder: Path) -> None:
    server = EmbeddedServer(folder)
    server.start()
    for _ in range(3):
        pid = postmaster(folder)
        os.kill(pid, signal.SIGINT)
        assert soon(lambda pid=pid: not alive(pid))  # type: ignore[misc]
        server.keep_running()
    assert len(guardians(folder)) == 1
    server.stop()
    assert soon(lambda: not guardians(folder))
    server.start()
    assert len(guardians(folder)) == 1
    server.stop()


def guardians(folder: Path) -> list[psutil.Process]:
    """The processes that wait to stop the folder's server."""
    words = ["crm.database.guardian", str(folder.resolve())]
    return [each for each in psutil.process_iter(["cmdline"]) if (each.info["cmdline"] or [])[-2:] == words]


def test_one_that_ends_by_itself_while_it_is_stopped_is_stopped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a recovery that failed: what went wrong is told then, and not that there is nothing to stop."""
    server = EmbeddedServer(folder)
    server.start()
    ordered = server._control

    def beaten_to_it(action: str, *options: str) -> None:
        if action == "stop":
            ordered(action, *options)
        ordered(action, *options)

    monkeypatch.setattr(server, "_control", beaten_to_it)
    server.stop()
    assert not (folder / "data" / "postmaster.pid").exists()


def test_the_marks_of_a_dead_server_do_not_stop_a_new_one(folder: Path) -> None:
    """Its number may belong to somebody else of the same user by now."""
    server = EmbeddedServer(folder)
    server.start()
    marks = [folder / "data" / "postmaster.pid", *(folder / "socket").glob(".s.PGSQL.*.lock")]
    texts = [mark.read_text().splitlines() for mark in marks]
    assert len(marks) == 2
    server.stop()
    with subprocess.Popen(["sleep", "60"], **SystemUser().process) as other:
        for mark, text in zip(marks, texts, strict=True):
            mark.write_text("\n".join([str(other.pid), *text[1:]]) + "\n")
        server.start()
        psycopg.connect(server.conninfo("postgres")).close()
        server.stop()
        other.kill()


def test_four_processes_come_up_together_on_a_fresh_and_on_an_existing_folder(folder: Path) -> None:
    for _ in range(2):
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", USER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(4)
        ]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "running\n"
        for process in processes:
            leave(process)
        assert not (folder / "data" / "postmaster.pid").exists()


def test_it_comes_up_at_once_after_its_main_process_was_killed_at_work(folder: Path) -> None:
    server = EmbeddedServer(folder)
    server.start()
    at_work = psycopg.connect(server.conninfo("postgres"), autocommit=True)
    at_work.pgconn.send_query(b"SELECT pg_sleep(2), sum(n) FROM generate_series(1, 3000000) n")
    os.kill(postmaster(folder), signal.SIGKILL)
    EmbeddedServer(folder).start()
    psycopg.connect(server.conninfo("postgres")).close()
    at_work.close()
    server.stop()
