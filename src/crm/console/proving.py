"""Commands that build read models anew, and prove that they and the ledger are as they should be."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.output import AsJson, as_json, as_table, bar, refusal, sentence

if TYPE_CHECKING:
    from rich.progress import Progress

    from crm.services import Services
    from ledger.database import Connection
    from projections.engine.build.jobs import Job
    from projections.engine.model.declaration import Projection

LOOKS_APART = 0.2
MOST_DOUBLINGS = 100
"""Doublings that are told one by one at a terminal."""


def rebuild(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which read models; all of them when none is named.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Build read models anew beside the live ones, which serve until the new ones take their places."""
    from crm.console.opening import working_services

    with working_services() as made, bar(quiet=json) as shown:
        finished = followed(made, requested(made, _named(names)), shown)
    if json:
        as_json({"jobs": finished})
    else:
        as_table(
            ["read model", "state", "events"], [(each.projection, each.state, each.events_done) for each in finished]
        )
    if any(each.state != "done" for each in finished):
        for each in finished:
            if each.error:
                refusal(f"{each.projection}: {each.error}")
        raise typer.Exit(1)


def verify(
    names: Annotated[
        list[str] | None, typer.Argument(help="Which read models; all of them when none is named.")
    ] = None,
    start: Annotated[
        int, typer.Option("--from", min=1, help="Check the chain from this position; what is before it is trusted.")
    ] = 1,
    ledger: Annotated[bool, typer.Option("--ledger", help="Only the ledger, and no read model.")] = False,
    json: AsJson = False,
) -> None:
    """Prove the chain of hashes, what was signed about it, the claims and the read models; exit code 1 if any differ.

    Claims and read models are told from the events, so they are only compared where the chain holds.
    """
    from crm.console.opening import services, working_services
    from crm.proving import prove_ledger

    wanted = [] if ledger else _named(names)
    with working_services() if wanted else services() as made, bar(quiet=json) as shown:
        head = made.ledger.head()
        if start > head + 1:
            refusal(f"The position {start} does not exist yet; the last one is {head}.")
            raise typer.Exit(2)
        task = shown.add_task("the chain", total=head - start + 1)
        found = prove_ledger(made, start, lambda checked: shown.update(task, completed=checked))
        models = [_proven(made, each, shown) for each in wanted] if found["claims"] else []
    is_clean = all(each is not None and each["is_clean"] for each in (*models, *found.values()))
    if json:
        as_json({"is_clean": is_clean, "projections": models, **found})
    else:
        _say_of_ledger(**found)
        for each in models:
            _say(f"{each['projection']} ({each['rows']} rows at position {each['position']})", each)
    if not is_clean:
        raise typer.Exit(1)


def _named(names: list[str] | None) -> list[type[Projection]]:
    from projections import ALL

    known = {each.name: each for each in ALL}
    for name in names or ():
        if name not in known:
            refusal(f"There is no read model {name}; there are {', '.join(known)}.")
            raise typer.Exit(2)
    return [known[name] for name in names or known]


def requested(made: Services, projections: Sequence[type[Projection]]) -> list[Job]:
    """Ask for them to be rebuilt, by whichever workers take the jobs."""
    from projections.engine.build import jobs

    with made.database.connection(autocommit=True) as connection:
        return [jobs.request(connection, "rebuild", each.name, each.version) for each in projections]


def followed(made: Services, asked: Sequence[Job], shown: Progress) -> list[Job]:
    """Follow jobs to their ends; Ctrl-C cancels them."""
    from projections.engine.build import jobs

    with made.database.connection(autocommit=True) as connection:
        try:
            return [_followed(connection, job, shown) for job in asked]
        except KeyboardInterrupt:
            for job in asked:
                jobs.cancel(connection, job.job_id)
            raise


def _followed(connection: Connection, job: Job, shown: Progress) -> Job:
    from projections.engine.build import jobs

    task = shown.add_task(job.projection, total=None)
    while not job.is_over:
        time.sleep(LOOKS_APART)
        job = jobs.find(connection, job.job_id) or job
        shown.update(task, completed=job.events_done, total=job.events_total)
    return job


def _proven(made: Services, projection: type[Projection], shown: Progress) -> dict[str, Any]:
    from projections.engine.verifying import verify as proof

    with made.reader.at(projection.name, after=made.ledger.head(), timeout=60.0):
        pass  # a read model that is only being built yet is waited for
    task = shown.add_task(projection.name, total=None)
    found = proof(made.ground, projection, lambda position, upto: shown.update(task, completed=position, total=upto))
    return {**asdict(found), "is_clean": found.is_clean}


def _say_of_ledger(chain: dict[str, Any], checkpoints: dict[str, Any], claims: dict[str, Any] | None) -> None:
    since = f" from position {chain['from']} on" if chain["from"] > 1 else ""
    _say(f"the chain of {chain['checked']} events{since}", chain)
    if checkpoints["visible"]:
        cut = f", {checkpoints['knowingly_cut']} of them cut by a restoration" if checkpoints["knowingly_cut"] else ""
        _say(f"the {checkpoints['compared']} signed checkpoints{cut}", checkpoints)
    else:
        sentence("Not compared: signed checkpoints, of which there is no folder here.")
    if claims:
        _say(f"the {claims['checked']} claims", claims)
        _say_of_doublings(claims["doublings"])
    else:
        sentence("Not compared: claims and read models, since the chain does not hold.")


def _say_of_doublings(doublings: list[dict[str, Any]]) -> None:
    """Rows that were written twice: failures, then those of before rows were written once, which are none."""
    open_ones = [each for each in doublings if not each["mended"] or each["failure"]]
    if not doublings:
        return
    mended = f", {len(doublings) - len(open_ones)} more are mended" if len(open_ones) < len(doublings) else ""
    sentence(f"NOTE:   {len(open_ones)} rows of imports stand twice{mended}.")
    for each in sorted(open_ones, key=lambda each: not each["failure"])[:MOST_DOUBLINGS]:
        second = ", ".join(f"{one['event']} at position {one['position']}" for one in each["second"])
        when = "" if each["failure"] else " (before rows were written once)"
        sentence(
            f"        {each['profile']}, row {each['row']}, {each['record']['kind']} {each['record']['id']}{when}:"
        )
        sentence(f"          first {each['first']['event']} at position {each['first']['position']}, again {second}")
        sentence(f"          {each['what_to_do']}")
    if len(open_ones) > MOST_DOUBLINGS:
        sentence(f"        and {len(open_ones) - MOST_DOUBLINGS} more; --json lists all.")


def _say(what: str, found: dict[str, Any]) -> None:
    sentence(f"{'Proven:' if found['is_clean'] else 'WRONG: '} {what}.")
    if found.get("fault"):
        sentence(f"        {found['fault']} at position {found['first_bad']}")
    for each in found.get("disagreements", ()):
        where = f", first bad position {each['first_bad']}" if each["first_bad"] else ""
        sentence(f"        {each['fault']}: {each['file']}{where}")
    if found.get("unreadable"):
        sentence(f"        {found['unreadable']}")
    for each in found.get("differences", ()):
        sentence(f"        {each}")
