"""A server of one's own recovered to a moment by the steps that docs/operations.md tells, as they stand there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from commands.base import execute
from commands.customers import RegisterCustomer
from crm import settings, store
from crm.database.embedded import programs
from crm.database.system_user import SystemUser
from crm.services import Services, services
from end_to_end.running import environment_of, soon
from keys import MASTER_KEY, as_setting
from ledger.proof.chain import verify_chain
from policy import Actor

BY = Actor("rule:test", None, "test", "rule")
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
MOMENT = "2026-11-22 18:00:00+08:00"


@pytest.fixture
def steps() -> list[str]:
    """What is to be typed: the settings, the base backup, the recovery."""
    text = OPERATIONS.read_text(encoding="utf-8")
    section = text[text.index("### A server of yours") : text.index("## Something to try things with")]
    return re.findall(r"```bash\n(.*?)```", section, re.DOTALL)


@pytest.fixture
def place_of_its_own(place: Path) -> Path:
    """A folder that belongs to the user whom a server may run as."""
    user = SystemUser()
    user.passes(programs() / "postgres")
    user.owns(place)
    return place


def typed(place: Path, script: str) -> None:
    """Have the server's user type it, with folders of ours for those of the page."""
    for name in ("/archive", "/recovered", "/var/lib/postgresql/data"):
        script = re.sub(rf"(?<![\w/]){name}\b", str(place / Path(name).name), script)
    with (place / "typed").open("wb") as said:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", re.sub(r"start\n", f"start -l {place}/start.log\n", script)],
            cwd=place,
            env={"PATH": f"{programs()}:/usr/bin:/bin", "LC_ALL": "C", "PGHOST": str(place), "PGUSER": "postgres"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            timeout=60,
            check=False,
            **SystemUser().process,
        )
    assert done.returncode == 0, (place / "typed").read_text() + _said(place)


def _said(place: Path) -> str:
    log = place / "start.log"
    return log.read_text()[-3000:] if log.exists() else ""


@contextmanager
def serving(place: Path, port: int) -> Iterator[Services]:
    """Genjin on one of these servers."""
    url = f"postgresql://postgres@/genjin?host={place}&port={port}"
    chosen = settings.read(environment_of(place / "ours", CRM_DATABASE_URL=url, CRM_MASTER_KEY=as_setting(MASTER_KEY)))
    with store.opened(chosen) as opened:
        opened.prepare()
        with services(opened, connections=2) as made:
            yield made


def register(made: Services, *names: str) -> None:
    """Let customers be registered."""
    for name in names:
        execute(RegisterCustomer(name=name, kind="company"), to=None, by=BY, door=made.door)


def asked(place: Path, sentence: LiteralString, port: int = 5432) -> Any:
    """The one value that a question has."""
    conninfo = f"host={place} port={port} user=postgres dbname=postgres"
    with closing(psycopg.connect(conninfo, autocommit=True)) as connection:
        return (connection.execute(sentence).fetchone() or [None])[0]


def test_the_workspace_as_of_the_moment_is_there(place_of_its_own: Path, steps: list[str]) -> None:
    place, (settle, back_up, recover) = place_of_its_own, steps
    typed(
        place,
        "initdb -D data -U postgres -A trust -E UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C\n"
        f"""printf "listen_addresses=''\\nunix_socket_directories='{place}'\\nfsync=off\\n" >> data/postgresql.conf\n"""
        "pg_ctl -D data start\n",
    )
    try:
        typed(place, settle)
        with serving(place, 5432) as made:
            register(made, "一", "二", "三")
            typed(place, back_up)
            register(made, "四", "五")
            moment = asked(place, "SELECT clock_timestamp()")
            register(made, "六")
        segment = asked(place, "SELECT pg_walfile_name(pg_switch_wal())")
        assert soon((place / "archive" / "wal" / segment).exists)
        typed(place, recover.replace(MOMENT, moment.isoformat(sep=" ")))
        assert soon(lambda: asked(place, "SELECT NOT pg_is_in_recovery()", 5433))
        with serving(place, 5433) as made:
            with made.database.connection() as connection:
                names = connection.execute("SELECT FROM events WHERE topic = 'customer.registered'").fetchall()
                assert (len(names), verify_chain(connection).is_intact) == (5, True)
            register(made, "七")
    finally:
        typed(place, "for each in data recovered; do pg_ctl -D $each stop -m fast || true; done\n")
