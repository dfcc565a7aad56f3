"""Passwords: which may be chosen, and what is kept of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from unicodedata import normalize
from uuid import UUID

from psycopg import Connection
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from policy.identity.plain import is_plain
from policy.identity.refusals import PasswordNamesMember, PasswordTooLong, PasswordTooPlain, PasswordTooShort
from policy.identity.secrets import new_secret

LEAST, MOST = 12, 200
"""Characters of a password (NIST SP 800-63B asks for length, not for kinds of characters)."""
SHORTEST_NAME = 4
"""A name of fewer characters may stand in a password."""


class Hasher:
    """Makes and checks hashes by argon2id (RFC 9106); each takes 64 MiB and some tens of milliseconds.

    How many are worked on at a time is the caller's care.
    """

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self._hash = PasswordHash((hasher or Argon2Hasher(time_cost=3, memory_cost=65_536, parallelism=1),))

    @cached_property
    def _nobodys(self) -> str:
        """What is compared with where there is nothing to compare with."""
        return self.hash(new_secret())

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        return self._hash.hash(_normal(password))

    def check(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        """Whether it is the right one, and the hash to keep from now on where that one was made in an older way.

        Where there is none to compare with, the same work is done, and the answer is no.
        """
        nobodys = self._nobodys
        is_right, newer = self._hash.verify_and_update(_normal(password), kept or nobodys)
        return is_right and kept is not None, newer


def require_fit(password: str, names: Iterable[str | None], field: str = "password") -> None:
    """Go on if this may be a password of somebody of these names and addresses.

    Raises PasswordTooShort, PasswordTooLong, PasswordTooPlain, PasswordNamesMember.
    """
    text = _normal(password)
    if len(text) < LEAST:
        raise PasswordTooShort(field=field, least=LEAST)
    if len(text) > MOST:
        raise PasswordTooLong(field=field, most=MOST)
    if any(_says(text, name) for name in names if name):
        raise PasswordNamesMember(field=field)
    if is_plain(text):
        raise PasswordTooPlain(field=field)


def _says(password: str, name: str) -> bool:
    """It is the name, or the name with a few signs added."""
    text, told = _plain(password), [_plain(name), _plain(name.partition("@")[0])]
    return any(
        len(each) >= SHORTEST_NAME and each in text and len(text) - len(each) < SHORTEST_NAME * 2 for each in told
    )


def _plain(text: str) -> str:
    return "".join(sign for sign in _normal(text).casefold() if sign.isalnum())


def _normal(text: str) -> str:
    """The same however it was typed (RFC 8265 asks for a normal form)."""
    return normalize("NFKC", text)


def kept_for(connection: Connection, member_id: UUID) -> str | None:
    """The hash of the member's password; none when it has none."""
    row = connection.execute("SELECT hash FROM passwords WHERE member_id = %s", [member_id]).fetchone()
    return row[0] if row else None


def changed_at(connection: Connection, member_id: UUID) -> datetime | None:
    """When the member's password became what it is; keeping the same one in a newer way does not count."""
    row = connection.execute("SELECT changed_at FROM passwords WHERE member_id = %s", [member_id]).fetchone()
    return row[0] if row else None


def keep(connection: Connection, member_id: UUID, hashed: str) -> None:
    """The member has this password from now on."""
    connection.execute(
        "INSERT INTO passwords (member_id, hash) VALUES (%s, %s)"
        " ON CONFLICT (member_id) DO UPDATE SET hash = excluded.hash, changed_at = clock_timestamp()",
        [member_id, hashed],
    )


def renew(connection: Connection, member_id: UUID, before: str, after: str) -> None:
    """The same password is kept in a newer way, unless it was changed meanwhile."""
    connection.execute("UPDATE passwords SET hash = %s WHERE member_id = %s AND hash = %s", [after, member_id, before])
