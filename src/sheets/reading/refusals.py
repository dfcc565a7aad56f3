"""What could not be read or imported, as data: file, line, column, value and why."""

from __future__ import annotations

from typing import Any

import msgspec

LONGEST_SHOWN = 80


class Refusal(msgspec.Struct, frozen=True):
    """One thing in a file that was refused. `code` and `values` say why; the sentence is made where it is shown."""

    code: str
    file: str
    line: int | None = None
    column: str | None = None
    value: str | None = None
    values: dict[str, Any] = {}


class Unreadable(Exception):
    """A file cannot be read at all: nothing of it is imported."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__("; ".join(f"{one.file}: {one.code}" for one in refusals))
        self.refusals = refusals


def shorten(value: str) -> str:
    """A cell as a report line shows it: control characters made visible, at most 80 characters."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in value[:LONGEST_SHOWN])
    return shown if len(value) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 1] + "…"
