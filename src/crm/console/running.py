"""Commands that run the service: serve, work, migrate."""

from __future__ import annotations

from typing import Annotated

import typer

from crm.output import AsJson, as_json, sentence


def serve(
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes answer requests.")] = 1,
    work: Annotated[bool, typer.Option(help="Keep the read models up to date from here, too.")] = True,
) -> None:
    """Serve the API, with everything it needs: the database when it is embedded, and the worker of the read models."""
    from crm import settings
    from crm.processes.service import serve

    serve(settings.read(), workers=workers, work=work)


def work() -> None:
    """Keep the read models up to date, beside a service that runs with --no-work."""
    from crm.processes.work import run

    run(None)


def migrate(json: AsJson = False) -> None:
    """Make the database ready for this release: schema, tables, roles."""
    from crm import settings, store

    with store.opened(settings.read()) as opened:
        ran = opened.migrate()
    if json:
        as_json({"schema": opened.settings.schema, "migrations": ran})
    else:
        sentence(f"Ran {', '.join(ran)}." if ran else "Everything is up to date.")
