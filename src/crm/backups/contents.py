"""What of a workspace is in a backup: the rows of every table that cannot be told from others, or made anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import sql

from ledger.database import Connection

EVENTS, META, KEYS = "events", "meta", "sealing_keys"

LEFT_OUT: Mapping[str, str] = {
    "migrations": "the manifest names them, and the restoration runs them",
    "snapshots": "a cache, taken again from the events",
    "projections": "read models are built anew",
    "projection_builds": "read models are built anew",
    "projection_jobs": "read models are built anew",
    "import_jobs": "their reports hold rows as they were written, which may be about persons who are erased later",
    "import_uploads": "files hold persons who may be erased later",
    "member_addresses": "told from the events, and only with their keys",
    "member_addresses_known": "says how far the addresses are told",
    "sessions": "people sign in again",
    "one_time_codes": "a code that was used since must not work again",
    "sign_in_failures": "counts of the last hour",
    "sign_in_places": "noticed again at the next sign-in",
}
"""Tables that a backup does not have, each with the reason. All others are in it."""

_WITHHELD = {KEYS: {"wrapped", "master", "created_at"}}
"""Of the keys a backup only says whose there are: the key copy has them."""


@dataclass(frozen=True)
class Part:
    """A table in a backup, with those of its columns that are in it."""

    table: str
    columns: tuple[str, ...]

    def copied(self) -> sql.Composed:
        """The statement that gives its rows."""
        ordered = sql.SQL(" ORDER BY position") if self.table == EVENTS else sql.SQL("")
        query = sql.SQL("SELECT {} FROM {}").format(self._names(), sql.Identifier(self.table))
        return sql.SQL("COPY ({}{}) TO STDOUT (FORMAT binary)").format(query, ordered)

    def filled(self, into: str | None = None) -> sql.Composed:
        """The statement that takes its rows."""
        return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
            sql.Identifier(into or self.table), self._names()
        )

    def _names(self) -> sql.Composed:
        return sql.SQL(", ").join(map(sql.Identifier, self.columns))


def parts(connection: Connection) -> list[Part]:
    """Every table of the schema that is in a backup, the events first."""
    rows = connection.execute(
        "SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum) FROM pg_class c "
        "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' "
        "WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p') GROUP BY c.relname"
    )
    found = [
        Part(table, tuple(each for each in columns if each not in _WITHHELD.get(table, ())))
        for table, columns in rows
        if table not in LEFT_OUT
    ]
    return sorted(found, key=lambda part: (part.table != EVENTS, part.table))


def sequences(connection: Connection) -> dict[str, int]:
    """Where the sequences of the schema are; those from which nothing was taken yet are not in the answer."""
    rows = connection.execute(
        "SELECT sequencename, last_value FROM pg_sequences "
        "WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY sequencename"
    )
    return dict(rows.fetchall())
