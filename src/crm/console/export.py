"""The command that takes a whole table along, as a file that Excel opens or a program reads."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, NoReturn

import typer

from crm.console.ledger_export import export_ledger
from crm.output import AsJson, as_json, bar, refusal, sentence
from sheets.writing.formats import SUFFIXES, Format

if TYPE_CHECKING:
    from crm.exporting import Asked, Taking
    from sheets.writing import Line
    from sheets.writing.tables import Layout

FAILED, CANNOT_START = 1, 2
STANDARD_OUTPUT = "-"


class TableName(StrEnum):
    """What can be taken along."""

    TRACKING = "tracking"
    OPPORTUNITIES = "opportunities"
    RECEIVABLES = "receivables"
    OVERDUE = "overdue"
    HISTORY = "history"
    LEDGER = "ledger"


class Lang(StrEnum):
    """The languages of headings and values."""

    ZH = "zh"
    EN = "en"


def export(
    table: Annotated[TableName, typer.Argument(help="Which table.")],
    out: Annotated[str, typer.Argument(help="The file to write, its ending says which format; - for standard output.")],
    on: Annotated[str | None, typer.Option(help="The business day, as 2026-03-31; today when left out.")] = None,
    as_of: Annotated[str | None, typer.Option(help="What was known at a moment, as 2026-03-31T18:00:00Z.")] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", help="As in 'amount\\[gte]=1000' or, for history, 'customer_id=...'; may be repeated."
        ),
    ] = None,
    q: Annotated[
        str | None, typer.Option("--q", help="Only rows with this in a name or code, as q= in the API.")
    ] = None,
    sort: Annotated[str | None, typer.Option(help="Columns to sort by, with - for descending.")] = None,
    columns: Annotated[
        str | None, typer.Option(help="Only these columns, by field, with commas between: code,name,owner.")
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="What to write, where the name of the file does not say it.")
    ] = None,
    lang: Annotated[Lang, typer.Option(help="The language of headings and values.")] = Lang.ZH,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there already.")] = False,
    json: AsJson = False,
) -> None:
    """Write all rows of a table to a file: for people as xlsx or csv, for programs as json or jsonl.

    The ledger is written as jsonl or jsonl.gz, event by event as it is stored, for whoever verifies it elsewhere.
    Exit code 0: all of it is there. 1: it broke off and nothing was left behind. 2: it could not start.
    """
    from crm.exporting import Unanswerable, asked_of
    from sheets.writing.tables import LAYOUTS, UnknownColumn

    if table is TableName.LEDGER:
        if any((on, as_of, where, q, sort, columns, form)):
            _cannot_start("The ledger is exported whole: only --force and --json go with it.")
        export_ledger(out, force=force, json=json)
        return
    chosen = form or _format_of(out)
    try:
        asked = asked_of(table.value, on=on, as_of=as_of, filters=where or (), q=q, sort=sort)
        names = [name.strip() for name in (columns or "").split(",") if name.strip()]
        layout = LAYOUTS[table].choosing(names)
    except Unanswerable as unanswerable:
        _cannot_start(str(unanswerable))
    except UnknownColumn as unknown:
        _cannot_start(f"There is no column {unknown.name!r}; there are {', '.join(unknown.known)}.")
    if out == STANDARD_OUTPUT:
        told = _to_standard_output(asked, layout, chosen, lang)
    else:
        told = _to_file(asked, layout, chosen, lang, Path(out), force=force, quiet=json)
    if json and out != STANDARD_OUTPUT:
        as_json(told)
    elif out != STANDARD_OUTPUT:
        sentence(
            f"Wrote {told['rows']} rows to {out}: on {told['on']}, up to position {told['position']} of the ledger."
        )


def _format_of(out: str) -> Format:
    if out == STANDARD_OUTPUT:
        return Format.CSV
    form = SUFFIXES.get(Path(out).suffix.lower())
    if form is None:
        _cannot_start(f"The name of the file must end in {', '.join(SUFFIXES)}, or --format must say what to write.")
    return form


def _cannot_start(why: str) -> NoReturn:
    refusal(why)
    raise typer.Exit(CANNOT_START)


def _to_file(
    asked: Asked, layout: Layout, form: Format, lang: Lang, path: Path, *, force: bool, quiet: bool
) -> dict[str, Any]:
    from ledger.placing import Taken, placed

    try:
        with placed(path, overwriting=force) as file:
            told = _write(asked, layout, form, lang, file, quiet=quiet)
    except Taken:
        _cannot_start(f"{path} is there already: choose another name, or overwrite it with --force.")
    except OSError as failed:
        refusal(f"{path} cannot be written: {failed.strerror or failed}.")
        raise typer.Exit(FAILED) from None
    return {**told, "file": str(path)}


def _to_standard_output(asked: Asked, layout: Layout, form: Format, lang: Lang) -> dict[str, Any]:
    if form is Format.XLSX and sys.stdout.isatty():
        _cannot_start("A workbook cannot be shown on a terminal: name a file, or send it on with > or |.")
    out = sys.stdout.buffer
    try:
        if form is not Format.XLSX:
            told = _write(asked, layout, form, lang, out, quiet=True)
        else:
            with tempfile.TemporaryFile() as file:
                told = _write(asked, layout, form, lang, file, quiet=True)
                file.seek(0)
                shutil.copyfileobj(file, out)
        out.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever listened has heard enough
        raise typer.Exit(FAILED) from None
    return told


def _write(asked: Asked, layout: Layout, form: Format, lang: Lang, file: BinaryIO, *, quiet: bool) -> dict[str, Any]:
    from aggregates.base import DomainError
    from api.answers.encoding import to_json
    from crm.console.asking import AUDITOR
    from crm.console.opening import working_services
    from crm.exporting import taking
    from crm.exporting.asked import why
    from projections.engine.failures import BuildFailed, NotBuilt, StillBuilding
    from sheets.writing import written

    with working_services() as made:
        try:
            with taking(made, asked, layout, lang.value, AUDITOR) as taken:
                with _progress(taken, quiet=quiet) as lines:
                    rows = written(form, taken.layout.sheet(lang.value), lines, file, to_json)
                made.accesses.note("export", AUDITOR.id, f"export-{asked.table}", rows=rows)
                return {"rows": rows, "on": taken.on, "position": taken.position}
        except DomainError as refused:
            _cannot_start(why(refused))
        except (NotBuilt, StillBuilding, BuildFailed) as unready:
            refusal(f"The read model of {asked.table} is not ready ({type(unready).__name__}): see crm verify.")
            raise typer.Exit(FAILED) from None


@contextmanager
def _progress(taken: Taking, *, quiet: bool) -> Iterator[Iterator[Line]]:
    """The same lines, counted on a terminal as they go by."""
    with bar(quiet=quiet, counted=True) as shown:
        yield iter(shown.track(taken.lines, total=taken.total, description="Writing rows"))
