"""How reports are laid out for a terminal of eighty columns; with --wide, everything that they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from itertools import chain
from typing import Any

from crm.output import Cells, Heading

UNKNOWN = "–"
AMOUNTS = frozenset({"amount", "open", "collected", "written_off", "won_amount"})


@dataclass(frozen=True)
class Laid:
    """A table that is ready to be printed."""

    headings: list[Heading]
    rows: list[Cells]


LISTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "overdue": (
        ("customer", "customer"),
        ("invoice_no", "invoice"),
        ("due_on", "due"),
        ("days_past_due", "days late"),
        ("open", "open"),
        ("currency", ""),
    ),
    "tracking": (
        ("code", "code"),
        ("name", "name"),
        ("owner", "owner"),
        ("lifecycle", "stage"),
        ("last_followed_up_at", "last contact"),
        ("next_contact_on", "next contact"),
    ),
}
"""The columns of lists that fit, and what they are headed with."""

WRAPPED = frozenset({"customer", "name"})


def listed(name: str, items: list[dict[str, Any]], zone: tzinfo) -> Laid:
    """A list, a line a row, with the few columns that fit."""
    columns = LISTS[name]
    headings = [Heading(shown, right=_is_number(key), wraps=key in WRAPPED) for key, shown in columns]
    return Laid(headings, [[_text(key, item[key], zone) for key, _ in columns] for item in items])


def stacked(groups: list[dict[str, Any]]) -> Laid:
    """Groups one under the other, a line for each stage or bucket."""
    keys = [key for key in groups[0]["key"] if not key.endswith("_id")]
    headings = [Heading(key, wraps=key != "currency") for key in keys]
    headings += [Heading(""), Heading("count", right=True), Heading("share", right=True), Heading("amount", right=True)]
    rows: list[Cells] = []
    for group in groups:
        shown = [group["key"][key] or UNKNOWN for key in keys]
        for number, line in enumerate(_lines(group)):
            rows.append([*(shown if number == 0 else [""] * len(keys)), *line])
        rows.append([])
    return Laid(headings, rows[:-1])


def wide(items: list[dict[str, Any]], zone: tzinfo) -> Laid:
    """Every column in which anything stands, each row in one line."""
    rows = [dict(_flat("", item)) for item in items]
    names = list(dict.fromkeys(chain.from_iterable(rows)))
    names = [name for name in names if any(row.get(name) not in (None, "") for row in rows)]
    headings = [Heading(name, right=_is_number(name)) for name in names]
    return Laid(headings, [[_text(name, row.get(name), zone) for name in names] for row in rows])


def _lines(group: dict[str, Any]) -> Iterator[list[str]]:
    if "stages" in group:
        for stage in group["stages"]:
            yield [stage["stage"], str(stage["count"]), _share(stage["share"]), _money(stage["amount"])]
        lost_rate = None if group["win_rate"] is None else 1 - group["win_rate"]
        yield ["won, of closed", str(group["won"]), _share(group["win_rate"]), _money(group["won_amount"])]
        yield ["lost, of closed", str(group["lost"]), _share(lost_rate), ""]
        return
    for name in ("invoiced", "collected", "open", "overdue"):
        yield [name, str(group[name].get("count", "")), "", _money(group[name]["amount"])]
    total = sum(Decimal(bucket["amount"]) for bucket in group["buckets"])
    for bucket in group["buckets"]:
        share = float(Decimal(bucket["amount"]) / total) if total else None
        name = "not yet due" if bucket["bucket"] == "current" else f"{bucket['bucket']} days late"
        yield [f"  {name}", str(bucket["count"]), _share(share), _money(bucket["amount"])]


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """What is nested, as columns with names of several words; the key and the style of a row go without a word."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(key if name in ("", "key") else f"{name} {key}", each)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for entry in value:
            (_, label), *rest = entry.items()
            for key, each in rest:
                yield from _flat(f"{label} {key}", each)
    else:
        yield name, ", ".join(map(str, value)) if isinstance(value, list) else value


def _is_number(name: str) -> bool:
    last = name.rpartition(" ")[2]
    return last in AMOUNTS or last in NUMBERS or (len(last) == 3 and last.isupper())


NUMBERS = frozenset(
    {"count", "share", "days_past_due", "mean", "median", "won", "lost", "win_rate", "max_days_past_due"}
)


def _text(name: str, value: Any, zone: tzinfo) -> str:
    if value is None or value == "":
        return ""
    if name.endswith("_at"):
        return f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d}"
    if isinstance(value, str) and _is_number(name):
        return _money(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _money(amount: str | None) -> str:
    return UNKNOWN if amount is None else f"{Decimal(amount):,.2f}"
