"""The ways in: a password, a code, an address that a provider vouches for. Each begins a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

import structlog
from psycopg import Connection

from aggregates.member import Member, MemberRemoved, MemberSuspended
from ledger.database import Database
from ledger.errors import NotFound
from ledger.ledger import Ledger
from ledger.outcome import Credential
from policy.accesses import note_identity
from policy.directory import Directory
from policy.identity import codes, passwords, tokens
from policy.identity.addresses import Addresses
from policy.identity.codes import Made, Purpose
from policy.identity.members import acting_member
from policy.identity.passwords import Hasher, require_fit
from policy.identity.refusals import (
    AddressMissing,
    AddressTaken,
    CodeUnusable,
    OpenIdRefused,
    PasswordWrong,
    SignInRefused,
)
from policy.identity.refused import Refused
from policy.identity.sessions import BegunBy, Session, Sessions, end_all
from policy.identity.slowing import Slowing
from policy.identity.standing import lock_ledger, require_active, standing_of

NOBODY = UUID(int=0)
log = structlog.get_logger(__name__)


class Entrance:
    """Lets members in, and lets them change what they come in with."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        members: Directory,
        addresses: Addresses,
        hasher: Hasher,
        slowing: Slowing,
        sessions: Sessions,
        refused: Refused,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._members = members
        self._addresses = addresses
        self._hasher = hasher
        self._slowing = slowing
        self._sessions = sessions
        self._refused = refused

    def by_password(self, address: str, password: str, network: str, instead_of: str | None = None) -> Session:
        """Let in who knows the password; raises SignInRefused, SignInSlowed.

        An address that nobody has, a member without a password and one that may not act cost the same work and are told
        the same as a wrong password.
        """
        digest = self._addresses.digest_of(address)
        attempt = self._slowing.begin(digest, network)
        with self._database.connection() as connection:
            member_id = self._addresses.holder(connection, digest)
            changed_at = passwords.changed_at(connection, member_id or NOBODY)
            kept = passwords.kept_for(connection, member_id or NOBODY)
        is_right, newer = self._hasher.check(password, kept)
        if not is_right or member_id is None or kept is None or not self._may_act(member_id):
            raise self._wrong_password(member_id)
        with self._locked(lock_ledger) as connection:
            is_the_same = passwords.changed_at(connection, member_id) == changed_at
            if not is_the_same or not self._may_sign_in(connection, member_id, digest):
                raise self._wrong_password(member_id)
            if newer is not None:
                passwords.renew(connection, member_id, kept, newer)
            self._slowing.succeeded(connection, attempt, member_id)
            return self._begin(connection, member_id, "password", instead_of)

    def by_address(self, address: str, instead_of: str | None = None) -> Session:
        """Let in the member who has this address, which a provider vouches for; raises OpenIdRefused."""
        digest, member_id = self._addresses.digest_of(address), self._addresses.member_at(address)
        if member_id is None or not self._may_act(member_id):
            raise self._unknown_address(member_id)
        with self._locked(lock_ledger) as connection:
            if not self._may_sign_in(connection, member_id, digest):
                raise self._unknown_address(member_id)
            return self._begin(connection, member_id, "openid", instead_of)

    def by_code(
        self,
        text: str,
        purpose: Purpose,
        password: str,
        names: tuple[str, ...] = (),
        meanwhile: Callable[[UUID], None] | None = None,
        instead_of: str | None = None,
    ) -> Session:
        """Let in who has the code, give the member this password and end its other sessions.

        `meanwhile` is called under the lock of the code and before the code is used; where it fails, the code can be
        used again. It writes to the ledger on connections of its own, so it is called before this one takes the
        ledger's lock; it is for codes that are for no address. Raises CodeUnusable, and whatever speaks against the
        password.
        """
        with self._noting_unusable():
            code = self._database.read(lambda connection: codes.look(connection, text, purpose))
        require_fit(password, (*names, *self._names(code.member_id)))
        hashed = self._hasher.hash(password)

        def admit(connection: Connection) -> None:
            if meanwhile is not None:
                codes.lock(connection, text)
                if not self._may_act(codes.look(connection, text, purpose).member_id):
                    raise CodeUnusable
                meanwhile(code.member_id)
            lock_ledger(connection)

        locked = self._locked(admit) if code.address is not None else self._admitted(admit)
        with self._noting_unusable(code.member_id), locked as connection:
            used = codes.take(connection, text, purpose)
            is_void = used.address is not None and used.address != self._addresses.digest_for(
                connection, used.member_id
            )
            members = [each for each in (used.member_id, used.maker_id) if each is not None]
            if is_void or not all(_is_active(connection, each) for each in members):
                raise CodeUnusable
            passwords.keep(connection, code.member_id, hashed)
            end_all(connection, code.member_id)
            return self._begin(connection, code.member_id, "code", instead_of)

    def make_code(
        self,
        purpose: Purpose,
        member_id: UUID,
        made_by: str,
        admit: Callable[[Connection], object] = lock_ledger,
        credential: Credential | None = None,
    ) -> Made:
        """A code that lets the member in once, to choose a password; it ends with the token that it is made with.

        `admit` is what the transaction begins with: it takes the ledger's lock, and raises where the one who asks may
        not do this any more. Raises NotFound, MemberRemoved, MemberSuspended, AddressMissing, AddressTaken,
        CredentialEnded.
        """
        self.require_able(member_id)
        with self._locked(admit) as connection:
            require_active(connection, member_id)
            address = self._addresses.digest_for(connection, member_id)
            if address is None:
                raise AddressMissing(id=member_id)
            if self._addresses.holder(connection, address) != member_id:
                raise AddressTaken(id=member_id)
            token = tokens.asking_token(connection, credential)
            return codes.make(connection, purpose, member_id, made_by, address, None if token is None else token.id)

    def require_free(self, address: str, member_id: UUID) -> None:
        """Go on if no other member signs in with this address; raises AddressTaken."""
        if self._addresses.member_at(address) not in (None, member_id):
            raise AddressTaken(id=member_id)

    def change_password(
        self,
        member_id: UUID,
        present: str,
        new: str,
        network: str,
        kept_session: str | None,
        admit: Callable[[Connection], object] = lock_ledger,
    ) -> int:
        """Give the member another password and end its other sessions, of which it says how many there were.

        Tokens stay. `admit` is as for `make_code`. Raises PasswordWrong, SignInSlowed, and whatever speaks against the
        password.
        """
        require_fit(new, self._names(member_id), "new_password")
        with self._database.connection() as connection:
            address = self._addresses.digest_for(connection, member_id)
            changed_at = passwords.changed_at(connection, member_id)
            kept = passwords.kept_for(connection, member_id)
        attempt = self._slowing.begin(address or member_id.bytes, network)
        if not self._hasher.check(present, kept)[0]:
            raise PasswordWrong
        hashed = self._hasher.hash(new)
        with self._database.connection() as connection:
            admit(connection)
            if passwords.changed_at(connection, member_id) != changed_at:
                raise PasswordWrong
            self._slowing.succeeded(connection, attempt, member_id)
            passwords.keep(connection, member_id, hashed)
            ended = end_all(connection, member_id, except_for=kept_session)
        log.info("a password was changed", member=str(member_id))
        return ended

    def require_able(self, member_id: UUID) -> Member:
        """The member, if it may act; raises NotFound, MemberRemoved, MemberSuspended."""
        member = self._ledger.load(Member, member_id)
        if member.state == "removed":
            raise MemberRemoved(id=member_id)
        if member.state != "active":
            raise MemberSuspended(id=member_id)
        return member

    def _begin(self, connection: Connection, member_id: UUID, how: BegunBy, instead_of: str | None) -> Session:
        log.info("a member has signed in", member=str(member_id), by=how)
        note_identity(connection, "sign-in", f"member:{member_id}", f"sign-in-by-{how}", member_id)
        return self._sessions.begin(connection, member_id, how, instead_of)

    def _wrong_password(self, member_id: UUID | None) -> SignInRefused:
        """Log and note a sign-in by password that failed, and return what refuses it."""
        log.info("a sign-in was refused")
        self._refused.note("password", member_id)
        return SignInRefused()

    def _unknown_address(self, member_id: UUID | None) -> OpenIdRefused:
        """Log and note a sign-in at a provider that failed, and return what refuses it."""
        log.info("an OpenID sign-in was refused", why="no member with this address may act")
        self._refused.note("openid", member_id)
        return OpenIdRefused()

    @contextmanager
    def _noting_unusable(self, member_id: UUID | None = None) -> Iterator[None]:
        """Notes that a code lets nobody in, be it one that was made for this member."""
        try:
            yield
        except CodeUnusable:
            self._refused.note("code", member_id)
            raise

    @contextmanager
    def _locked(self, admit: Callable[[Connection], object]) -> Iterator[Connection]:
        """A transaction that begins with `admit`, which takes the ledger's lock, and in which all addresses are known.

        To read an address that was recorded a moment ago another connection is needed, which may never be free under
        the lock: so the transaction is left then, and begun again.
        """
        while True:
            self._database.read(self._addresses.catch_up)
            with self._admitted(admit) as connection:
                if self._addresses.is_current(connection):
                    yield connection
                    return

    @contextmanager
    def _admitted(self, admit: Callable[[Connection], object]) -> Iterator[Connection]:
        """A transaction that begins with `admit`, for what needs no addresses."""
        with self._database.connection() as connection:
            admit(connection)
            yield connection

    def _may_sign_in(self, connection: Connection, member_id: UUID, digest: bytes) -> bool:
        """Whether the member is active and its address is the one of this hash, under the ledger's lock."""
        return _is_active(connection, member_id) and self._addresses.holder(connection, digest) == member_id

    def _may_act(self, member_id: UUID) -> bool:
        return acting_member(self._members, member_id, "web") is not None

    def _names(self, member_id: UUID) -> tuple[str, ...]:
        with suppress(NotFound):
            member = self._ledger.load(Member, member_id)
            return tuple(each for each in (member.name, member.email) if each)
        return ()


def _is_active(connection: Connection, member_id: UUID) -> bool:
    standing = standing_of(connection, member_id)
    return standing is not None and standing.state == "active"
