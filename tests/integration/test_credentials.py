"""Credentials in the database: whether one is in force, and what ends together with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from commands.members import EraseMember, RemoveMember
from crm import migrate
from integration.signing_in import RULE, House, house
from ledger.database import Connection
from policy.identity import tokens
from policy.identity.secrets import digest_of
from workspaces import a_name, drop, dropped_afterwards

OWNER = sql.SQL("SET LOCAL ROLE genjin_owner")


@pytest.fixture(scope="module")
def home(server: str) -> Iterator[House]:
    """A workspace that people sign in to."""
    with dropped_afterwards(server) as name, house(server, name) as made:
        yield made


@pytest.fixture
def connection(home: House) -> Iterator[Connection]:
    """A connection of the application."""
    with home.services.database.connection() as opened:
        yield opened


def holds(connection: Connection, kind: str, text: str) -> bool:
    """Whether the credential with this text is in force."""
    row = connection.execute("SELECT credential_holds(%s, %s)", [kind, digest_of(text)]).fetchone()
    assert row is not None
    return bool(row[0])


def make(connection: Connection, member_id: UUID, name: str, parent_id: UUID | None = None) -> tokens.Token:
    """A token that was made with another one."""
    made, _ = tokens.create(connection, name, member_id)
    connection.execute(OWNER)
    connection.execute("UPDATE tokens SET parent_id = %s WHERE id = %s", [parent_id, made.id])
    connection.execute("SET LOCAL ROLE genjin_app")
    return made


def revoked(connection: Connection) -> set[str]:
    """The names of the tokens that are out of use."""
    return {each.name for each in tokens.all_of(connection) if each.revoked_at is not None}


def test_a_token_holds_until_it_is_revoked_or_expires(home: House, connection: Connection) -> None:
    made, text = tokens.create(connection, "holding", home.member().id, days=1)
    assert holds(connection, "token", text)
    assert not holds(connection, "session", text)
    assert not holds(connection, "token", "genjin_another")
    assert not holds(connection, "password", text)
    connection.execute(OWNER)
    connection.execute("UPDATE tokens SET expires_at = clock_timestamp() WHERE id = %s", [made.id])
    assert not holds(connection, "token", text)
    connection.execute("UPDATE tokens SET expires_at = NULL WHERE id = %s", [made.id])
    assert holds(connection, "token", text)
    tokens.revoke(connection, made.id)
    assert not holds(connection, "token", text)


def test_a_session_holds_until_it_is_ended_or_expires(home: House, connection: Connection) -> None:
    sessions, member_id = home.services.identity.sessions, home.member().id
    begun = sessions.begin(connection, member_id, "password")
    assert holds(connection, "session", begun.text)
    assert not holds(connection, "token", begun.text)
    late = begun.expires_at - timedelta(days=100)
    connection.execute("UPDATE sessions SET expires_at = %s WHERE member_id = %s", [late, member_id])
    assert not holds(connection, "session", begun.text)


def test_a_token_is_revoked_with_all_its_descendants(home: House, connection: Connection) -> None:
    ann, ben = home.member().id, home.member().id
    top = make(connection, ann, "top")
    child = make(connection, ann, "child", top.id)
    make(connection, ben, "grandchild", child.id)
    make(connection, ann, "sibling")
    tokens.revoke(connection, child.id)
    assert revoked(connection) & {"top", "child", "grandchild", "sibling"} == {"child", "grandchild"}
    row = connection.execute("SELECT revoke_tokens(%s, 'rule:test')", [[top.id, child.id]]).fetchone()
    assert row == ([top.id],)
    assert "sibling" not in revoked(connection)
    noted = connection.execute("SELECT actor, member_id FROM accesses WHERE kind = 'token-revoked' ORDER BY id DESC")
    assert noted.fetchone() == ("rule:test", ann)


def test_the_application_revokes_a_token_by_the_function_alone(home: House, connection: Connection) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("UPDATE tokens SET revoked_at = clock_timestamp()")


def test_a_removal_ends_what_the_member_signed_in_with_in_its_transaction(home: House) -> None:
    leaver, stays = home.member(), home.member()
    entrance, sessions = home.services.identity.entrance, home.services.identity.sessions
    with home.services.database.connection() as connection:
        own = make(connection, leaver.id, "leaver's")
        make(connection, stays.id, "made with the leaver's", own.id)
        make(connection, stays.id, "of the one who stays")
        begun = sessions.begin(connection, leaver.id, "password")
    code = entrance.make_code("password-reset", leaver.id, "rule:test")
    home.do(RemoveMember(), leaver.id)
    with home.services.database.connection() as connection:
        gone = revoked(connection)
        assert {"leaver's", "made with the leaver's"} <= gone
        assert "of the one who stays" not in gone
        assert not holds(connection, "session", begun.text)
        left = connection.execute("SELECT count(*) FROM one_time_codes WHERE digest = %s", [digest_of(code.text)])
        assert left.fetchone() == (0,)
        by = connection.execute("SELECT DISTINCT actor FROM accesses WHERE token_id = %s", [own.id]).fetchall()
        assert sorted(actor for (actor,) in by) == sorted({tokens.OPERATOR, RULE.id})


def test_an_erasure_takes_the_descendants_along(home: House) -> None:
    leaver, stays = home.member(), home.member()
    home.do(RemoveMember(), leaver.id)
    with home.services.database.connection() as connection:
        back = make(connection, leaver.id, "came back with a backup")
        make(connection, stays.id, "made with what came back", back.id)
    home.do(EraseMember(reason="本人要求"), leaver.id)
    with home.services.database.connection() as connection:
        assert "made with what came back" in revoked(connection)
        assert [each.name for each in tokens.all_of(connection, leaver.id)] == [""]


def test_the_migration_ends_the_tokens_and_codes_of_members_who_were_removed_before_it(server: str) -> None:
    name = a_name()
    former = [each for each in migrate.known() if each.name < "0150"]
    try:
        with patch.object(migrate, "known", lambda: former):
            migrate.migrate(server, name)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(name)))
            connection.execute(
                "INSERT INTO events (position, originator_id, originator_version, topic, state, recorded_at, chain)"
                " VALUES (1, gen_random_uuid(), 1, 'member.removed', '{}', now(), '')"
            )
            connection.execute(
                "INSERT INTO tokens (id, name, member_id, digest, made_by) SELECT gen_random_uuid(), 'gone',"
                " originator_id, sha256('1'), 'rule:token' FROM events"
                " UNION ALL SELECT gen_random_uuid(), 'here', gen_random_uuid(), sha256('2'), 'rule:token'"
            )
            connection.execute(
                "INSERT INTO one_time_codes (digest, purpose, member_id, made_by, expires_at)"
                " SELECT sha256('1'), 'password-reset', gen_random_uuid(), 'member:' || originator_id,"
                " now() + interval '1 day' FROM events"
                " UNION ALL SELECT sha256('2'), 'password-reset', gen_random_uuid(), 'member:' || gen_random_uuid(),"
                " now() + interval '1 day'"
            )
            migrate.migrate(server, name)
            found = connection.execute("SELECT name, revoked_at IS NOT NULL FROM tokens ORDER BY name").fetchall()
            assert found == [("gone", True), ("here", False)]
            kept = connection.execute("SELECT digest = sha256('2') FROM one_time_codes").fetchall()
            assert kept == [(True,)]
    finally:
        drop(server, name)
