"""Sign-ins that were refused, noted for auditors: once a minute at most for each account, and never before the answer.

All accounts that nobody has count as one. So neither the time that an answer takes tells who has an account, nor does
whoever tries many passwords fill the table.
"""

from __future__ import annotations

from threading import Lock
from typing import LiteralString
from uuid import UUID

import structlog

from ledger.database import Database
from policy.accesses import NOBODY
from policy.identity.later import Later
from policy.identity.sessions import BegunBy

APART_SECONDS = 60
_NOTE: LiteralString = (
    "INSERT INTO accesses (kind, actor, action, member_id)"
    " SELECT 'sign-in-refused', %(actor)s, %(action)s, %(member)s::uuid WHERE NOT EXISTS (SELECT FROM accesses"
    " WHERE kind = 'sign-in-refused' AND at > now() - make_interval(secs => %(apart)s)"
    " AND action = %(action)s AND member_id IS NOT DISTINCT FROM %(member)s::uuid)"
)
log = structlog.get_logger(__name__)


class Refused:
    """Gathers what was refused, and has one thread note it; what cannot be written is let go."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._refused: set[tuple[BegunBy, UUID | None]] = set()
        self._lock = Lock()
        self._later = Later(self.write, "genjin-refused")

    def note(self, how: BegunBy, member_id: UUID | None) -> None:
        """A sign-in was refused a moment ago, to the account of this member or to one that nobody has."""
        with self._lock:
            self._refused.add((how, member_id))
        self._later.soon()

    def write(self) -> None:
        """Write down what was gathered so far."""
        with self._lock:
            taken, self._refused = self._refused, set()
        try:
            with self._database.connection() as connection:
                for how, member_id in taken:
                    told = {"actor": NOBODY, "action": f"sign-in-by-{how}", "member": member_id, "apart": APART_SECONDS}
                    connection.execute(_NOTE, told)
        except Exception as failed:
            log.warning("refused sign-ins could not be noted", error=type(failed).__name__)

    def close(self) -> None:
        """Write what is left, and no more."""
        self._later.close()
        if self._refused:
            self.write()
