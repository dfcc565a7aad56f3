"""What is worth knowing about rows that were imported all the same: counted, not repeated for every row."""

from __future__ import annotations

from typing import Any

import msgspec


class Remark(msgspec.Struct, frozen=True):
    """Something seen in a file, how often, and where first."""

    code: str
    file: str
    column: str | None = None
    value: str | None = None
    count: int = 1
    first_line: int | None = None
    values: dict[str, Any] = {}


class Remarks:
    """Remarks as they gather; the same one is counted."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, str | None, str | None], Remark] = {}

    def add(
        self,
        code: str,
        file: str,
        column: str | None = None,
        value: str | None = None,
        line: int | None = None,
        **values: Any,
    ) -> None:
        """Note something once more."""
        place = (code, file, column, value)
        before = self._seen.get(place)
        if before is None:
            self._seen[place] = Remark(code, file, column, value, 1, line, values)
        else:
            self._seen[place] = msgspec.structs.replace(before, count=before.count + 1)

    def all(self) -> tuple[Remark, ...]:
        """All remarks, in the order in which they were first made."""
        return tuple(self._seen.values())
