"""All of it, put together for one workspace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ledger.database import Database
from ledger.ledger import Ledger
from policy.directory import Directory
from policy.identity.addresses import Addresses
from policy.identity.bearers import Bearers
from policy.identity.chosen import SigningIn
from policy.identity.entering import Entrance
from policy.identity.passwords import Hasher
from policy.identity.refusals import OpenIdOff, OpenIdRefused
from policy.identity.refused import Refused
from policy.identity.sessions import Session, Sessions
from policy.identity.slowing import Slowing
from policy.identity.uses import Uses

if TYPE_CHECKING:
    from policy.identity.openid import OpenId


class Identity:
    """Who is asking: tokens, sessions, and the ways in."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        master_key: bytes,
        members: Directory,
        signing_in: SigningIn | None = None,
        hasher: Hasher | None = None,
    ) -> None:
        chosen = signing_in or SigningIn()
        self.public_url = chosen.public_url
        self.members = members
        self.uses = Uses(database)
        self.refused = Refused(database)
        self.bearers = Bearers(database, self.members, self.uses)
        self.sessions = Sessions(database, self.members, self.uses, chosen.lifetimes)
        self.addresses = Addresses(database, ledger, master_key)
        self.entrance = Entrance(
            database,
            ledger,
            self.members,
            self.addresses,
            hasher or Hasher(),
            Slowing(database, master_key),
            self.sessions,
            self.refused,
        )
        self._openid = None if chosen.openid is None else _openid(chosen, master_key)

    @property
    def openid(self) -> OpenId:
        """The provider that is set up; raises OpenIdOff."""
        if self._openid is None:
            raise OpenIdOff
        return self._openid

    def by_openid(
        self, brought: str | None, answered: Mapping[str, str], instead_of: str | None = None
    ) -> tuple[Session, str]:
        """Let in whom the provider vouches for, and say where that person wanted to go.

        Raises OpenIdOff, OpenIdRefused, OpenIdAway.
        """
        try:
            vouched = self.openid.finish(brought, answered)
        except OpenIdRefused:
            self.refused.note("openid", None)
            raise
        return self.entrance.by_address(vouched.address, instead_of), vouched.return_to

    def close(self) -> None:
        """Write no more."""
        self.uses.close()
        self.refused.close()


def _openid(chosen: SigningIn, master_key: bytes) -> OpenId:
    from policy.identity.openid import OpenId  # heavy, and needed only where a provider is set up

    assert chosen.openid is not None
    return OpenId(chosen.openid, master_key)
