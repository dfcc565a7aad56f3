"""Wrong passwords make whoever tries wait: longer each time, up to a bound, and never for good.

Counted in the database, for all processes together: for an account from one address on the network, so that one
password after the other cannot be tried; for the address, so that one password cannot be tried on many accounts; and,
with much patience, for the account from everywhere, so that many addresses do not help. An attempt is counted before
the password is looked at, so that many at once are as many. An account that was signed in to from an address does not
wait there for what is tried elsewhere: nobody can lock its owner out.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import LiteralString
from uuid import UUID

from psycopg import Connection

from ledger.database import Database
from policy.identity.refusals import SignInSlowed
from policy.identity.secrets import Keyed

FREE_FOR_PLACE, FREE_FOR_ADDRESS, FREE_FOR_ACCOUNT = 5, 20, 100
"""Wrong passwords that cost nothing; after them one waits a second, then two, four and so on."""
LONGEST_WAIT = 60
"""Seconds between two attempts, at the most."""
FORGOTTEN_AFTER = 3600
"""Seconds after the last wrong password."""
PLACE_DAYS = 30
_SUBNET = 64
"""Bits of an IPv6 address that one household has to itself."""
_LOCK: LiteralString = "SELECT FROM sign_in_failures WHERE key = ANY(%s) ORDER BY key FOR UPDATE"
_CLEAR: LiteralString = (
    "DELETE FROM sign_in_failures WHERE key IN (SELECT key FROM sign_in_failures"
    " WHERE last_at < clock_timestamp() - make_interval(secs => %s) LIMIT 100 FOR UPDATE SKIP LOCKED)"
)


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in, which has been counted."""

    account: bytes
    address: bytes
    place: bytes
    counts_for_account: bool

    @property
    def counted(self) -> list[tuple[bytes, int]]:
        """What it counts for, and how many are free there."""
        counted = [(self.place, FREE_FOR_PLACE), (self.address, FREE_FOR_ADDRESS)]
        return sorted(counted + [(self.account, FREE_FOR_ACCOUNT)] * self.counts_for_account)


class Slowing:
    """Counts attempts, and says who has to wait."""

    def __init__(self, database: Database, master_key: bytes) -> None:
        self._database = database
        self._keyed = Keyed(master_key, b"sign-in attempts")

    def begin(self, account: bytes, address: str) -> Attempt:
        """Count an attempt; raises SignInSlowed when it comes too soon after others."""
        who, where = account.hex(), network_of(address)
        place = self._keyed("place", who, where)
        with self._database.connection() as connection:
            is_known = _is_known(connection, place)
            attempt = Attempt(self._keyed("account", who), self._keyed("address", where), place, not is_known)
            waits = [_count(connection, key, free) for key, free in attempt.counted]
            if (seconds := max(waits)) > 0:
                connection.rollback()
                raise SignInSlowed(seconds=seconds)
            connection.execute(_CLEAR, [FORGOTTEN_AFTER])
        return attempt

    def succeeded(self, connection: Connection, attempt: Attempt, member_id: UUID) -> None:
        """The password was right: this attempt does not count, and those before it from here are forgiven."""
        others = [key for key, _ in attempt.counted if key != attempt.place]
        connection.execute(_LOCK, [[*others, attempt.place]])
        connection.execute("DELETE FROM sign_in_failures WHERE key = %s", [attempt.place])
        connection.execute(
            "UPDATE sign_in_failures SET failures = failures - 1, wait_until = NULL WHERE key = ANY(%s)", [others]
        )
        connection.execute(
            "INSERT INTO sign_in_places (key, member_id) VALUES (%s, %s)"
            " ON CONFLICT (key) DO UPDATE SET last_at = clock_timestamp(), member_id = excluded.member_id",
            [attempt.place, member_id],
        )
        connection.execute(
            "DELETE FROM sign_in_places WHERE last_at < clock_timestamp() - make_interval(days => %s)", [PLACE_DAYS]
        )


def _is_known(connection: Connection, place: bytes) -> bool:
    found = connection.execute(
        "SELECT FROM sign_in_places WHERE key = %s AND last_at > clock_timestamp() - make_interval(days => %s)",
        [place, PLACE_DAYS],
    ).fetchone()
    return found is not None


def _count(connection: Connection, key: bytes, free: int) -> int:
    """Count an attempt, and the seconds that it comes too soon; 0 when it may be made."""
    connection.execute("INSERT INTO sign_in_failures (key, failures) VALUES (%s, 0) ON CONFLICT DO NOTHING", [key])
    row = connection.execute(
        "SELECT CASE WHEN last_at < clock_timestamp() - make_interval(secs => %s) THEN 0 ELSE failures END,"
        " extract(epoch FROM wait_until - clock_timestamp()) FROM sign_in_failures WHERE key = %s FOR UPDATE",
        [FORGOTTEN_AFTER, key],
    ).fetchone()
    assert row is not None
    failures, wait = int(row[0]), float(row[1] or 0)
    if wait > 0:
        return ceil(wait)
    connection.execute(
        "UPDATE sign_in_failures SET failures = %s, last_at = clock_timestamp(),"
        " wait_until = clock_timestamp() + make_interval(secs => %s) WHERE key = %s",
        [failures + 1, wait_after(failures + 1, free), key],
    )
    return 0


def wait_after(failures: int, free: int) -> int:
    """Seconds to wait after so many wrong passwords."""
    return 0 if failures < free else min(LONGEST_WAIT, 1 << min(failures - free, 16))


def network_of(address: str) -> str:
    """The address on the network, or the part of it that one household has to itself."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(IPv6Address(int(found) >> (128 - _SUBNET) << (128 - _SUBNET)))
    return str(found)
