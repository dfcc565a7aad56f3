"""The history as a table: who did what when, and what was there before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from projections.engine.lists.filtering import Column as Listed
from sheets.writing.cells import Line
from sheets.writing.tables.headings import Lang
from sheets.writing.tables.layout import Layout
from sheets.writing.tables.words import called

LISTED = {
    "position": Listed("", "number"),
    "recorded_at": Listed("", "instant"),
    "occurred_on": Listed("", "date"),
    "version": Listed("", "number"),
}
ARROW = " → "
AND = {"zh": "；", "en": "; "}


@dataclass(frozen=True)
class HistoryLayout(Layout):
    """An event a line; its changes stand in one cell, one after the other."""

    def line(self, row: Mapping[str, Any], lang: Lang, zone: tzinfo) -> Line:
        """An event as a line of the table."""
        record = row["aggregate"]
        kind = called("record", record["kind"], lang)
        flat = {
            **row,
            "actor": row["actor"]["name"] or row["actor"]["id"],
            "aggregate": f"{kind} {record['label']}" if record["label"] else kind,
            "aggregate_id": record["id"],
            "source": called("door", row["source"], lang),
            "changes": AND[lang].join(_change(each) for each in row["changes"]) or None,
        }
        return Line(super().line(flat, lang, zone).cells, row)


def _change(change: Mapping[str, Any]) -> str:
    before, after = change["before_shown"], change["after_shown"]
    shown = after if before is None else f"{before}{ARROW}{after or '-'}"
    return f"{change['label']}: {shown or '-'}"


HISTORY = HistoryLayout(
    title=("变更历史", "History"),
    fields=(
        "position",
        "recorded_at",
        "occurred_on",
        "actor",
        "source",
        "aggregate",
        "sentence",
        "changes",
        "reason",
        "topic",
        "customer_id",
    ),
    listed=LISTED,
    frozen=1,
    left_out=("aggregate_id", "command_id", "version"),
)
