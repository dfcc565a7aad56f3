"""A process that makes backups, one whenever the newest is too old."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import structlog

from crm import logs, settings, stopping, store
from crm.backups.folder import Folder, made_at
from crm.backups.making import make
from crm.settings import Settings

log = structlog.get_logger(__name__)
TRIED_AGAIN_AFTER = 60.0
LOOKS_APART = 60.0


def run(hours: float) -> None:
    """Go on until SIGTERM; what fails is tried again after a minute."""
    stopping.unwind_on_signals()
    chosen = settings.read()
    logs.configure(chosen.log_level, chosen.log_format)
    folder = Folder(chosen.backups.dir / chosen.schema)
    while True:
        if (due := _seconds_left(folder, timedelta(hours=hours))) > 0:
            time.sleep(min(due, LOOKS_APART))
        elif not _made(chosen, folder):
            time.sleep(TRIED_AGAIN_AFTER)


def _seconds_left(folder: Folder, apart: timedelta) -> float:
    newest = folder.all()[:1]
    return max((made_at(each) + apart - datetime.now(UTC)).total_seconds() for each in newest) if newest else 0.0


def _made(chosen: Settings, folder: Folder) -> bool:
    try:
        with store.opened(chosen) as opened:
            made = make(opened)
        removed = folder.thin(chosen.backups.retention, datetime.now(UTC))
    except Exception:
        log.exception("no backup could be made, and it will be tried again")
        return False
    log.info(
        "a backup was made", position=made.manifest.position, bytes=made.size, keys=made.keys, removed=len(removed)
    )
    return True
