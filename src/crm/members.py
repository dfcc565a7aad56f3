"""Whoever has a token is a member: the first token of a name registers one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aggregates.choices import Role
from crm import tokens
from crm.store import Store

if TYPE_CHECKING:
    from uuid import UUID

    from crm.services import Services

FIRST_MEMBER = "admin"


def make_token(services: Services, name: str, roles: Sequence[Role] = (Role.ADMINISTRATOR,)) -> str:
    """Make a token for the member of this name; where there is none, one is registered, with these roles.

    Raises TokenNameTaken.
    """
    with services.database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('genjin token ' || current_schema(), 0))")
        if tokens.is_in_use(connection, name):
            raise tokens.TokenNameTaken(name)
        return tokens.create(
            connection, name, tokens.member_named(connection, name) or _register(services, name, roles)
        )


def first_token(store: Store) -> str | None:
    """A token to begin with, when none was ever made; processes that start together make one."""
    with store.connection() as connection:
        if not tokens.is_first(connection):
            return None
    from crm.services import services  # heavy, and needed only this once

    with services(store, connections=3) as made, made.database.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('genjin first ' || current_schema(), 0))")
        return make_token(made, FIRST_MEMBER) if tokens.is_first(connection) else None


def _register(services: Services, name: str, roles: Sequence[Role]) -> UUID:
    from commands.base import execute
    from commands.members import RegisterMember
    from policy import Actor

    by = Actor(id="rule:token", member_id=None, name="crm token", source="rule")
    return execute(RegisterMember(name=name, roles=tuple(roles)), to=None, by=by, door=services.door).id
