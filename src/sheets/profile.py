"""A profile: how somebody's tables become our history, as data that anybody can read and write."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec

from sheets.reading import Column, Layout

Kind = Literal["text", "date", "decimal", "integer", "percent"]


class WrongProfile(Exception):
    """A profile's file cannot be understood; the text says where and why."""


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """A part of a profile; a word it does not know is an error, never ignored."""


class Formats(Model, frozen=True):
    """How dates and numbers are written where a column does not say otherwise."""

    date: tuple[str, ...] = ("%Y-%m-%d",)
    decimal_mark: str = "."
    grouping: str = ""
    time_zone: str = "Asia/Shanghai"


class ColumnRule(Model, frozen=True):
    """What stands in a column. `needed_when` says of which values of other columns this one must not be empty.

    `aliases` are corrections that are made and counted in the report; `doubtful` values look wrong but are kept as
    they are written, and the report says so; `left_out` says why a column is not imported.
    """

    headings: tuple[str, ...] = ()
    type: Kind = "text"
    formats: tuple[str, ...] = ()
    needed: bool = False
    needed_when: dict[str, tuple[str, ...]] = {}
    optional: bool = False
    one_of: tuple[str, ...] = ()
    aliases: dict[str, str] = {}
    doubtful: dict[str, str] = {}
    left_out: str | None = None


class FileRule(Model, frozen=True):
    """One file of the profile. A profile of one file takes any file's name; `name` finds it in a folder of several."""

    name: str
    columns: dict[str, ColumnRule]
    encoding: str | None = None
    delimiter: str | None = None
    heading_within: int = 1

    @cached_property
    def layout(self) -> Layout:
        """What the reader looks for."""
        columns = tuple(
            Column(name, (name, *rule.headings), required=not rule.optional) for name, rule in self.columns.items()
        )
        return Layout(columns, self.delimiter, self.heading_within)


class Field(Model, frozen=True):
    """Where a command's value comes from: a column, a fixed value, a text with columns in it, or another record.

    `parts` are texts joined by `separator`, each left out when a column in it is empty. `refers` names a record, `key`
    the columns that hold its key; when they are empty the record `otherwise` stands in. `translate` gives our word for
    theirs, `others` is for words it does not have (without it they are refused), `default` is for an empty cell. `at`
    makes a moment of a date.
    """

    column: str | None = None
    value: Any = None
    text: str | None = None
    parts: tuple[str, ...] = ()
    separator: str = "; "
    refers: str | None = None
    key: tuple[str, ...] = ()
    otherwise: str | None = None
    translate: dict[str, Any] = {}
    others: Any = msgspec.UNSET
    default: Any = None
    at: str | None = None


class Condition(Model, frozen=True):
    """When a command is part of a row: these columns hold one of these values, those are filled, these are empty."""

    column_is: dict[str, tuple[str, ...]] = {}
    filled: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()


class CommandRule(Model, frozen=True):
    """A command that a row becomes. `to` is the record it is said to; without it, the row's own new record."""

    command: str
    fields: dict[str, str | Field] = {}
    to: Field | None = None
    when: Condition = Condition()
    reason: str | None = None


class RecordRule(Model, frozen=True):
    """A kind of record made from the rows of a file, in the order of the profile; without a file, one fixed record.

    `key` are the columns that tell one record from another. A `distinct` record is made by the first row that names
    it. Rows alike in `together` are written one after the other, sorted by `order` first where that is given.
    `key_is_personal` keeps the key itself out of the ledger: only the id made from it is stored.
    """

    name: str
    commands: tuple[CommandRule, ...]
    file: str | None = None
    key: tuple[str, ...] = ()
    distinct: bool = False
    only: Condition = Condition()
    together: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    key_is_personal: bool = False


class Profile(Model, frozen=True):
    """How the tables of one source become our history."""

    name: str
    title: str
    files: dict[str, FileRule]
    records: tuple[RecordRule, ...]
    about: str = ""
    formats: Formats = Formats()

    @cached_property
    def namespace(self) -> UUID:
        """The namespace of the ids that this profile's natural keys give."""
        return uuid5(NAMESPACE_URL, f"genjin:profile:{self.name}")

    def id_of(self, record: str, key: tuple[str, ...]) -> UUID:
        """The id of a record: the same key always gives the same id."""
        return uuid5(self.namespace, "\x1f".join((record, *key)))

    def row_key(self, record: str, key: tuple[str, ...]) -> str:
        """How the ledger names the row that a record came from; a personal key is not shown in it."""
        if self.record(record).key_is_personal:
            return f"{record}/{self.id_of(record, key)}"
        return "/".join((record, *(part.replace("%", "%25").replace("/", "%2F") for part in key)))

    def record(self, name: str) -> RecordRule:
        """The rule of a record by its name."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, RecordRule]:
        return {rule.name: rule for rule in self.records}
