"""The whole service: database, tables, processes that answer, and one that projects."""

from __future__ import annotations

import os

import structlog

from crm import logs, store
from crm.database.archive.failing import archives_into
from crm.database.errors import DatabaseUnusable
from crm.erasing import apply_erasures, tools
from crm.members import first_access
from crm.processes.child import Child
from crm.processes.listening import listen, url
from crm.processes.supervisor import supervise
from crm.processes.welcome import Welcome
from crm.settings import Settings
from crm.stopping import unwind_on_signals
from crm.store import Store

log = structlog.get_logger(__name__)


def serve(settings: Settings, *, workers: int, work: bool) -> None:
    """Serve until SIGTERM or SIGINT; what runs below ends with this process, however it ends."""
    unwind_on_signals()
    logs.configure(settings.log_level, settings.log_format)
    reading, writing = os.pipe()
    with listen(settings.host, settings.port) as listening, store.opened(settings) as opened:
        opened.prepare()
        _warn_without_archive(opened)
        with tools(opened) as needed:
            apply_erasures(needed)
        welcome = Welcome(url(settings.host, settings.port), first_access(opened))
        shared = [listening.fileno(), reading]
        children = [
            Child(
                f"web-{number}",
                "crm.processes.web",
                "--socket",
                str(shared[0]),
                "--lifeline",
                str(reading),
                descriptors=shared,
            )
            for number in range(1, workers + 1)
        ]
        if work:
            children.append(Child("work", "crm.processes.work", "--lifeline", str(reading), descriptors=[reading]))

        def every_second() -> None:
            _keep_database(opened)
            welcome.once_ready()

        supervise(children, every_second)
    os.close(writing)
    os.close(reading)


def _warn_without_archive(opened: Store) -> None:
    """An embedded server that another process had started before goes on as it was started."""
    if (archive := opened.settings.archive_dir) is not None:
        with opened.connection() as connection:
            if not archives_into(connection, archive):
                log.warning("the database was started without this archive: stop all that uses it and start again")


def _keep_database(opened: Store) -> None:
    """An embedded server that has crashed is run again; until then requests are answered with 503."""
    if opened.embedded is None:
        return
    try:
        opened.embedded.keep_running()
    except DatabaseUnusable as failed:
        log.error("the database could not be started and will be tried again", error=str(failed))
