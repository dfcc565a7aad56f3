"""Whoever has a token is a member: the operator's first token of a name registers one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from crm.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from psycopg import Connection

    from crm.services import Services
    from policy.identity.tokens import Token

FIRST_MEMBER = "admin"
ADMINISTRATOR = "administrator"
DEFAULT_DAYS = 90
"""For how long a token is good unless something else is asked for; as for those that members make."""


class NamesSeveral(Exception):
    """Several members have this name; the message says which, and what to do."""


class NoMemberNamed(Exception):
    """No member has this name; the message says what to do."""


@dataclass(frozen=True)
class First:
    """What somebody begins with: a token, and a code to choose a password with, both of the first administrator."""

    token: str
    code: str


def make_token(
    services: Services,
    name: str,
    roles: Iterable[str] = (),
    days: int | None = DEFAULT_DAYS,
    member_id: UUID | None = None,
) -> tuple[Token, str]:
    """Make a token for the member of this name, who is registered as an administrator when there is none.

    With roles a new member has those, and one that is there acts in those alone by this token. Without days it never
    ends. Raises TokenNameTaken, TooManyTokens, RoleNotHeld, NamesSeveral, NotFound, MemberRemoved, MemberSuspended.
    """
    from policy.identity import tokens
    from policy.identity.refusals import RoleNotHeld, TokenNameTaken
    from policy.identity.standing import lock_ledger, require_active

    asked = tuple(dict.fromkeys(roles))
    with services.database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('genjin token ' || current_schema(), 0))")
        if tokens.is_operators(connection, name):
            raise TokenNameTaken(name=name)
        found = member_id or _member_named(services, connection, name)
        if found is None:
            return tokens.create(connection, name, _register(services, name, asked or (ADMINISTRATOR,)), days=days)
        lock_ledger(connection)
        held = require_active(connection, found).roles
        if not set(asked) <= held:
            raise RoleNotHeld(given=asked, held=tuple(sorted(held)))
        return tokens.create(connection, name, found, roles=asked or None, days=days)


def revoke_tokens(services: Services, whose: str) -> tuple[UUID, int]:
    """Revoke all tokens of the member with this id or name; return the id and how many were in use.

    Raises NamesSeveral, NoMemberNamed, NotFound.
    """
    from aggregates.member import Member
    from policy.identity import tokens

    with services.database.connection() as connection:
        member_id = _as_id(whose) or _member_named(services, connection, whose)
        if member_id is None:
            raise NoMemberNamed(f"No member is called {whose}: name one by its id, as in crm token list.")
        services.ledger.load(Member, member_id)
        return member_id, tokens.revoke_all(connection, member_id)


def first_access(store: Store) -> First | None:
    """What to begin with, when no token was ever made; of processes that start together one makes it."""
    from policy.identity import codes, tokens
    from policy.identity.standing import lock_ledger

    with store.connection() as connection:
        if not tokens.is_first(connection):
            return None
    from crm.services import services  # heavy, and needed only this once

    with services(store, connections=4) as made, made.database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('genjin first ' || current_schema(), 0))")
        if not tokens.is_first(connection):
            return None
        token, text = make_token(made, FIRST_MEMBER)
        lock_ledger(connection)
        return First(text, codes.make(connection, "setup", token.member_id, tokens.OPERATOR).text)


def _member_named(services: Services, connection: Connection, name: str) -> UUID | None:
    """Whoever the operator made a token of this name for before, or else the one member who is called so."""
    from aggregates.member import Member
    from policy.identity import tokens

    before = tokens.operators_member(connection, name)
    known = services.identity.members.member(before) if before else None
    if known is not None and known.state != "removed":
        return before
    found = connection.execute("SELECT originator_id FROM events WHERE topic = 'member.registered'").fetchall()
    members = [services.ledger.load(Member, member_id) for (member_id,) in found]
    called = [each for each in members if each.name == name and each.state != "removed"]
    if len(called) > 1:
        listed = ", ".join(str(each.id) for each in called)
        raise NamesSeveral(f"Several members are called {name}: choose one with --member ({listed}).")
    return called[0].id if called else None


def _as_id(text: str) -> UUID | None:
    from uuid import UUID

    try:
        return UUID(text)
    except ValueError:
        return None


def _register(services: Services, name: str, roles: tuple[str, ...]) -> UUID:
    from commands.base import execute
    from commands.members import RegisterMember
    from policy import Actor
    from policy.identity.tokens import OPERATOR

    by = Actor(id=OPERATOR, member_id=None, name="crm token", source="rule")
    command = RegisterMember.model_validate({"name": name, "roles": roles})
    return execute(command, to=None, by=by, door=services.door).id
