"""The command that loads a made-up company into a schema of its own, to try things with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.output import AsJson, as_json, bar, refusal, sentence

if TYPE_CHECKING:
    from datetime import date

    from crm.services import Services
    from crm.settings import Settings
    from crm.store import Store

CANNOT_START = 2
MOST_CUSTOMERS = 5_000
READ_WITHIN = 120.0
"""Seconds for the read models to get to the end of what was written."""
COUNTED = {
    "customer.registered": "customers",
    "customer.follow-up-logged": "follow-ups",
    "opportunity.opened": "opportunities",
    "receivable.issued": "receivables",
}
NEXT = """
{counts}: {events} events in {seconds:.1f} s, in the schema "{schema}".

Your token there, shown this once; it is {member}'s:

  {token}

Serve it, and try it in another terminal:

  CRM_SCHEMA={schema} {crm} serve

  export TOKEN={token}
  curl -G "{url}/tracking" --data-urlencode "q=科技" -H "Authorization: Bearer $TOKEN"
  curl "{url}/funnel?by=region" -H "Authorization: Bearer $TOKEN"
  curl "{url}/receivables/overdue?limit=5" -H "Authorization: Bearer $TOKEN"

Tables for Excel:  CRM_SCHEMA={schema} {crm} export tracking tracking.xlsx
"""


@dataclass(frozen=True)
class _Loaded:
    """What was written, and the token to look at it with."""

    counts: dict[str, int]
    events: int
    member: str
    token: str
    today: date


class _NotEmpty(Exception):
    """The schema has events already; the message says how many and what to do."""


def sample(
    schema: Annotated[str, typer.Option(help="The schema to load it into; it must not have any events.")] = "sample",
    customers: Annotated[int, typer.Option(min=1, max=MOST_CUSTOMERS, help="How many customers.")] = 120,
    seed: Annotated[int, typer.Option(help="The same seed on the same day makes the same company.")] = 7,
    json: AsJson = False,
) -> None:
    """Load a made-up Chinese sales company and the year behind it into a schema of its own, to try things with.

    Exit code 2: the schema has events already, or cannot be used.
    """
    from crm import settings, store

    try:
        chosen = settings.read({**os.environ, "CRM_SCHEMA": schema})
        begun = monotonic()
        with store.opened(chosen) as opened, _progress(quiet=json) as told:
            loaded = _load(opened, customers, seed, told)
    except settings.SettingRefused as refused:
        refusal(str(refused).replace("CRM_SCHEMA", "--schema"))
        raise typer.Exit(CANNOT_START) from None
    except _NotEmpty as refused:
        refusal(str(refused))
        raise typer.Exit(CANNOT_START) from None
    if json:
        as_json(_document(chosen, loaded, seed))
    else:
        sentence(_told(chosen, loaded, monotonic() - begun))


def _load(store: Store, customers: int, seed: int, told: Callable[[int, int], None]) -> _Loaded:
    from crm.sample import perform, year_of
    from crm.sample.performing import HANDS
    from crm.services import services
    from policy.identity import tokens

    store.prepare()
    with store.connection() as alone, services(store, connections=HANDS + 12) as made:
        _require_empty(alone, store.settings.schema)
        zone = made.door.settings().zone
        today = made.clock().astimezone(zone).date()
        deeds, leader = year_of(seed, customers, today, zone)
        position = perform(deeds, made.door, lambda done: told(done, len(deeds)))
        _build_read_models(made, position)
        with made.database.connection() as connection:
            _, token = tokens.create(connection, leader.name, leader.id)
            found = dict(connection.execute("SELECT topic, count(*) FROM events GROUP BY topic").fetchall())
    counts = {plural: int(found.get(topic, 0)) for topic, plural in COUNTED.items()}
    return _Loaded(counts, position, leader.name, token, today)


def _build_read_models(services: Services, position: int) -> None:
    """Have what is served next ready; so few events are folded right here, without processes of their own."""
    from projections import ALL
    from projections.engine.build.building import Builder
    from projections.engine.work.working import Worker

    stop = Event()
    worker = Worker(services.ground, ALL, stop, builder=Builder(services.ground, processes=0))
    thread = Thread(target=worker.run, name="worker")
    thread.start()
    try:
        for each in ALL:
            with services.reader.at(each.name, after=position, timeout=READ_WITHIN):
                pass
    finally:
        stop.set()
        thread.join()


def _require_empty(connection: Any, schema: str) -> None:
    """Refuse a schema that has a history, or is being given one; the lock holds while the connection is open."""
    (is_ours,) = connection.execute(
        "SELECT pg_try_advisory_lock(hashtextextended('genjin sample ' || %s, 0))", [schema]
    ).fetchone()
    if not is_ours:
        raise _NotEmpty(f'The schema "{schema}" is just being loaded by another crm sample.')
    (events,) = connection.execute("SELECT count(*) FROM events").fetchone()
    if events:
        raise _NotEmpty(
            f'The schema "{schema}" has {events} events already: name another one with --schema, '
            f"or serve it as it is with CRM_SCHEMA={schema} crm serve."
        )


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    with bar(quiet=quiet, counted=True) as shown:
        task = shown.add_task("A year of business", total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _document(settings: Settings, loaded: _Loaded, seed: int) -> dict[str, Any]:
    return {
        "schema": settings.schema,
        "seed": seed,
        "today": loaded.today,
        "events": loaded.events,
        "counts": loaded.counts,
        "member": loaded.member,
        "token": loaded.token,
    }


def _told(settings: Settings, loaded: _Loaded, seconds: float) -> str:
    from crm.processes.listening import url

    return NEXT.format(
        counts=", ".join(f"{count} {plural}" for plural, count in loaded.counts.items()),
        events=loaded.events,
        seconds=seconds,
        schema=settings.schema,
        member=loaded.member,
        token=loaded.token,
        crm=_this_command(),
        url=f"{url(settings.host, settings.port)}/api/v1",
    ).strip("\n")


def _this_command() -> str:
    """How this program was called, so that what is printed can be typed."""
    import sys
    from pathlib import Path

    called = Path(sys.argv[0])
    return sys.argv[0] if called.name == "crm" and called.exists() else "crm"
