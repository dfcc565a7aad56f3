"""What a row becomes: commands that are checked and ready, or the reasons why it cannot be imported."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from pydantic import ValidationError

from commands.base import Command
from sheets.mapping.cells import Cells
from sheets.mapping.columns import columns_in, columns_of
from sheets.mapping.commands import NEW, command_named
from sheets.mapping.fields import Reference, Resolver
from sheets.mapping.remarks import Remarks
from sheets.mapping.values import Misfit
from sheets.profile import CommandRule, Profile, RecordRule
from sheets.reading import Refusal, Row, shorten

LONGEST_KEY = 200
"""Characters of one part of a key."""


class Step(msgspec.Struct, frozen=True):
    """One command of a row: to whom it is said, the id of what it makes, and the columns behind its fields."""

    command: Command
    to: UUID | None
    new_id: UUID | None
    columns: dict[str, str]


class Planned(msgspec.Struct, frozen=True):
    """A row that may be imported: its record, its commands in order, and the records that must be there before it."""

    record: str
    key: tuple[str, ...]
    row_key: str
    id: UUID
    digest: str
    file: str
    line: int
    steps: tuple[Step, ...]
    references: tuple[Reference, ...]
    together: tuple[str, ...]
    order: tuple[Any, ...]
    cells: dict[str, str]

    def shown(self, column: str | None) -> str | None:
        """What the file has in a column, as a report shows it."""
        text = self.cells.get(column) if column else None
        return None if text is None else shorten(text)

    def column_of(self, field: str | None) -> str | None:
        """The column behind a field of one of the commands."""
        return next((step.columns[field] for step in self.steps if field in step.columns), None) if field else None

    def refuse(self, code: str, column: str | None = None, value: str | None = None, **values: Any) -> Refusal:
        """A refusal of this row."""
        return Refusal(code, self.file, self.line, column, value, values)


class Planner:
    """Plans the rows of one kind of record."""

    def __init__(self, profile: Profile, rule: RecordRule, remarks: Remarks | None) -> None:
        self._profile = profile
        self._rule = rule
        self._remarks = remarks
        self._columns = sorted(columns_of(rule))
        self._file = profile.files[rule.file] if rule.file else None

    def fixed(self) -> Planned | list[Refusal]:
        """The one record that comes from no file."""
        source = f"{self._profile.name}.toml"
        return self._plan(None, Resolver(self._profile, None), source, 0, ())

    def plan(self, row: Row) -> Planned | list[Refusal] | None:
        """What a row becomes, or its refusals; nothing when the record is not made from such rows."""
        if self._file is None:
            raise TypeError(f"{self._rule.name} comes from no file")
        cells = Cells(row, self._file, self._profile.formats, self._remarks)
        resolver = Resolver(self._profile, cells)
        if not resolver.holds(self._rule.only):
            return None
        if cells.refusals:
            return cells.refusals
        key = tuple(cells.text(column) for column in self._rule.key)
        if not any(key):
            return [cells.refuse("empty-key", self._rule.key[0])] if not self._rule.distinct else None
        for column, text in zip(self._rule.key, key, strict=True):
            if len(text) > LONGEST_KEY:
                return [cells.refuse("key-too-long", column, longest=LONGEST_KEY)]
        return self._plan(cells, resolver, row.file, row.line, key)

    def _plan(
        self, cells: Cells | None, resolver: Resolver, file: str, line: int, key: tuple[str, ...]
    ) -> Planned | list[Refusal]:
        own_id = self._profile.id_of(self._rule.name, key)
        steps: list[Step] = []
        refusals: list[Refusal] = []
        for rule in self._rule.commands:
            if resolver.holds(rule.when):
                made = self._step(rule, own_id, resolver, cells, file, line)
                if isinstance(made, Step):
                    steps.append(made)
                else:
                    refusals += made
        if refusals:
            return refusals
        return Planned(
            record=self._rule.name,
            key=key,
            row_key=self._profile.row_key(self._rule.name, key),
            id=own_id,
            digest=self._digest(cells),
            file=file,
            line=line,
            steps=tuple(steps),
            references=tuple(dict.fromkeys(resolver.references)),
            together=tuple(cells.text(column) for column in self._rule.together) if cells else (),
            order=tuple(cells.values[column] for column in self._rule.order) if cells else (),
            cells=cells.row.cells if cells else {},
        )

    def _step(
        self, rule: CommandRule, id: UUID, resolver: Resolver, cells: Cells | None, file: str, line: int
    ) -> Step | list[Refusal]:
        columns = {name: min(found) for name, field in rule.fields.items() if (found := columns_in(field))}
        values: dict[str, Any] = {}
        refusals: list[Refusal] = []
        for name, field in rule.fields.items():
            try:
                values[name] = resolver.value(field)
            except Misfit as misfit:
                refusals.append(_refuse(cells, file, line, misfit.code, columns.get(name), misfit.values))
        if refusals:
            return refusals
        if rule.reason is not None:
            values["reason"] = rule.reason
        is_new = rule.command in NEW
        to = resolver.value(rule.to) if rule.to is not None else None if is_new else id
        given = {name: value for name, value in values.items() if value is not None}
        return self._made(rule, given, to, id if is_new else None, columns, cells, file, line)

    def _made(
        self,
        rule: CommandRule,
        given: dict[str, Any],
        to: UUID | None,
        new_id: UUID | None,
        columns: dict[str, str],
        cells: Cells | None,
        file: str,
        line: int,
    ) -> Step | list[Refusal]:
        kind = command_named(rule.command)
        if kind is None:
            raise LookupError(rule.command)
        try:
            return Step(kind.model_validate(given), to, new_id, columns)
        except ValidationError as wrong:
            return [_invalid(cells, file, line, error, columns) for error in wrong.errors(include_url=False)]

    def _digest(self, cells: Cells | None) -> str:
        """What the row said, so that a later change of it is noticed: only the columns that matter to the record."""
        if cells is None:
            content: Sequence[Any] = [msgspec.to_builtins(self._rule)]
        else:
            content = [cells.row.cells.get(column, "") for column in self._columns]
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:32]


def _refuse(
    cells: Cells | None, file: str, line: int, code: str, column: str | None, values: dict[str, Any]
) -> Refusal:
    return cells.refuse(code, column, **values) if cells else Refusal(code, file, line, column, values=values)


def _invalid(cells: Cells | None, file: str, line: int, error: Any, columns: dict[str, str]) -> Refusal:
    """What the command itself does not accept, told by the column that the value came from."""
    field = str(error["loc"][0]) if error["loc"] else ""
    values = {**_plain(error.get("ctx", {})), "message": error["msg"]}
    code = "value-missing" if error["type"] == "missing" else error["type"]
    return _refuse(cells, file, line, code, columns.get(field), values)


def _plain(context: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | str) else shorten(str(value)) for name, value in context.items()}
