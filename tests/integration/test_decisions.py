"""Who decides on a record has seen it at a version: what changes between deciding and writing is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from aggregates.base import Aggregate, DomainError
from aggregates.customer import Customer
from aggregates.customer.refusals import CustomerArchived
from aggregates.member import LastAdministrator, Member, MemberRemoved, MemberStillOwns, MemberSuspended
from aggregates.opportunity import Opportunity
from aggregates.team import Team
from commands import customers as c
from commands import members as m
from commands import opportunities as o
from commands.base import Command, execute
from commands.door import Door
from commands.settings import ConfigureWorkspace
from crm.processes.work import working
from crm.services import Services, services
from crm.settings import read
from crm.store import Store
from ledger.errors import CredentialEnded, NotFound
from ledger.ledger import Ledger
from ledger.outcome import Credential, Outcome
from policy import Actor, Forbidden, Reach
from policy.identity import tokens
from policy.identity.secrets import digest_of

OPERATOR = Actor("rule:test", None, "test", "rule")


@pytest.fixture(scope="module")
def crm(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """The service over a workspace of its own, with its worker."""
    from crm.migrate import migrate
    from workspaces import dropped_afterwards

    folder: Path = tmp_path_factory.mktemp("decisions")
    with dropped_afterwards(server) as name:
        migrate(server, name)
        store = Store(read({"CRM_DATABASE_URL": server, "CRM_SCHEMA": name, "CRM_DATA_DIR": str(folder)}), server, None)
        with services(store) as made, working(store):
            yield made


class Interrupted:
    """The ledger of a command in whose way something comes once, after it was decided and before it is written."""

    def __init__(self, ledger: Ledger, meanwhile: Callable[[], object]) -> None:
        self._ledger = ledger
        self._meanwhile: list[Callable[[], object]] = [meanwhile]
        self.saves = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def save(self, *aggregates: Aggregate, **given: Any) -> Outcome:
        """Let it happen, then write."""
        self.saves += 1
        if self._meanwhile:
            self._meanwhile.pop()()
        return self._ledger.save(*aggregates, **given)


class Office:
    """Two processes over one workspace."""

    def __init__(self, crm: Services) -> None:
        self.crm = crm

    def do(self, command: Command, to: UUID | None = None, by: Actor = OPERATOR) -> UUID:
        """Do it in the other process."""
        return execute(command, to=to, by=by, door=self.crm.door).id

    def while_deciding(
        self, meanwhile: Callable[[], object], command: Command, to: UUID | None = None, by: Actor = OPERATOR
    ) -> Outcome:
        """Do a command in this process, while something else is done in the other one."""
        ledger: Any = Interrupted(self.crm.ledger, meanwhile)
        door = Door(ledger, self.crm.policy, directory=self.crm.directory, surroundings=self.crm.door.surroundings)
        return execute(command, to=to, by=by, door=door)

    def member(self, *roles: str, team: UUID | None = None) -> UUID:
        """A new member."""
        return self.do(m.RegisterMember.model_validate({"name": "成员", "roles": roles, "team_id": team}))

    def customer(self, owner: UUID | None = None) -> UUID:
        """A new customer."""
        return self.do(c.RegisterCustomer.model_validate({"name": "甲公司", "kind": "company", "owner_id": owner}))

    def signed_in(self, member_id: UUID, *, only: tuple[str, ...] | None = None) -> tuple[Actor, UUID]:
        """The member with a token of its own, and the token's id."""
        with self.crm.database.connection() as connection:
            made, text = tokens.create(connection, f"t {uuid4()}", member_id, roles=only)
        limits = None if only is None else frozenset(only)
        credential = Credential("token", digest_of(text))
        return Actor(f"member:{member_id}", member_id, "", "api", credential=credential, only=limits), made.id

    def head(self) -> int:
        """The last position."""
        return self.crm.ledger.head()


@pytest.fixture
def office(crm: Services) -> Office:
    return Office(crm)


@pytest.fixture
def two_administrators(office: Office) -> tuple[UUID, UUID]:
    """The only two there are."""
    two = office.member("administrator"), office.member("administrator")
    for each in office.crm.directory.administrators() - set(two):
        office.do(m.GiveRoles(roles=("sales",)), each)
    return two


