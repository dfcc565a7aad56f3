"""An import needs what its commands need: when it is asked for, when it starts, and for as long as it runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest

from commands.base import Command, Door, execute
from commands.members import GiveRoles, RegisterMember, RemoveMember, SuspendMember
from crm.doors import open_door
from crm.imports.process import Working
from integration.serving import Api
from integration.test_api_imports import PATIENCE, ask, ended, invoices, kept
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.outcome import Credential
from ledger.sealing import Keyring
from policy import Actor
from policy.directory import Directory
from policy.identity import tokens
from policy.identity.secrets import digest_of
from sheets.importing import Importer
from sheets.jobs import Ended, Job, Order, book, taking
from sheets.jobs.signs import Lost
from sheets.opening import load

OPERATOR = Actor("rule:test", None, "test", "rule")
ROLES = ["manager", "finance"]
Meanwhile = Callable[["Office"], None]


@pytest.mark.parametrize("query", ["", "&dry_run=true"])
def test_a_manager_who_may_not_enter_payments_may_not_import_them(api: Api, query: str) -> None:
    manager = api.signed_in("manager")
    before = api.head()
    answered = ask(manager, invoices("PAID"), query)
    assert answered.status_code == 403, answered.text
    told = answered.json()
    assert told["code"] == "import-permissions-missing"
    assert told["errors"] == [
        {
            "in": "query",
            "pointer": "/profile",
            "code": "permission-missing",
            "message": "needs the permission receivables.settle for all records; "
            "these roles have it: finance, administrator",
        }
    ]
    assert "receivables.settle (finance, administrator)" in told["detail"]
    told = ask(manager, invoices("PAID"), query, headers={"Accept-Language": "zh"}).json()
    assert "receivables.settle (finance, administrator)" in told["detail"]
    assert "缺少" in told["title"]
    assert (api.head(), kept(api)) == (before, 0)
    assert api.get("/imports").json()["items"] == []
    noted = api.get("/audit/accesses", kind="refused").json()["items"][0]
    assert (noted["actor"], noted["action"]) == (f"member:{manager.member_id}", "import")


@pytest.mark.parametrize("role", ["finance", "sales", "supervisor", "service", "auditor"])
def test_who_may_not_import_at_all_is_refused_for_that(api: Api, role: str) -> None:
    answered = ask(api.signed_in(role), invoices("ONE"))
    assert (answered.status_code, answered.json()["code"]) == (403, "forbidden")


def test_what_a_profile_needs_is_told_before_it_is_asked_for(api: Api) -> None:
    profiles = {each["name"]: each for each in api.get("/imports/profiles").json()["items"]}
    assert profiles["ibm-receivables"]["permissions"] == [
        "customers.register",
        "receivables.change",
        "receivables.settle",
    ]


@pytest.mark.parametrize("roles", [ROLES, ["administrator"]])
def test_whoever_has_all_of_them_imports(api: Api, roles: list[str]) -> None:
    found = ended(api, ask(api.signed_in(*roles), invoices(f"ALL{len(roles)}")).json()["id"])
    assert (found["state"], found["total"]["imported"]) == ("done", 2)


def test_a_request_is_refused_by_a_token_that_is_for_too_few_roles(api: Api) -> None:
    member = api.signed_in(*ROLES)
    token = member.headers["Authorization"].removeprefix("Bearer ")
    actor = api.actors[token]
    api.actors[token] = replace(actor, roles=frozenset(["manager"]), only=frozenset(["manager"]))
    assert ask(member, invoices("FEW")).status_code == 403


class Office:
    """A workspace with a member who asked for an import, and a worker that has not begun it."""

    def __init__(self, database: Database, keyring: Keyring, ledger: Ledger, folder: Path) -> None:
        self.database, self.keyring, self.ledger, self.folder = database, keyring, ledger, folder
        self.directory = Directory(database)
        self.member = self.do(RegisterMember(name="成员", roles=ROLES))
        self.token = self.new_token()

    def do(self, command: Command, to: UUID | None = None) -> UUID:
        """Something that happens in another process."""
        return execute(command, to=to, by=OPERATOR, door=Door(self.ledger)).id

    def new_token(self) -> tokens.Token:
        """A token of the member."""
        with self.database.connection() as connection:
            made, self.text = tokens.create(connection, "script", self.member)
        return made

    def ask(self, rows: int = 3, **more: Any) -> Job:
        """Ask for an import."""
        order = Order("ibm-receivables", False, None, f"member:{self.member}", self.member, **more)
        with self.database.connection(autocommit=True) as connection:
            return book.request(connection, self.keyring, order, {"a.csv": BytesIO(invoices("JOB", rows).encode())})

    def work(self, name: str = "worker") -> None:
        """Do the job that waits."""
        door = open_door(self.ledger, self.directory)
        with self.database.connect() as connection:
            Working(connection, self.keyring, door, self.ledger, name, self.folder).do_next()

    def found(self, job: Job) -> Job:
        """The job as it stands."""
        with self.database.connection(autocommit=True) as connection:
            found = book.find(connection, job.job_id)
        assert found is not None
        return found

    def revoke(self) -> None:
        """Take the token out of use."""
        with self.database.connection() as connection:
            tokens.revoke(connection, self.token.id)

    def parts(self) -> int:
        """How many parts of files are kept."""
        with self.database.connection() as connection:
            row = connection.execute("SELECT count(*) FROM import_uploads").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture
def office(database: Database, keyring: Keyring, ledger: Ledger, tmp_path: Path) -> Office:
    """Such a workspace."""
    return Office(database, keyring, ledger, tmp_path)


MEANWHILE: dict[str, tuple[Meanwhile, Ended]] = {
    "suspended": (lambda office: ignored(office.do(SuspendMember(), office.member)), "import-member-inactive"),
    "removed": (lambda office: ignored(office.do(RemoveMember(), office.member)), "import-member-inactive"),
    "fewer roles": (
        lambda office: ignored(office.do(GiveRoles(roles=["manager"]), office.member)),
        "import-not-permitted",
    ),
    "no imports": (
        lambda office: ignored(office.do(GiveRoles(roles=["finance"]), office.member)),
        "import-not-permitted",
    ),
    "token revoked": (Office.revoke, "import-token-ended"),
}


def ignored(_: object) -> None:
    """Nothing is made of it."""


@pytest.mark.parametrize("what", MEANWHILE)
def test_a_job_does_not_start_when_its_member_may_no_longer_ask_for_it(office: Office, what: str) -> None:
    happens, code = MEANWHILE[what]
    job = office.ask(token_digest=digest_of(office.text))
    happens(office)
    head = office.ledger.head()
    office.work()
    found = office.found(job)
    assert (found.state, found.error, office.parts(), office.ledger.head()) == ("failed", code, 0, head)


@pytest.mark.parametrize("what", MEANWHILE)
def test_a_job_that_runs_is_ended(office: Office, what: str) -> None:
    happens, code = MEANWHILE[what]
    job = office.ask(rows=4_000, token_digest=digest_of(office.text))
    working = Thread(target=office.work)
    working.start()
    until = time.monotonic() + PATIENCE
    while office.found(job).rows_done < 4_100:  # every row was looked at once for its customer
        assert time.monotonic() < until, office.found(job)
        time.sleep(0.02)
    happens(office)
    working.join()
    head, found = office.ledger.head(), office.found(job)
    assert (found.state, found.error, office.parts()) == ("failed", code, 0)
    assert len(office.ledger.holders("invoice-no", [f"JOB-{n:05}" for n in range(4_000)])) < 4_000
    time.sleep(0.3)
    assert office.ledger.head() == head


def test_a_dry_run_is_ended_too(office: Office) -> None:
    order = Order("ibm-receivables", True, None, f"member:{office.member}", office.member)
    with office.database.connection(autocommit=True) as connection:
        job = book.request(connection, office.keyring, order, {"a.csv": BytesIO(invoices("DRY").encode())})
    office.do(SuspendMember(), office.member)
    office.work()
    assert office.found(job).error == "import-member-inactive"


def test_a_token_for_some_roles_limits_the_job(office: Office) -> None:
    job = office.ask(only_roles=frozenset(["manager"]))
    office.work()
    assert (office.found(job).error, office.found(job).only_roles) == ("import-not-permitted", ["manager"])


def test_a_session_that_ends_does_not_end_the_job(api: Api) -> None:
    member = api.signed_in(*ROLES)
    token = member.headers["Authorization"].removeprefix("Bearer ")
    api.actors[token] = replace(api.actors[token], credential=Credential("session", digest_of("gone long ago")))
    assert ended(api, ask(member, invoices("SESSION")).json()["id"])["state"] == "done"


def test_a_request_by_a_token_keeps_its_digest_and_its_limits(api: Api) -> None:
    member = api.signed_in(*ROLES, "auditor")
    with api.services.database.connection() as connection:
        _, text = tokens.create(connection, "import", member.member_id, roles=ROLES)
    only = frozenset(ROLES)
    api.actors[text] = Actor(
        f"member:{member.member_id}", member.member_id, "", "api", only, Credential("token", digest_of(text)), only
    )
    member.headers["Authorization"] = f"Bearer {text}"
    found = ended(api, ask(member, invoices("TOKEN")).json()["id"])
    assert found["state"] == "done", found
    with api.services.database.connection() as connection:
        row = connection.execute(
            "SELECT member_id, only_roles, token_digest FROM import_jobs WHERE job_id = %s", [found["id"]]
        ).fetchone()
    assert row == (member.member_id, sorted(ROLES), digest_of(text))
    assert "digest" not in str(found)


def test_a_worker_that_was_taken_for_lost_does_not_end_the_job_of_another(office: Office) -> None:
    job = office.ask()
    with office.database.connect() as slow, office.database.connect() as other:
        with taking.taken(slow, "slow") as taken:
            assert taken is not None
            slow.execute("UPDATE import_jobs SET seen_at = now() - interval '1 minute'")
        with taking.taken(other, "other") as again:
            assert again is not None
            with pytest.raises(Lost):
                taking.end(slow, taken, "slow", "failed", "import-failed")
            assert (office.found(job).state, office.parts()) == ("running", 1)
            taking.end(other, again, "other", "cancelled")


@contextmanager
def only_looked_at(door: Door) -> Iterator[list[Door]]:
    """The doors that are made from this one."""
    made: list[Door] = []
    over = door.over
    door.over = lambda ledger: made.append(over(ledger)) or made[-1]  # type: ignore[method-assign,func-returns-value]
    yield made


@pytest.mark.parametrize("is_rehearsal", [False, True])
def test_an_import_has_the_members_and_what_is_around(office: Office, tmp_path: Path, is_rehearsal: bool) -> None:
    """Its own door is the one it was given, over another ledger."""
    path = tmp_path / "invoices.csv"
    path.write_text(invoices("DOOR"), encoding="utf-8")
    door = open_door(office.ledger, office.directory)
    with only_looked_at(door) as made:
        Importer(load("ibm-receivables"), door, office.ledger, is_rehearsal=is_rehearsal).run(path)
    (own,) = made
    assert (own.directory, own.surroundings, own.policy) == (office.directory, door.surroundings, door.policy)
    assert own.directory is not None
    assert own.surroundings is not None
