"""The whole service: database, tables, processes that answer, and one that projects."""

from __future__ import annotations

import os

import structlog

from crm import logs, store
from crm.database.archive.failing import archives_into
from crm.database.errors import DatabaseUnusable
from crm.members import first_access
from crm.processes.child import Child
from crm.processes.listening import listen, url
from crm.processes.supervisor import begun, supervise
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
    gate, latch = os.pipe()
    with listen(settings.host, settings.port) as listening:
        answering = [_answering(number, listening.fileno(), reading, gate) for number in range(1, workers + 1)]
        with begun(answering), store.opened(settings) as opened:
            opened.prepare()
            _warn_without_archive(opened)
            _apply_erasures(opened)
            welcome = Welcome(url(settings.host, settings.port), first_access(opened))
            projecting = [Child("work", "crm.processes.work", "--lifeline", str(reading), descriptors=[reading])]

            def every_second() -> None:
                _keep_database(opened)
                welcome.once_ready()

            os.close(latch)
            supervise([*answering, *(projecting if work else [])], every_second)
    for descriptor in (writing, reading, gate):
        os.close(descriptor)


def _answering(number: int, listening: int, lifeline: int, gate: int) -> Child:
    """A process that reads its code at once, which takes longest of all, and answers once the gate is opened."""
    options = {"--socket": listening, "--lifeline": lifeline, "--gate": gate}
    words = [word for option, descriptor in options.items() for word in (option, str(descriptor))]
    return Child(f"web-{number}", "crm.processes.web", *words, descriptors=list(options.values()))


def _warn_without_archive(opened: Store) -> None:
    """An embedded server that another process had started before goes on as it was started."""
    if (archive := opened.settings.archive_dir) is not None:
        with opened.connection() as connection:
            if not archives_into(connection, archive):
                log.warning("the database was started without this archive: stop all that uses it and start again")


def _apply_erasures(opened: Store) -> None:
    """Whoever was erased stays so, before anything is answered."""
    from crm.erasing import apply_erasures, tools  # read here, beside those who read their code

    with tools(opened) as needed:
        apply_erasures(needed)


def _keep_database(opened: Store) -> None:
    """An embedded server that has crashed is run again; until then requests are answered with 503."""
    if opened.embedded is None:
        return
    try:
        opened.embedded.keep_running()
    except DatabaseUnusable as failed:
        log.error("the database could not be started and will be tried again", error=str(failed))