class TestAdministrators:
    @pytest.mark.parametrize("first", [m.GiveRoles(roles=("sales",)), m.SuspendMember(), m.RemoveMember()])
    @pytest.mark.parametrize("second", [m.GiveRoles(roles=("sales",)), m.SuspendMember(), m.RemoveMember()])
    def test_one_is_left_when_each_takes_the_others_role(
        self, office: Office, two_administrators: tuple[UUID, UUID], first: Command, second: Command
    ) -> None:
        one, other = two_administrators
        mine, _ = office.signed_in(one)
        theirs, _ = office.signed_in(other)
        with pytest.raises((Forbidden, CredentialEnded)):
            office.while_deciding(lambda: office.do(second, one, theirs), first, other, mine)
        assert office.crm.directory.administrators() == {other}

    def test_one_is_left_when_the_operator_takes_both(
        self, office: Office, two_administrators: tuple[UUID, UUID]
    ) -> None:
        one, other = two_administrators
        with pytest.raises(LastAdministrator):
            office.while_deciding(lambda: office.do(m.SuspendMember(), one), m.SuspendMember(), other)
        assert office.crm.directory.administrators() == {other}


class TestMembers:
    def test_who_was_given_a_customer_meanwhile_is_not_removed(self, office: Office) -> None:
        leaver = office.member("sales")
        with pytest.raises(MemberStillOwns):
            office.while_deciding(lambda: office.customer(leaver), m.RemoveMember(), leaver)
        assert office.crm.ledger.load(Member, leaver).state == "active"

    def test_who_did_something_else_meanwhile_is_removed(self, office: Office) -> None:
        leaver, customer = office.member("sales"), office.customer()
        by = Actor(f"member:{leaver}", leaver, "", "api", frozenset({"administrator"}))
        note = c.LogFollowUp.model_validate({"method": "phone"})
        office.while_deciding(lambda: office.do(note, customer, by), m.RenameMember(name="别名"), leaver)
        office.while_deciding(lambda: office.do(c.Tag(tag="贵宾"), customer, by), m.RemoveMember(), leaver)
        assert office.crm.ledger.load(Member, leaver).state == "removed"

    @pytest.mark.parametrize(
        ("gone", "refusal"), [(m.RemoveMember(), MemberRemoved), (m.SuspendMember(), MemberSuspended)]
    )
    def test_who_left_meanwhile_is_given_nothing(
        self, office: Office, gone: Command, refusal: type[DomainError]
    ) -> None:
        for command in ("register", "assign", "hand over"):
            leaver, head = office.member("sales"), office.head()
            given: tuple[Command, UUID | None] = {
                "register": (
                    c.RegisterCustomer.model_validate({"name": "x", "kind": "company", "owner_id": leaver}),
                    None,
                ),
                "assign": (c.AssignOwner(owner_id=leaver), office.customer(office.member("sales"))),
                "hand over": (m.HandOver(member_id=leaver), self.with_a_customer(office)),
            }[command]
            with pytest.raises(refusal):
                office.while_deciding(partial(office.do, gone, leaver), *given)
            assert office.head() > head

    def with_a_customer(self, office: Office) -> UUID:
        giver = office.member("sales")
        office.customer(giver)
        return giver

    def test_what_was_registered_meanwhile_is_handed_over_too(self, office: Office) -> None:
        giver, taker = office.member("sales"), office.member("sales")
        office.customer(giver)
        late: list[UUID] = []
        office.while_deciding(lambda: late.append(office.customer(giver)), m.HandOver(member_id=taker), giver)
        assert office.crm.ledger.load(Customer, late[0]).owner_id == taker

    def test_two_teams_do_not_stand_below_each_other(self, office: Office) -> None:
        one, other = office.do(m.FormTeam(name="一")), office.do(m.FormTeam(name="二"))
        with pytest.raises(DomainError):
            office.while_deciding(
                lambda: office.do(m.PlaceTeam(parent_id=one), other), m.PlaceTeam(parent_id=other), one
            )
        assert office.crm.ledger.load(Team, one).parent_id is None


