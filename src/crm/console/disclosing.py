"""The command that tells a person what is held about it."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from crm.output import as_json, refusal, sentence


def disclose(
    customer: Annotated[UUID, typer.Argument(help="The customer's id.")],
    contact: Annotated[UUID | None, typer.Option(help="A contact of the customer, be it a former one.")] = None,
    out: Annotated[Path | None, typer.Option(help="A file: a page if its name ends in .html, else JSON.")] = None,
    lang: Annotated[str, typer.Option(help="en or zh.")] = "zh",
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there already.")] = False,
) -> None:
    """Write all that is held about one person: record, events, origins and accesses; JSON without a file.

    It is noted for auditors.
    """
    from api.documents.disclosed import page
    from crm.console.asking import answer
    from crm.console.opening import working_services

    if out is not None and out.exists() and not force:
        refusal(f"{out} is there already: choose another name, or overwrite it with --force.")
        raise typer.Exit(1)
    path = f"/customers/{customer}" + (f"/contacts/{contact}" if contact else "") + "/disclosure"
    with working_services() as made:
        told = answer(made, path, [("lang", lang), ("after", str(made.ledger.head()))])
    if out is None:
        as_json(told)
        return
    data = json_format.dumps(told, ensure_ascii=False, indent=2)
    is_page = out.suffix.lower() == ".html"
    out.write_text(page(data.encode(), "zh" if lang == "zh" else "en") if is_page else data + "\n", encoding="utf-8")
    sentence(f"Wrote {len(told['events'])} events to {out}.")
