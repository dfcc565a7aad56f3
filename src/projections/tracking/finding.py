"""Search in the tracking table: any part of a name, a contact's name or a code, as written, as pinyin or as initials.

What is written in Chinese is found by pairs of neighbouring characters through an index; one character alone, and what
is typed in Latin letters, by reading through the narrow table of names. Five digits or more are looked for in telephone
numbers, too, however these are written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection, sql

from projections.engine.lists.filtering import part_of
from projections.engine.tables.sights import LINE_ASKED
from projections.tracking.spelling import dialled, folded, pairs, whole_number

MANY = 2_000
"""Found more often than this, a word is looked for along the order of the page, where it is soon met 50 times."""

MET_ON_THE_WAY: LiteralString = """
    EXISTS (SELECT FROM names n WHERE n.customer_id = c.customer_id
        AND (n.search LIKE %(found_part)s OR n.digits LIKE %(found_digits)s) OFFSET 0)"""


def found(words: str, add: Callable[[Any], sql.Placeholder]) -> sql.Composable:
    """The condition for a search inside a longer statement."""
    return sql.SQL("c.customer_id IN (SELECT n.customer_id FROM names n WHERE {})").format(_condition(words, add))


def few_found(connection: Connection[Any], words: str) -> list[UUID] | None:
    """The customers found, where they are few; None where they are many."""
    parameters: dict[str, Any] = {}

    def add(value: Any) -> sql.Placeholder:
        name = f"words_{len(parameters)}"
        parameters[name] = value
        return sql.Placeholder(name)

    statement = sql.SQL("SELECT n.customer_id FROM names n WHERE {} LIMIT {}").format(_condition(words, add), MANY + 1)
    has_pairs = bool(pairs(words))
    if has_pairs:
        _let_scan(connection, "off")
    ids = [customer_id for (customer_id,) in connection.execute(statement, parameters, binary=True)]
    if has_pairs:
        _let_scan(connection, "on")
    return ids if len(ids) <= MANY else None


def ask_for_number(connection: Connection[Any], words: str) -> None:
    """Whoever may not look into telephone numbers finds one that is typed as a whole."""
    number = whole_number(words)
    if number is not None:
        connection.execute("SELECT set_config(%s, %s, true)", [LINE_ASKED, number])


def part(words: str) -> str:
    """The LIKE pattern for a search."""
    return part_of(folded(words))


def digits_part(words: str) -> str | None:
    """The LIKE pattern for a telephone number; none where too few digits or other characters are typed."""
    digits = dialled(words)
    return None if digits is None else part_of(digits)


def _condition(words: str, add: Callable[[Any], sql.Placeholder]) -> sql.Composable:
    like = sql.SQL("n.search LIKE ") + add(part(words))
    digits = digits_part(words)
    if digits is not None:
        return sql.SQL("(") + like + sql.SQL(" OR n.digits LIKE ") + add(digits) + sql.SQL(")")
    together = pairs(words)
    if not together:
        return like
    return sql.SQL("string_to_array(n.pairs, E'\\n') @> ") + add(together) + sql.SQL("::text[] AND ") + like


def _let_scan(connection: Connection[Any], allowed: LiteralString) -> None:
    """The planner cannot know how rare a pair is; the index is always right for at most a few thousand rows."""
    connection.execute("SELECT set_config('enable_seqscan', %s, true)", [allowed])
