"""What commands print: tables and sentences for people, or with --json nothing but JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.progress import Progress

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]

WIDE = 10_000
"""More columns than any table needs."""

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def as_json(value: Any) -> None:
    """Print one JSON document."""
    typer.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def as_table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table, as wide as it needs to be."""
    table = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*("" if each is None else str(_plain_text(each)) for each in row))
    out.print(table)


@dataclasses.dataclass(frozen=True)
class Heading:
    """The head of a column: what it holds, whether to the right, and whether it may be broken where space is short."""

    text: str
    right: bool = False
    wraps: bool = False


Cells = list[str]


def as_columns(headings: Sequence[Heading], rows: Iterable[Cells], *, wide: bool = False) -> None:
    """Print a table as wide as the terminal (80 columns where there is none), or with `wide` as wide as it needs."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for each in headings:
        table.add_column(
            Text(each.text),
            justify="right" if each.right else "left",
            no_wrap=not each.wraps or wide,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*map(Text, row))
    (Console(highlight=False, width=WIDE) if wide else Console(highlight=False)).print(table, soft_wrap=wide)


def bar(*, quiet: bool, counted: bool = False) -> Progress:
    """How far it is, for a person who waits at a terminal: as a share, or as so many of how many."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    how_far = MofNCompleteColumn() if counted else TaskProgressColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), how_far, TimeRemainingColumn())
    return Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal)


def sentence(text: str) -> None:
    """Print plain text, at once."""
    typer.echo(text)


def refusal(text: str) -> None:
    """Say on standard error why nothing was done."""
    err.print(f"crm: {text}", markup=False, style="red" if err.is_terminal else None)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _plain_text(value: Any) -> Any:
    return value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else value
