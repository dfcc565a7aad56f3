"""Commands that answer what people ask of the tables: the same answers as the API's."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from crm.console.output import AsJson, as_json, as_table, sentence


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
    as_json(shown) if json else _show(shown)


def _show(shown: dict[str, Any]) -> None:
    sentence(f"On {shown['on']}, up to position {shown['position']} of the ledger.")
    rows = shown["items"] if "items" in shown else [row for group in shown["groups"] for row in _rows(group)]
    if not rows:
        sentence("Nothing.")
        return
    headings = [name for name in rows[0] if any(row.get(name) not in (None, [], "") for row in rows)]
    as_table(headings, ([_cell(row.get(name)) for name in headings] for row in rows))
    if shown.get("next"):
        sentence("There are more: --limit shows up to 200, and the API's pages all.")


def _rows(group: dict[str, Any]) -> list[dict[str, Any]]:
    """One row a group: what is a list in it (stages, buckets) becomes columns named after its entries."""
    row: dict[str, Any] = dict(group["key"])
    for name, value in group.items():
        if name == "key":
            continue
        row.update(_flat(name, value))
    return [row]


def _flat(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [pair for key, each in value.items() for pair in _flat(f"{name} {key}", each)]
    if isinstance(value, list):
        return [pair for each in value for pair in _entry(each)]
    return [(name, value)]


def _entry(entry: dict[str, Any]) -> list[tuple[str, Any]]:
    (_, label), *rest = entry.items()
    return [pair for key, each in rest for pair in _flat(f"{label} {key}", each)]


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else value
