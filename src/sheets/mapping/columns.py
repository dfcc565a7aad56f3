"""Which columns of a table a profile's rules look at."""

from __future__ import annotations

from string import Formatter

from sheets.profile import CommandRule, Condition, Field, RecordRule


def columns_of(rule: RecordRule) -> set[str]:
    """Every column that decides what a record becomes."""
    found = {*rule.key, *rule.together, *rule.order, *condition_columns(rule.only)}
    for command in rule.commands:
        found |= condition_columns(command.when)
        for field in fields_in(command):
            found |= columns_in(field)
    return found


def columns_in(field: str | Field) -> set[str]:
    """The columns that a field is made from."""
    if isinstance(field, str):
        return {field}
    texts = [*field.parts, *([field.text] if field.text else [])]
    filled = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}
    return filled | set(field.key) | ({field.column} if field.column else set())


def condition_columns(condition: Condition) -> set[str]:
    """The columns that decide whether a condition holds."""
    return {*condition.column_is, *condition.filled, *condition.empty}


def fields_in(command: CommandRule) -> list[str | Field]:
    """Everything that a command is filled from."""
    return [*command.fields.values(), *([command.to] if isinstance(command.to, Field) else [])]