class TestRecords:
    def test_no_deal_is_opened_with_a_customer_that_was_archived_meanwhile(self, office: Office) -> None:
        customer = office.customer()
        with pytest.raises(CustomerArchived):
            office.while_deciding(
                lambda: office.do(c.ArchiveCustomer(), customer), o.OpenOpportunity(name="x"), customer
            )

    def test_settings_that_were_changed_meanwhile_hold(self, office: Office) -> None:
        customer = office.customer()
        office.do(ConfigureWorkspace(currency="CNY"))
        opened = office.while_deciding(
            lambda: office.do(ConfigureWorkspace(currency="USD")), o.OpenOpportunity(name="x"), customer
        )
        office.do(ConfigureWorkspace(currency="CNY"))
        assert office.crm.ledger.load(Opportunity, opened.id).currency == "USD"

    def test_a_customer_that_was_taken_away_meanwhile_is_out_of_reach(self, office: Office) -> None:
        seller, other = office.member("sales"), office.member("sales")
        customer = office.customer(seller)
        by, _ = office.signed_in(seller)
        with pytest.raises(NotFound):
            office.while_deciding(
                lambda: office.do(c.AssignOwner(owner_id=other), customer), o.OpenOpportunity(name="x"), customer, by
            )

    @pytest.mark.parametrize("moved", ["the seller", "the team", "the supervisor"])
    def test_a_customer_whose_owner_left_the_team_meanwhile_is_out_of_reach(self, office: Office, moved: str) -> None:
        above, elsewhere = office.do(m.FormTeam(name="上")), office.do(m.FormTeam(name="别处"))
        below = office.do(m.FormTeam.model_validate({"name": "下", "parent_id": above}))
        supervisor, seller = office.member("supervisor", team=above), office.member("sales", team=below)
        customer = office.customer(seller)
        by, _ = office.signed_in(supervisor)
        office.while_deciding(lambda: None, c.Tag(tag="贵宾"), customer, by)
        away: dict[str, tuple[Command, UUID]] = {
            "the seller": (m.AssignTeam(team_id=elsewhere), seller),
            "the team": (m.PlaceTeam(parent_id=elsewhere), below),
            "the supervisor": (m.AssignTeam(team_id=elsewhere), supervisor),
        }
        with pytest.raises(NotFound):
            office.while_deciding(lambda: office.do(*away[moved]), c.Untag(tag="贵宾"), customer, by)
        assert "贵宾" in office.crm.ledger.load(Customer, customer).tags

    def test_a_team_that_is_read_anew_between_reach_and_record_is_no_way_around(
        self, office: Office, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        team, elsewhere = office.do(m.FormTeam(name="一")), office.do(m.FormTeam(name="二"))
        supervisor, seller = office.member("supervisor", team=team), office.member("sales", team=team)
        customer = office.customer(seller)
        by, _ = office.signed_in(supervisor)
        policy = office.crm.policy
        require, moved = policy.require, list[UUID]()

        def required(actor: Actor, action: str) -> Reach:
            """How far the actor reaches, which is over as soon as it is known."""
            reach = require(actor, action)
            if actor.member_id == supervisor and not moved:
                moved.append(office.do(m.AssignTeam(team_id=elsewhere), seller))
            return reach

        monkeypatch.setattr(policy, "require", required)
        with pytest.raises(NotFound):
            office.do(c.Tag(tag="贵宾"), customer, by)
        assert moved


class TestReopening:
    """What is reopened beside a removal does not come back as a leaver's."""

    def closed(self, office: Office, owner: UUID, close: Command) -> UUID:
        """An opportunity of the member, won or lost."""
        opportunity = office.do(o.OpenOpportunity(name="x", owner_id=owner), office.customer())
        office.do(close, opportunity)
        return opportunity

    def test_who_won_what_was_reopened_meanwhile_is_not_removed(self, office: Office) -> None:
        leaver = office.member("sales")
        won = self.closed(office, leaver, o.WinOpportunity.model_validate({"amount": "1"}))
        with pytest.raises(MemberStillOwns):
            office.while_deciding(lambda: office.do(o.ReopenOpportunity(reason="x"), won), m.RemoveMember(), leaver)
        assert office.crm.ledger.load(Member, leaver).state == "active"

    def test_what_was_reopened_meanwhile_is_handed_over_too(self, office: Office) -> None:
        giver, taker = office.member("sales"), office.member("sales")
        office.customer(giver)
        won = self.closed(office, giver, o.WinOpportunity.model_validate({"amount": "1"}))
        office.while_deciding(
            lambda: office.do(o.ReopenOpportunity(reason="x"), won), m.HandOver(member_id=taker), giver
        )
        assert office.crm.ledger.load(Opportunity, won).owner_id == taker

    def test_an_opportunity_whose_owner_left_meanwhile_goes_to_who_reopens_it(self, office: Office) -> None:
        leaver, manager = office.member("sales"), office.member("manager")
        won = self.closed(office, leaver, o.WinOpportunity.model_validate({"amount": "1"}))
        by, _ = office.signed_in(manager)
        office.while_deciding(lambda: office.do(m.RemoveMember(), leaver), o.ReopenOpportunity(reason="x"), won, by)
        assert office.crm.ledger.load(Opportunity, won).owner_id == manager

    def test_a_customer_whose_owner_was_suspended_meanwhile_goes_to_who_reopens_it(self, office: Office) -> None:
        owner, manager = office.member("sales"), office.member("manager")
        customer = office.customer(owner)
        office.do(c.ArchiveCustomer(), customer)
        by, _ = office.signed_in(manager)
        office.while_deciding(lambda: office.do(m.SuspendMember(), owner), c.ReopenCustomer(), customer, by)
        assert office.crm.ledger.load(Customer, customer).owner_id == manager

    def test_an_owner_who_left_meanwhile_is_not_given_the_customers_next_opportunity(self, office: Office) -> None:
        owner, manager = office.member("sales"), office.member("manager")
        customer = office.customer(owner)
        by, _ = office.signed_in(manager)
        opened = office.while_deciding(
            lambda: office.do(m.SuspendMember(), owner), o.OpenOpportunity(name="x"), customer, by
        )
        assert office.crm.ledger.load(Opportunity, opened.id).owner_id == manager

    def test_a_follower_who_left_meanwhile_is_refused(self, office: Office) -> None:
        follower, customer = office.member("sales"), office.customer()
        note = c.LogFollowUp.model_validate({"method": "phone", "follower_id": str(follower)})
        with pytest.raises(MemberRemoved):
            office.while_deciding(lambda: office.do(m.RemoveMember(), follower), note, customer)


class TestCredentials:
    """What a token or session could do a moment ago it cannot do once it was revoked."""

    def test_a_token_that_was_revoked_meanwhile_writes_nothing(self, office: Office) -> None:
        by, token = office.signed_in(office.member("administrator"))

        def revoke() -> None:
            with office.crm.database.connection() as connection:
                tokens.revoke(connection, token)

        head = office.head()
        with pytest.raises(CredentialEnded):
            office.while_deciding(revoke, m.RegisterMember.model_validate({"name": "x"}), None, by)
        assert office.head() == head

    def test_a_repeated_request_of_a_revoked_token_is_not_answered(self, office: Office) -> None:
        by, token = office.signed_in(office.member("administrator"))
        command, key = m.FormTeam(name="x"), str(uuid4())
        first = execute(command, to=None, by=by, door=office.crm.door, key=key)
        assert execute(command, to=None, by=by, door=office.crm.door, key=key) == replace(first, replayed=True)
        with office.crm.database.connection() as connection:
            tokens.revoke(connection, token)
        with pytest.raises(CredentialEnded):
            execute(command, to=None, by=by, door=office.crm.door, key=key)

    def test_a_command_that_would_change_nothing_needs_a_credential_too(self, office: Office) -> None:
        by, token = office.signed_in(office.member("administrator"))
        customer = office.customer()
        with office.crm.database.connection() as connection:
            tokens.revoke(connection, token)
        with pytest.raises(CredentialEnded):
            execute(c.Untag(tag="none"), to=customer, by=by, door=office.crm.door)

    @pytest.mark.parametrize(
        ("meanwhile", "refusal"),
        [
            (m.GiveRoles(roles=("sales",)), Forbidden),
            (m.SuspendMember(), CredentialEnded),
            (m.RemoveMember(), CredentialEnded),
        ],
    )
    def test_who_lost_its_role_meanwhile_makes_no_administrator(
        self, office: Office, meanwhile: Command, refusal: type[DomainError]
    ) -> None:
        office.member("administrator")
        member = office.member("administrator")
        by, _ = office.signed_in(member)
        command = m.RegisterMember.model_validate({"name": "x", "roles": ["administrator"]})
        administrators = office.crm.directory.administrators() - {member}
        with pytest.raises(refusal):
            office.while_deciding(lambda: office.do(meanwhile, member), command, None, by)
        assert office.crm.directory.administrators() == administrators

    def test_a_new_role_holds_at_once(self, office: Office) -> None:
        member = office.member("sales")
        by, _ = office.signed_in(member)
        with pytest.raises(Forbidden):
            office.do(m.FormTeam(name="x"), None, by)
        office.do(m.GiveRoles(roles=("administrator",)), member)
        office.do(m.FormTeam(name="x"), None, by)

    def test_a_limited_token_stays_limited(self, office: Office) -> None:
        by, _ = office.signed_in(office.member("administrator", "sales"), only=("sales",))
        with pytest.raises(Forbidden):
            office.do(m.FormTeam(name="x"), None, by)
        office.do(c.RegisterCustomer.model_validate({"name": "x", "kind": "company"}), None, by)
