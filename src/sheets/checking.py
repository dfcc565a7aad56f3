"""Finds what is wrong in a profile before a single row is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from time import strptime
from typing import Any

from sheets.mapping.columns import columns_of, fields_in
from sheets.mapping.commands import NEW, fields_of
from sheets.profile import CommandRule, Condition, Field, Profile, RecordRule, WrongProfile
from sheets.reading.encoding import KNOWN


def check(profile: Profile) -> None:
    """Raises WrongProfile with everything that does not fit together."""
    wrong = [*_files(profile)]
    earlier: set[str] = set()
    for rule in profile.records:
        wrong += [f"record {rule.name}: {text}" for text in _record(profile, rule, earlier)]
        earlier.add(rule.name)
    if wrong:
        raise WrongProfile(f"{profile.name}: " + "; ".join(wrong))


def _files(profile: Profile) -> Iterator[str]:
    for name, rule in profile.files.items():
        if rule.encoding is not None and rule.encoding not in KNOWN:
            yield f"file {name}: unknown encoding {rule.encoding!r}"
        if rule.delimiter is not None and len(rule.delimiter) != 1:
            yield f"file {name}: a delimiter is one character, not {rule.delimiter!r}"
        for other in sorted(
            {other for spec in rule.columns.values() for other in spec.needed_when} - set(rule.columns)
        ):
            yield f"file {name}: there is no column {other!r}"
        headings = [heading for column, spec in rule.columns.items() for heading in (column, *spec.headings)]
        for heading in {h for h in headings if headings.count(h) > 1}:
            yield f"file {name}: the heading {heading!r} stands for two columns"
    for form in {
        *profile.formats.date,
        *(f for r in profile.files.values() for c in r.columns.values() for f in c.formats),
    }:
        if not _shows_a_whole_date(form):
            yield f"{form!r} is not a way to write a date"


def _shows_a_whole_date(form: str) -> bool:
    day = date(2013, 1, 31)
    try:
        return date(*strptime(day.strftime(form), form)[:3]) == day
    except ValueError:
        return False


def _record(profile: Profile, rule: RecordRule, earlier: set[str]) -> Iterator[str]:
    if rule.name in earlier:
        yield "there are two of this name"
    if (rule.file is None) is bool(rule.key):
        yield "a record from a file needs a key, and one without a file has none"
    if rule.file is not None and rule.file not in profile.files:
        yield f"there is no file {rule.file!r}"
        return
    known = set(profile.files[rule.file].columns) if rule.file else set()
    for column in sorted(columns_of(rule) - known):
        yield f"there is no column {column!r}"
    for refers in sorted(_referred(rule) - earlier):
        yield f"{refers!r} is no record that stands before it"
    if not rule.commands or not _always(rule.commands[0].when):
        yield "its first command must be one that every row becomes"
        return
    makes_something = rule.commands[0].command in NEW
    for command in rule.commands:
        if command.to is None and command.command not in NEW and not makes_something:
            yield f"{command.command} needs to say which record it is said to"
    for command in rule.commands:
        yield from _command(command)


def _always(condition: Condition) -> bool:
    return not (condition.column_is or condition.filled or condition.empty)


def _command(rule: CommandRule) -> Iterator[str]:
    accepted = fields_of(rule.command)
    if accepted is None:
        yield f"there is no command {rule.command!r}"
        return
    for field in sorted(set(rule.fields) - accepted):
        yield f"{rule.command} has no field {field!r}"


def _referred(rule: RecordRule) -> set[str]:
    fields: list[Any] = [field for command in rule.commands for field in fields_in(command) if isinstance(field, Field)]
    return {name for field in fields for name in (field.refers, field.otherwise) if name}
