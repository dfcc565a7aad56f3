"""By which member an e-mail address is used.

The ledger keeps addresses sealed, so a table beside it keeps a keyed hash of each, brought up to date whenever it is
asked: who was invited a moment ago, by whatever way, can sign in at once.
"""

from __future__ import annotations

from unicodedata import normalize
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from psycopg import Connection

from aggregates.member import Member
from ledger.database import Database
from ledger.ledger import Ledger
from policy.identity.secrets import Keyed

_CHANGED = (
    "SELECT originator_id, max(position) FROM events"
    " WHERE topic IN ('member.registered', 'member.invited', 'member.removed') AND position > %s"
    " GROUP BY originator_id ORDER BY max(position)"
)


class Addresses:
    """Finds members by their e-mail addresses.

    Where two members have the same address it is that of the one who had it first: nobody can take another's way in.
    """

    def __init__(self, database: Database, ledger: Ledger, master_key: bytes) -> None:
        self._database = database
        self._ledger = ledger
        self._keyed = Keyed(master_key, b"e-mail addresses")

    def digest_of(self, address: str) -> bytes:
        """The keyed hash of an address, the same however its letters and its domain are written."""
        return self._keyed(_normal(address).casefold())

    def member_at(self, address: str) -> UUID | None:
        """The member who signs in with this address; none when nobody does."""
        return self._database.read(lambda connection: self.holder(connection, self.digest_of(address)))

    def holder(self, connection: Connection, digest: bytes) -> UUID | None:
        """The member who signs in with the address of this hash."""
        self.catch_up(connection)
        row = connection.execute(
            "SELECT member_id FROM member_addresses WHERE digest = %s ORDER BY position, member_id LIMIT 1", [digest]
        ).fetchone()
        return row[0] if row else None

    def digest_for(self, connection: Connection, member_id: UUID) -> bytes | None:
        """The keyed hash of the address that a member has; none without one."""
        self.catch_up(connection)
        row = connection.execute("SELECT digest FROM member_addresses WHERE member_id = %s", [member_id]).fetchone()
        return row[0] if row else None

    def is_current(self, connection: Connection) -> bool:
        """Whether every address that was recorded is known here; asks for no other connection."""
        return not _changed(connection, _known(connection, "SELECT position FROM member_addresses_known"))

    def catch_up(self, connection: Connection) -> None:
        """Take note of the addresses that were recorded since the last time, by any process.

        Where there are any, their members are loaded on another connection.
        """
        if self.is_current(connection):
            return
        with connection.transaction():
            known = _known(connection, "SELECT position FROM member_addresses_known FOR UPDATE")
            changed = _changed(connection, known)
            for member_id, position in changed:
                self._note(connection, member_id, position)
            last = max((position for _, position in changed), default=known)
            connection.execute("UPDATE member_addresses_known SET position = %s", [last])

    def _note(self, connection: Connection, member_id: UUID, position: int) -> None:
        member = self._ledger.load(Member, member_id, position=position)
        if member.email is None or member.state == "removed":
            connection.execute("DELETE FROM member_addresses WHERE member_id = %s", [member_id])
            return
        connection.execute(
            "INSERT INTO member_addresses (member_id, digest, position) VALUES (%(id)s, %(digest)s, %(position)s)"
            " ON CONFLICT (member_id) DO UPDATE SET digest = excluded.digest, position = excluded.position"
            " WHERE member_addresses.digest <> excluded.digest",
            {"id": member_id, "digest": self.digest_of(member.email), "position": position},
        )


def _normal(address: str) -> str:
    text = normalize("NFKC", address).strip()
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        return text


def _known(connection: Connection, asked: str) -> int:
    row = connection.execute(asked.encode()).fetchone()
    assert row is not None
    return int(row[0])


def _changed(connection: Connection, known: int) -> list[tuple[UUID, int]]:
    return connection.execute(_CHANGED, [known]).fetchall()
