"""Recovers a database to a moment, into a folder of its own, beside whatever runs."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from crm.database.archive.archiving import fetching, let_in
from crm.database.archive.base import verify
from crm.database.archive.planning import Plan, in_words
from crm.database.archive.segments import SIZE, place_of
from crm.database.archive.unpacking import unpack
from crm.database.embedded import EmbeddedServer
from crm.database.errors import ArchiveUnusable, DatabaseUnusable
from crm.database.system_user import SystemUser
from crm.database.tuning import quoted

WORKING = ".recovering"
"""Where the database is made, until it is whole."""

LONGEST = 86_400
"""Seconds until the base backup and what was written during it must be recovered."""

Told = Callable[[str, int, int], None]
"""Is told how far it is: what is being done, so much of so much."""
_TOO_EARLY = "recovery ended before configured recovery target was reached"
_LAST_PLACE = re.compile(r"redo done at (\S+)")
_LAST_CHANGE = re.compile(r"last completed transaction was at log time (\S+ \S+)\+00")
_OURS = re.compile(r"^crm: (.+)$", re.MULTILINE)
_FATAL = re.compile(r"(?:FATAL|PANIC): +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Recovered:
    """What was recovered."""

    folder: Path
    base: datetime
    last_change_at: datetime | None
    """When the last change was made that was recovered beyond the base backup; none where there was none."""


def recover(plan: Plan, folder: Path, told: Told) -> Recovered:
    """Make a data folder with the database as it was; raises ArchiveUnusable, and then leaves nothing behind."""
    made = not folder.exists()
    _require_empty(folder)
    working = folder / WORKING
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        working.mkdir(mode=0o700)
        last_change_at = _recover(plan, working / "postgres", told)
        (working / "postgres").rename(folder / "postgres")
    except OSError as refused:
        raise ArchiveUnusable(f"The database could not be written to {folder}: {refused}.") from refused
    finally:
        _remove(working)
        if made and folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
    return Recovered(folder, plan.base.moment, last_change_at)


def _remove(working: Path) -> None:
    """Under another name: whoever guards the server still looks for it under this one."""
    if working.exists():
        shutil.rmtree(working.rename(working.with_name(f"{WORKING}.gone")), ignore_errors=True)


def _require_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArchiveUnusable(f"--into must name a folder that is new or empty, and {folder} is not.")


def _recover(plan: Plan, folder: Path, told: Told) -> datetime | None:
    verify(plan.base.path)
    user, data, server = SystemUser(), folder / "data", EmbeddedServer(folder, start_within=LONGEST)
    folder.mkdir(mode=0o700)
    user.passes(data)
    unpack(plan.base, data, user, lambda done, total: told("Unpacking", done, total))
    settings = data / "postgresql.auto.conf"
    usual = settings.read_text(encoding="utf-8")
    settings.write_text(usual + _settings(plan, user), encoding="utf-8")
    (data / "recovery.signal").touch(mode=0o600)
    user.takes(data / "recovery.signal")
    try:
        server.start()
        last_change_at = _follow(server, plan, told)
    except ArchiveUnusable:
        raise
    except (DatabaseUnusable, psycopg.OperationalError) as failed:
        raise ArchiveUnusable(_reason(plan, data, failed)) from failed
    finally:
        server.stop()
    settings.write_text(usual, encoding="utf-8")
    return last_change_at


def _settings(plan: Plan, user: SystemUser) -> str:
    """What the server is told in order to recover; it goes on by itself once it is there."""
    let_in(plan.archive.wal, user)
    settings = {"restore_command": fetching(plan.archive.path), "recovery_target_timeline": "latest"}
    if plan.until is not None:
        moment = plan.until.astimezone(UTC).isoformat(sep=" ")
        settings |= {"recovery_target_time": moment, "recovery_target_action": "promote"}
    return "".join(f"{name} = {quoted(value)}\n" for name, value in settings.items())


def _follow(server: EmbeddedServer, plan: Plan, told: Told) -> datetime | None:
    """Wait until the server has recovered and takes changes again; answers when the last recovered one was made."""
    first = plan.base.begins // SIZE
    steps = plan.reach.last.number - first + 1 if plan.reach.last else 1
    with closing(psycopg.connect(server.conninfo("postgres"), autocommit=True)) as connection:
        while True:
            recovering, place, at = connection.execute(
                "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn()::text, pg_last_xact_replay_timestamp()"
            ).fetchone() or (True, None, None)
            number = place_of(place) // SIZE if place else first
            told("Recovering", number - first, steps)
            if not recovering:
                break
            time.sleep(0.1)
    if plan.until is None:
        _require_whole(plan, number)
    assert at is None or isinstance(at, datetime)
    return at


def _require_whole(plan: Plan, number: int) -> None:
    """A log that ends before the last segment of the archive was not read to its end."""
    if plan.reach.last is not None and number < plan.reach.last.number:
        line = plan.archive.line_from(plan.base.timeline)
        raise ArchiveUnusable(
            f"The log ends in the segment {line.at(number).name}, and {plan.reach.last.name} is the last one in the "
            "archive: one of those between is damaged. Name a moment before that with --until."
        )


def _reason(plan: Plan, data: Path, failed: Exception) -> str:
    """Why the server did not recover, from what it wrote down."""
    said = "".join(each.read_text(errors="replace") for each in (data / "start.log", *(data / "log").glob("*.log")))
    if _TOO_EARLY in said and plan.until is not None:
        for place in _LAST_PLACE.findall(said)[-1:]:
            _require_whole(plan, place_of(place) // SIZE)
        found = _LAST_CHANGE.findall(said)
        last = f"of {found[-1].replace(' ', 'T')}Z" if found else "from before the end of the base backup"
        return (
            f"The last change in the archive is {last}, and there is none after {in_words(plan.until)}: name an "
            "earlier moment, or recover all there is with --until latest."
        )
    reasons = dict.fromkeys([*_OURS.findall(said), *_FATAL.findall(said)])
    return f"The database could not be recovered: {'; '.join(reasons) or failed}."
