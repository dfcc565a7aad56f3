"""The values of a command's fields, found as the profile says."""

from __future__ import annotations

from datetime import date, datetime, time
from string import Formatter
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from sheets.mapping.cells import Cells
from sheets.mapping.values import Misfit
from sheets.profile import Condition, Field, Profile


class Reference(msgspec.Struct, frozen=True):
    """A record that a row needs: which, by what key, and the column that names it."""

    record: str
    key: tuple[str, ...]
    id: UUID
    column: str | None = None


class Resolver:
    """Finds the values of fields in the cells of one row, and remembers the records that it referred to."""

    def __init__(self, profile: Profile, cells: Cells | None) -> None:
        self._profile = profile
        self._cells = cells
        self.references: list[Reference] = []

    def holds(self, condition: Condition) -> bool:
        """Whether a condition is true of the row."""
        return (
            all(self._text(column) in allowed for column, allowed in condition.column_is.items())
            and all(self._text(column) for column in condition.filled)
            and not any(self._text(column) for column in condition.empty)
        )

    def value(self, field: str | Field) -> Any:
        """What a field gets; a bare name is a column. Raises Misfit when a translation does not know the value."""
        if isinstance(field, str):
            return self._column(field)
        if field.refers is not None:
            return self._refer(field)
        if field.parts:
            return field.separator.join(text for part in field.parts if (text := self._fill(part))) or None
        found = self._fill(field.text) if field.text else self._column(field.column) if field.column else field.value
        if found is None or found == "":
            return field.default
        if field.translate or field.others is not msgspec.UNSET:
            found = self._translate(field, str(found))
        return self._moment(field.at, found) if field.at and isinstance(found, date) else found

    def _translate(self, field: Field, text: str) -> Any:
        if text not in field.translate:
            if field.others is not msgspec.UNSET:
                return field.others
            raise Misfit("not-one-of", accepted=", ".join(field.translate))
        return field.translate[text]

    def _moment(self, at: str, day: date) -> datetime:
        return datetime.combine(day, time.fromisoformat(at), tzinfo=ZoneInfo(self._profile.formats.time_zone))

    def _refer(self, field: Field) -> UUID | None:
        key = tuple(self._text(column) for column in field.key)
        if any(key) or not field.key:
            return self._note(field.refers or "", key, field.key[0] if field.key else None)
        return self._note(field.otherwise, (), field.key[0]) if field.otherwise else None

    def _note(self, record: str, key: tuple[str, ...], column: str | None) -> UUID:
        reference = Reference(record, key, self._profile.id_of(record, key), column)
        self.references.append(reference)
        return reference.id

    def _column(self, name: str) -> Any:
        return self._cells.values.get(name) if self._cells else None

    def _text(self, name: str) -> str:
        return self._cells.text(name) if self._cells else ""

    def _fill(self, template: str) -> str | None:
        """The text with its columns filled in; nothing when one of them is empty."""
        names = [name for _, name, _, _ in Formatter().parse(template) if name]
        texts = {name: self._text(name) for name in names}
        return template.format_map(texts) if all(texts.values()) else None
