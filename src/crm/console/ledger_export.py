"""Takes the whole ledger along, as `crm export ledger FILE`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import typer

from crm.output import as_json, bar, refusal, sentence

FAILED, CANNOT_START = 1, 2
STANDARD_OUTPUT = "-"
ENDINGS = (".jsonl", ".jsonl.gz")


def export_ledger(out: str, *, force: bool, json: bool) -> None:
    """Write it to a file that is put in its place when it is whole, or to standard output."""
    from ledger.placing import Taken, placed

    if out == STANDARD_OUTPUT:
        _write(sys.stdout.buffer, zipped=False, quiet=True)
        return
    path = Path(out)
    if not path.name.lower().endswith(ENDINGS):
        _cannot_start(f"The ledger is written as {' or '.join(ENDINGS)}, and the name of the file must say so.")
    try:
        with placed(path, overwriting=force) as file:
            told = _write(file, zipped=path.suffix.lower() == ".gz", quiet=json)
    except Taken:
        _cannot_start(f"{path} is there already: choose another name, or overwrite it with --force.")
    except OSError as failed:
        refusal(f"{path} cannot be written: {failed.strerror or failed}.")
        raise typer.Exit(FAILED) from None
    if json:
        as_json({**told, "file": str(path)})
    else:
        sentence(f"Wrote {told['events']} events to {path}, up to position {told['position']} of the ledger.")


def _cannot_start(why: str) -> NoReturn:
    refusal(why)
    raise typer.Exit(CANNOT_START)


def _write(file: BinaryIO, *, zipped: bool, quiet: bool) -> dict[str, Any]:
    from crm.console.asking import AUDITOR
    from crm.console.opening import services
    from crm.exporting.ledger import write_ledger

    with services() as made, bar(quiet=quiet, counted=True) as shown:
        made.policy.require(AUDITOR, "read-audit")
        task = shown.add_task("Writing events", total=made.ledger.head())
        with made.database.connection() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return write_ledger(
                connection, file, zipped=zipped, progress=lambda done: shown.update(task, completed=done)
            )
