"""The cells of a row as values, read by the rules of their columns, with what is odd about them."""

from __future__ import annotations

from sheets.mapping.remarks import Remarks
from sheets.mapping.values import Misfit, Value, convert
from sheets.profile import ColumnRule, FileRule, Formats
from sheets.reading import Refusal, Row, shorten


class Cells:
    """The values of one row by column, and the refusals of the cells that hold none."""

    def __init__(self, row: Row, rule: FileRule, formats: Formats, remarks: Remarks | None) -> None:
        self.row = row
        self.values: dict[str, Value] = {}
        self.refusals: list[Refusal] = []
        for name, column in rule.columns.items():
            text = row.cells.get(name, "")
            if remarks is not None:
                _remark(remarks, row, name, column, text)
            try:
                self.values[name] = convert(column.aliases.get(text, text), column, formats)
                if not text and self._is_needed(column):
                    self.refusals.append(self.refuse("empty-cell", name))
            except Misfit as misfit:
                self.refusals.append(self.refuse(misfit.code, name, **misfit.values))

    def _is_needed(self, column: ColumnRule) -> bool:
        return any(self.row.cells.get(other) in values for other, values in column.needed_when.items())

    def refuse(self, code: str, column: str | None, **values: object) -> Refusal:
        """A refusal of this row: the column and what stands in it."""
        text = self.row.cells.get(column) if column else None
        return Refusal(code, self.row.file, self.row.line, column, None if text is None else shorten(text), values)

    def text(self, column: str) -> str:
        """A column's value as text; nothing for an empty cell."""
        value = self.values.get(column)
        return "" if value is None else str(value)


def _remark(remarks: Remarks, row: Row, name: str, column: ColumnRule, text: str) -> None:
    if text in column.aliases:
        remarks.add("alias-applied", row.file, name, text, row.line, becomes=column.aliases[text])
    elif text in column.doubtful:
        remarks.add("kept-as-written", row.file, name, text, row.line, perhaps=column.doubtful[text])
