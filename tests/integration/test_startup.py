"""Starting together: however many processes come up at once, on a fresh store or an old one, all of them do."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

PROCESSES = 4
STARTING = """
import sys
from crm import settings, store
from crm.members import first_token
from crm.services import services
from commands.base import execute
from commands.customers import RegisterCustomer
from policy import Actor

print("imported", flush=True)
sys.stdin.readline()
with store.opened(settings.read()) as opened:
    opened.prepare()
    token = first_token(opened)
    with services(opened, connections=2) as made:
        by = Actor("rule:test", None, "test", "rule")
        outcome = execute(RegisterCustomer(name="上海明远科技", kind="company"), to=None, by=by, door=made.door)
        print(token, outcome.position, flush=True)
"""


def start_together(**environment: str) -> list[tuple[str | None, int]]:
    """The first token (or none) and the position of a customer that each of some processes came to."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", STARTING],
            env={**clean, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "imported\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate()[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * PROCESSES
    return [(None if token == "None" else token, int(position)) for token, position in answers]


def check_together(**environment: str) -> None:
    """They all come up on a fresh store and on what it has become, make one token, and write without gaps."""
    positions: list[int] = []
    tokens: list[str] = []
    for _ in range(2):
        for token, position in start_together(**environment):
            positions.append(position)
            tokens += [token] if token else []
    assert len(tokens) == 1
    assert len(set(positions)) == 2 * PROCESSES
    assert max(positions) == 2 * PROCESSES + 1  # and the member to whom the token belongs


def test_on_an_embedded_store(place: Path) -> None:
    check_together(CRM_DATA_DIR=str(place / "data"))
    assert not (place / "data" / "postgres" / "data" / "postmaster.pid").exists()


@pytest.fixture
def fresh_database(server: str) -> Iterator[str]:
    """The name of a database that is not there yet, on the tests' server."""
    conninfo = make_conninfo(server, dbname=f"t_{secrets.token_hex(4)}")
    yield conninfo
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        name = sql.Identifier(str(conninfo_to_dict(conninfo)["dbname"]))
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def test_on_a_server_of_yours(fresh_database: str, tmp_path: Path) -> None:
    check_together(CRM_DATABASE_URL=fresh_database, CRM_DATA_DIR=str(tmp_path))


@pytest.mark.torture
@pytest.mark.parametrize("round", range(50))
def test_again_and_again(place: Path, tmp_path: Path, fresh_database: str, round: int) -> None:
    check_together(CRM_DATA_DIR=str(place / "data"))
    check_together(CRM_DATABASE_URL=fresh_database, CRM_DATA_DIR=str(tmp_path))
