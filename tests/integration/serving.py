"""The service over HTTP inside a test: a workspace of its own, the app, and a worker that keeps its read models."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from api.app import create_app
from commands.base import execute
from commands.door import Door
from commands.members import RegisterMember
from crm import settings
from crm.checkpoints import Checkpoints
from crm.migrate import migrate
from crm.surroundings import Surroundings
from crm.worker import run
from keys import MASTER_KEY, TOKEN
from ledger.database import Database
from ledger.erasing.key_copy import KeyCopy
from ledger.erasing.register import Register
from ledger.ledger import Ledger
from ledger.sealing import Keyring
from policy import Actor, Policy
from policy.accesses import Accesses
from policy.directory import Directory
from policy.identity.identity import Identity
from projections.engine.reader import Reader

NOBODY = UUID(int=1)


@dataclass
class Api:
    """What a test asks and looks at."""

    client: TestClient
    services: Any
    member_id: UUID
    actors: dict[str, Actor] = field(default_factory=dict)
    position: int = 0
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": f"Bearer {TOKEN}"})

    def signed_in(self, *roles: str, team_id: str | None = None) -> Api:
        """The same service, as a new member in these roles sees it."""
        body = {"name": "成员", "roles": list(roles), "team_id": team_id}
        member_id = UUID(self.done("/members", body)["id"])
        token = secrets.token_urlsafe(16)
        self.actors[token] = Actor(f"member:{member_id}", member_id, "成员", "api", frozenset(roles))
        return replace(self, member_id=member_id, headers={"Authorization": f"Bearer {token}"})

    def request(self, method: str, path: str, **more: Any) -> Any:
        """Any request, signed in."""
        headers = {**self.headers, **more.pop("headers", {})}
        return self.client.request(
            method, path if path.startswith("/api") else f"/api/v1{path}", headers=headers, **more
        )

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """A command."""
        return self.request("POST", path, json=body if body is not None else {}, **more)

    def get(self, path: str, **params: Any) -> Any:
        """A read."""
        return self.request("GET", path, params=params)

    def done(self, path: str, body: Any = None, method: str = "POST", **more: Any) -> dict[str, Any]:
        """A command that must succeed; its answer."""
        answered = self.request(method, path, json=body if body is not None else {}, **more)
        assert answered.status_code in (200, 201), answered.text
        written: dict[str, Any] = answered.json()
        self.position = max(self.position, written["position"])
        return written

    def read(self, path: str, **params: Any) -> dict[str, Any]:
        """A read that must succeed and know everything done so far."""
        answered = self.get(path, after=self.position, **params)
        assert answered.status_code == 200, answered.text
        found: dict[str, Any] = answered.json()
        return found

    def customer(self, name: str = "ABC科技有限公司", **more: Any) -> str:
        """A new customer's id."""
        return str(self.done("/customers", {"kind": "company", "name": name, **more})["id"])

    def opportunity(self, customer: str, name: str = "云服务器项目", **more: Any) -> str:
        """A new opportunity's id."""
        return str(self.done(f"/customers/{customer}/opportunities", {"name": name, **more})["id"])

    def receivable(self, customer: str, amount: str = "1000.00", **more: Any) -> str:
        """A new receivable's id."""
        body = {"amount": amount, "issued_on": "2026-01-01", "due_on": "2026-01-31", **more}
        return str(self.done(f"/customers/{customer}/receivables", body)["id"])

    def head(self) -> int:
        """The last position of the ledger."""
        return int(self.services.ledger.head())


@contextmanager
def serving(server: str, patience: float = 10.0) -> Iterator[Api]:
    """The service on a fresh workspace, with a member signed in; `patience` is how long a connection is waited for."""
    schema = f"t_{secrets.token_hex(4)}"
    migrate(server, schema)
    with (
        TemporaryDirectory() as folder,
        Database(server, schema, role="genjin_app", min_size=1, max_size=12, timeout=patience) as database,
    ):
        chosen = settings.read({"CRM_DATA_DIR": folder, "CRM_SCHEMA": schema})
        keyring = Keyring(database, MASTER_KEY)
        erasures = Register(chosen.erasures)
        ledger = Ledger(database, keyring, erasures)
        directory = Directory(database)
        policy = Policy(directory)
        reader = Reader(database)
        door = Door(ledger, policy, directory=directory, surroundings=Surroundings(ledger, reader, directory))
        first = Actor("member:test", None, "test", "api", frozenset({"administrator"}))
        member_id = execute(RegisterMember(name="赵顾问", roles=("administrator",)), to=None, by=first, door=door).id
        actor = Actor(f"member:{member_id}", member_id, "赵顾问", "api", frozenset({"administrator"}))
        actors = {TOKEN: actor}
        identity = Identity(database, ledger, MASTER_KEY, directory)
        services: Any = SimpleNamespace(
            database=database,
            keyring=keyring,
            ledger=ledger,
            policy=policy,
            directory=directory,
            accesses=Accesses(database),
            door=door,
            reader=reader,
            tokens=SimpleNamespace(actor_of=actors.get),
            identity=identity,
            clock=lambda: datetime.now(UTC),
            cursor_secret=b"a secret for tests",
            schema_is_current=lambda: True,
            checkpoints=Checkpoints(chosen),
            erasures=erasures,
            key_copy=KeyCopy(chosen.backups.key_copy(schema)),
        )
        stop = Event()
        worker = Thread(target=run, args=(services, stop), name="worker")
        worker.start()
        try:
            with TestClient(create_app(services), raise_server_exceptions=False) as client:
                yield Api(client, services, member_id, actors)
        finally:
            stop.set()
            worker.join()
            identity.close()
            ledger.close()
