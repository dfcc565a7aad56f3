"""Commands that answer what people ask of the tables: the same answers as the API's."""

from __future__ import annotations

from datetime import tzinfo
from enum import StrEnum
from typing import Annotated, Any

import typer

from crm.output import AsJson, as_columns, as_json, sentence


class Report(StrEnum):
    """What can be reported."""

    FUNNEL = "funnel"
    AGING = "aging"
    OVERDUE = "overdue"
    TRACKING = "tracking"


PATHS = {
    Report.FUNNEL: "/funnel",
    Report.AGING: "/receivables/aging",
    Report.OVERDUE: "/receivables/overdue",
    Report.TRACKING: "/tracking",
}


def report(
    name: Annotated[Report, typer.Argument(help="What to report.")],
    on: Annotated[str | None, typer.Option(help="The business day, as 2026-03-31; today when left out.")] = None,
    as_of: Annotated[str | None, typer.Option(help="What was known at a moment, as 2026-03-31T18:00:00Z.")] = None,
    by: Annotated[str | None, typer.Option(help="Group by these, with commas between: owner,region.")] = None,
    where: Annotated[
        list[str] | None, typer.Option(help="A filter, as in 'amount\\[gte]=1000'; may be repeated.")
    ] = None,
    sort: Annotated[str | None, typer.Option(help="Columns to sort by, with - for descending.")] = None,
    limit: Annotated[int | None, typer.Option(help="How many rows of a list at most.")] = None,
    wide: Annotated[bool, typer.Option("--wide", help="Every column, however wide the table becomes.")] = False,
    json: AsJson = False,
) -> None:
    """Show a report: now, on any day, or as it was known at any moment."""
    from crm.console.asking import answer
    from crm.console.opening import working_services

    given = {"on": on, "as_of": as_of, "by": by, "sort": sort, "limit": limit}
    asked = [(key, str(value)) for key, value in given.items() if value is not None]
    asked += [tuple(each.split("=", 1)) for each in where or () if "=" in each]  # type: ignore[misc]
    with working_services() as made:
        if as_of is None:
            asked.append(("after", str(made.ledger.head())))
        shown = answer(made, PATHS[name], asked)
        zone = made.door.settings().zone
    as_json(shown) if json else _show(name, shown, zone, wide=wide)


def _show(name: Report, shown: dict[str, Any], zone: tzinfo, *, wide: bool) -> None:
    from crm.console import layouts

    sentence(f"On {shown['on']}, up to position {shown['position']} of the ledger.")
    found = shown["items"] if "items" in shown else shown["groups"]
    if not found:
        sentence("Nothing.")
        return
    if wide:
        laid = layouts.wide(found, zone)
    else:
        laid = layouts.listed(name, found, zone) if "items" in shown else layouts.stacked(found)
    as_columns(laid.headings, laid.rows, wide=wide)
    if shown.get("next"):
        sentence("There are more rows: --limit shows up to 200, and the API's pages all.")
    if not wide:
        sentence("More columns with --wide, all that is known with --json.")
