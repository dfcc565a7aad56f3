"""When tokens and sessions were last used: noted once a minute at most, beside requests, never in their way."""

from __future__ import annotations

from threading import Lock
from typing import Any, LiteralString

import structlog

from ledger.database import Database
from policy.identity.later import Later

APART_SECONDS = 60
_TOKENS: LiteralString = (
    "UPDATE tokens SET last_used_at = clock_timestamp() WHERE id IN (SELECT id FROM tokens WHERE id = ANY(%s)"
    " AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - make_interval(secs => %s))"
    " FOR NO KEY UPDATE SKIP LOCKED)"
)
_SESSIONS: LiteralString = (
    "UPDATE sessions SET seen_at = clock_timestamp() WHERE digest IN (SELECT digest FROM sessions"
    " WHERE digest = ANY(%s) AND seen_at < clock_timestamp() - make_interval(secs => %s) FOR NO KEY UPDATE SKIP LOCKED)"
)
log = structlog.get_logger(__name__)


class Uses:
    """Gathers what was used, and has one thread write it; what cannot be written is let go.

    Rows that are being revoked are left out, so that this never waits for a revocation, nor both for each other.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._used: dict[LiteralString, set[Any]] = {_TOKENS: set(), _SESSIONS: set()}
        self._lock = Lock()
        self._later = Later(self.write, "genjin-uses")

    def token(self, id: Any) -> None:
        """This token was used a moment ago."""
        self._note(_TOKENS, id)

    def session(self, digest: bytes) -> None:
        """This session was used a moment ago."""
        self._note(_SESSIONS, digest)

    def _note(self, kind: LiteralString, key: Any) -> None:
        with self._lock:
            self._used[kind].add(key)
        self._later.soon()

    def write(self) -> None:
        """Write down what was gathered so far."""
        with self._lock:
            taken = {kind: list(keys) for kind, keys in self._used.items() if keys}
            for used in self._used.values():
                used.clear()
        try:
            for kind, keys in taken.items():
                with self._database.connection() as connection:
                    connection.execute(kind, [keys, APART_SECONDS])
        except Exception as failed:
            log.warning("when tokens were used could not be noted", error=type(failed).__name__)

    def close(self) -> None:
        """Write no more."""
        self._later.close()
