"""A process that makes backups, one whenever the newest is too old."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import structlog

from crm import logs, settings, stopping, store
from crm.backups.errors import BackupUnusable
from crm.backups.folder import Folder, made_at
from crm.backups.making import make, thin
from crm.database.errors import DatabaseUnusable
from crm.keys.signing import SigningKeyUnusable
from crm.settings import Settings
from ledger.erasing.register import Unreadable

log = structlog.get_logger(__name__)
TRIED_AGAIN_AFTER = 60.0
LOOKS_APART = 60.0


def run(hours: float) -> None:
    """Go on until SIGTERM; what fails is tried again after a minute."""
    stopping.unwind_on_signals()
    chosen = settings.read()
    logs.configure(chosen.log_level, chosen.log_format)
    folder = Folder(chosen.backup_dir)
    while True:
        if (due := seconds_left(folder, timedelta(hours=hours), datetime.now(UTC))) > 0:
            time.sleep(min(due, LOOKS_APART))
        elif not _made(chosen):
            time.sleep(TRIED_AGAIN_AFTER)


def seconds_left(folder: Folder, apart: timedelta, now: datetime) -> float:
    """How long the newest backup is new enough; one from a time to come, when a clock was wrong, does not count."""
    newest = max((moment for each in folder.all() if (moment := made_at(each)) <= now), default=None)
    return 0.0 if newest is None else (newest + apart - now).total_seconds()


def _made(chosen: Settings) -> bool:
    try:
        with store.opened(chosen) as opened:
            made = make(opened)
            removed = thin(opened, made.manifest.ledger_id)
    except (BackupUnusable, DatabaseUnusable, SigningKeyUnusable, Unreadable, OSError) as failed:
        log.error("no backup could be made, and it will be tried again", reason=str(failed))
        return False
    except Exception:
        log.exception("no backup could be made, and it will be tried again")
        return False
    log.info(
        "a backup was made", position=made.manifest.position, bytes=made.size, keys=made.keys, removed=len(removed)
    )
    return True
