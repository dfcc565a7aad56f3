"""Members who sign in, inside a test: a workspace with real tokens, sessions and passwords."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from pwdlib.hashers.argon2 import Argon2Hasher
from starlette.testclient import TestClient

from api.app import create_app
from api.limits.buckets import Allowance, Limits
from commands.base import Command, execute
from commands.door import Door
from commands.members import GiveRoles, InviteMember, RegisterMember
from crm.migrate import migrate
from keys import MASTER_KEY
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.sealing import Keyring
from policy import Actor, Policy
from policy.accesses import Accesses
from policy.directory import Directory
from policy.identity import tokens
from policy.identity.chosen import SigningIn
from policy.identity.identity import Identity
from policy.identity.passwords import Hasher

RULE = Actor("rule:test", None, "test", "rule")
ORIGIN = "https://crm.example.com"


def a_password() -> str:
    """One that nobody guesses."""
    return secrets.token_urlsafe(18)


def an_address() -> str:
    """An e-mail address that nobody else has."""
    return f"{secrets.token_hex(5)}@example.com"


class CountingHasher(Hasher):
    """Counts the work it does, which is light."""

    def __init__(self) -> None:
        super().__init__(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1))
        self.checked = 0

    def check(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        """The same, counted."""
        self.checked += 1
        return super().check(password, kept)


@dataclass
class Person:
    """A member, its address, its password."""

    id: UUID
    address: str
    password: str = field(default_factory=a_password)


class House:
    """A workspace that people sign in to."""

    def __init__(self, services: Any, hasher: CountingHasher) -> None:
        self.services = services
        self.hasher = hasher
        self.app = create_app(services, Limits(unauthenticated=Allowance(0, 0)))

    @property
    def identity(self) -> Identity:
        """Who is asking."""
        identity: Identity = self.services.identity
        return identity

    def browser(self, address: str = "198.51.100.7", base: str = ORIGIN, **headers: str) -> TestClient:
        """A browser at an address on the network; behind TLS, as it comes here."""
        return TestClient(
            self.app, base_url=base, client=(address, 4711), headers=headers, raise_server_exceptions=False
        )

    def do(self, command: Command, to: UUID | None = None) -> UUID:
        """A command that is done."""
        return execute(command, to=to, by=RULE, door=self.services.door).id

    def member(self, *roles: str, address: str | None = None) -> Person:
        """A member who was invited, and has chosen a password."""
        person = Person(self.do(RegisterMember(name="赵顾问")), address or an_address())
        self.do(InviteMember(email=person.address), person.id)
        self.do(GiveRoles.model_validate({"roles": roles or ("administrator",)}), person.id)
        code = self.identity.entrance.make_code("invitation", person.id, "rule:test")
        self.identity.entrance.by_code(code.text, "invitation", person.password)
        return person

    def token(self, person: Person, **more: Any) -> dict[str, str]:
        """The header of a token of the member."""
        with self.services.database.connection() as connection:
            _, text = tokens.create(connection, secrets.token_hex(4), person.id, **more)
        return {"Authorization": f"Bearer {text}"}

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """What a statement finds."""
        with self.services.database.connection() as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []


def sign_in(browser: TestClient, person: Person, password: str | None = None) -> Any:
    """The answer to a sign-in."""
    body = {"email": person.address, "password": password or person.password}
    return browser.post("/api/v1/session", json=body)


def signed_in(browser: TestClient, person: Person) -> TestClient:
    """The browser, with a session, whose page sends what changes need."""
    answer = sign_in(browser, person)
    assert answer.status_code == 201, answer.text
    browser.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    return browser


@contextmanager
def house(server: str, schema: str, signing_in: SigningIn | None = None) -> Iterator[House]:
    """A workspace that people sign in to."""
    from datetime import UTC, datetime

    migrate(server, schema)
    with Database(server, schema, role="genjin_app", min_size=1, max_size=12, timeout=10) as database:
        keyring = Keyring(database, MASTER_KEY)
        ledger, hasher = Ledger(database, keyring), CountingHasher()
        directory = Directory(database, holds=0.0)
        identity = Identity(database, ledger, MASTER_KEY, directory, signing_in, hasher)
        services = SimpleNamespace(
            database=database,
            keyring=keyring,
            ledger=ledger,
            policy=Policy(directory),
            directory=directory,
            accesses=Accesses(database),
            door=Door(ledger, Policy(directory), directory=directory),
            tokens=identity.bearers,
            identity=identity,
            clock=lambda: datetime.now(UTC),
            cursor_secret=secrets.token_bytes(32),
            schema_is_current=lambda: True,
        )
        try:
            yield House(services, hasher)
        finally:
            identity.close()
            ledger.close()
