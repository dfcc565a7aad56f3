"""Whether a server archives its write-ahead log as it should, be it an embedded one or any other."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import structlog

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Failing:
    """The server tries in vain; meanwhile it keeps what is not archived, and its disk fills."""

    segment: str
    tried_at: datetime
    worked_at: datetime | None
    """When archiving last worked; none where it never did."""


def failing(connection: psycopg.Connection[Any]) -> Failing | None:
    """What fails; none where archiving works, or is not asked for."""
    found = connection.execute(
        """
        SELECT last_failed_wal, last_failed_time, last_archived_time FROM pg_stat_archiver
        WHERE last_failed_time > coalesce(last_archived_time, '-infinity') AND current_setting('archive_mode') <> 'off'
        """
    ).fetchone()
    return Failing(*found) if found else None


def archives_into(connection: psycopg.Connection[Any], archive: Path) -> bool:
    """The embedded server was started with this archive; what is set now says nothing about one that ran before."""
    (command,) = connection.execute("SELECT current_setting('archive_command')").fetchone() or ("",)
    return shlex.quote(str(archive / "wal")).replace("%", "%%") in command


def warn_of_failing(connection: psycopg.Connection[Any]) -> None:
    """Say so in the log where archiving fails."""
    if (fault := failing(connection)) is not None:
        log.warning(
            "the write-ahead log cannot be archived: nothing newer can be recovered, and the disk fills",
            segment=fault.segment,
            tried_at=fault.tried_at.isoformat(),
            worked_at=fault.worked_at and fault.worked_at.isoformat(),
        )
