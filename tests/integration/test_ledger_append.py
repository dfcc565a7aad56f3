"""What is written: all of a command or nothing, once, in order, and never over somebody else's change."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, cast
from uuid import uuid4

import pytest

from aggregates.base import Event, ImportedRow
from aggregates.customer import Customer
from aggregates.product import Product
from aggregates.team import Team
from integration.bookkeeping import all_at_once, customer, product, somebody, superuser, team
from keys import MASTER_KEY
from ledger.append.command import Append, Verdict
from ledger.append.recorder import LedgerRecorder, SealingKeyExists
from ledger.append.writing import Writer
from ledger.database import Database
from ledger.encoded.stored import SealingMapper, StoredEvent
from ledger.errors import ClaimReplaced, ClaimTaken, KeyReused, NotFound, StaleVersion, VersionConflict
from ledger.ledger import Ledger
from ledger.new_keys import NewKeys
from ledger.outcome import Expecting, Idempotency, Outcome
from ledger.proof.chain import verify_chain
from ledger.proof.claims import verify_claims
from ledger.sealing import Keyring


def test_what_was_saved_is_loaded(ledger: Ledger) -> None:
    acme = customer(name="阿克米", phone="+86 21 5555")
    outcome = ledger.save(acme)
    assert outcome == Outcome(acme.id, acme.version, ledger.head())
    assert not acme.pending_events
    loaded = ledger.load(Customer, acme.id)
    assert loaded.profile == acme.profile
    assert loaded.profile["name"] == "阿克米"
    assert loaded == ledger.repository.get(acme.id)


def test_an_aggregate_is_loaded_as_it_was(ledger: Ledger) -> None:
    north = team("North")
    first = ledger.save(north)
    with somebody():
        north.rename("South")
    ledger.save(north)
    assert ledger.load(Team, north.id).name == "South"
    assert ledger.load(Team, north.id, version=1).name == "North"
    assert ledger.load(Team, north.id, position=first.position).name == "North"
    for nothing in ({"version": 3}, {"position": first.position - 1}):
        with pytest.raises(NotFound):
            ledger.load(Team, north.id, **nothing)


def test_an_id_of_another_kind_or_of_nothing_is_not_found(ledger: Ledger) -> None:
    north = team()
    ledger.save(north)
    with pytest.raises(NotFound) as refused:
        ledger.load(Customer, north.id)
    assert refused.value.values == {"kind": "customer", "id": north.id}
    with pytest.raises(NotFound):
        ledger.load(Team, uuid4())


def test_of_two_changes_to_one_version_the_second_is_refused(ledger: Ledger) -> None:
    north = team()
    ledger.save(north)
    mine, theirs = ledger.load(Team, north.id), ledger.load(Team, north.id)
    with somebody():
        mine.rename("East")
    with somebody():
        theirs.rename("West")
    ledger.save(mine)
    head = ledger.head()
    with pytest.raises(VersionConflict) as refused:
        ledger.save(theirs)
    assert refused.value.values == {"id": north.id, "actual": 2}
    assert theirs.pending_events
    assert ledger.head() == head
    assert ledger.load(Team, north.id).name == "East"


def test_of_several_aggregates_all_are_written_or_none(ledger: Ledger) -> None:
    north = team()
    ledger.save(north)
    stale = ledger.load(Team, north.id)
    with somebody():
        north.rename("East")
        stale.rename("West")
    ledger.save(north)
    new = team("New")
    with pytest.raises(VersionConflict):
        ledger.save(new, stale)
    with pytest.raises(NotFound):
        ledger.load(Team, new.id)


def test_a_stale_version_names_what_changed_since(ledger: Ledger) -> None:
    acme = customer(industry="steel")
    ledger.save(acme)
    with somebody():
        acme.revise_profile(industry="tools", region="North")
        acme.assign_owner(uuid4())
    ledger.save(acme)
    late = ledger.load(Customer, acme.id)
    with somebody():
        late.tag("vip")
    with pytest.raises(StaleVersion) as refused:
        ledger.save(late, expecting=Expecting(acme.id, 1))
    assert refused.value.values == {"expected": 1, "actual": 3, "changed_fields": ("industry", "region", "owner_id")}
    assert ledger.save(late, expecting=Expecting(acme.id, 3)).version == 4


def test_a_save_without_changes_answers_with_the_version_there_is(ledger: Ledger) -> None:
    north = team()
    outcome = ledger.save(north)
    assert ledger.save(ledger.load(Team, north.id)) == outcome
    with pytest.raises(StaleVersion):
        ledger.save(ledger.load(Team, north.id), expecting=Expecting(north.id, 7))


class TestClaims:
    def test_a_name_is_held_by_one(self, ledger: Ledger) -> None:
        first, second = product("Valve"), product("VALVE")
        ledger.save(first)
        with pytest.raises(ClaimTaken) as refused:
            ledger.save(second)
        assert refused.value.values == {"kind": "product-name", "value": "valve", "holder": first.id}
        assert ledger.holder("product-name", "valve") == (first.id, None)
        assert ledger.holders("product-name", ["valve", "pump"]) == {"valve": (first.id, None)}

    def test_a_name_given_up_is_free_for_others(self, ledger: Ledger, database: Database) -> None:
        valve = product("Valve")
        ledger.save(valve)
        with somebody():
            valve.revise(name="Pump")
        ledger.save(valve)
        other = product("Valve")
        ledger.save(other)
        assert ledger.holder("product-name", "valve") == (other.id, None)
        with somebody():
            other.revise(name="Pump")
        with pytest.raises(ClaimTaken):
            ledger.save(other)
        with database.connection() as connection:
            assert verify_claims(connection, ledger.keyring).is_intact

    def test_names_can_be_exchanged_within_one_command(self, ledger: Ledger) -> None:
        one, two = product("One"), product("Two")
        ledger.save(one, two)
        with somebody():
            one.revise(name="Two")
            two.revise(name="One")
        ledger.save(one, two)
        assert ledger.holder("product-name", "two") == (one.id, None)
        assert ledger.holder("product-name", "one") == (two.id, None)

    def test_two_aggregates_of_one_command_cannot_take_the_same_name(self, ledger: Ledger) -> None:
        with pytest.raises(ClaimTaken):
            ledger.save(product("One"), product("one"))
        assert ledger.head() == 0

    def test_an_imported_row_is_claimed_with_its_digest(self, ledger: Ledger, database: Database) -> None:
        with somebody(imported=ImportedRow("sheet", "7", "abc")):
            north = Team.form(uuid4(), name="North", region=None)
            valve = Product.add(uuid4(), name="Valve")
        ledger.save(north, valve)
        assert ledger.holder("import-row", "sheet/7") == (north.id, "abc")
        with somebody(imported=ImportedRow("sheet", "7", "abc")):
            again = Team.form(uuid4(), name="North", region=None)
        with pytest.raises(ClaimTaken):
            ledger.save(again)
        with database.connection() as connection:
            assert verify_claims(connection, ledger.keyring).is_intact

    @pytest.mark.parametrize("digest", ["abc", "def"])
    def test_a_row_is_written_once_also_by_the_aggregate_that_holds_it(self, ledger: Ledger, digest: str) -> None:
        with somebody(imported=ImportedRow("sheet", "7", "abc")):
            north = Team.form(uuid4(), name="North", region=None)
        ledger.save(north)
        with somebody(imported=ImportedRow("sheet", "7", digest)):
            north.rename("South")
        head = ledger.head()
        with pytest.raises(ClaimTaken) as refused:
            ledger.save(north)
        assert refused.value.values == {"kind": "import-row", "value": "sheet/7", "holder": north.id}
        assert ledger.head() == head

    def test_a_row_is_written_again_by_naming_the_digest_that_it_replaces(
        self, ledger: Ledger, database: Database
    ) -> None:
        with somebody(imported=ImportedRow("sheet", "7", "abc")):
            north = Team.form(uuid4(), name="North", region=None)
        ledger.save(north)
        stale = ledger.load(Team, north.id)
        with somebody(imported=ImportedRow("sheet", "7", "def", replaces="abc")):
            north.rename("South")
            north.assign_region("华南", None)
        ledger.save(north)
        assert ledger.holder("import-row", "sheet/7") == (north.id, "def")
        valve = product("Valve")
        with somebody(imported=ImportedRow("sheet", "7", "ghi", replaces="abc")):
            valve.revise(name="Pump")
        with pytest.raises(ClaimReplaced):
            ledger.save(valve)
        with somebody(imported=ImportedRow("sheet", "8", "x", replaces="y")):
            pipe = Product.add(uuid4(), name="Pipe")
        with pytest.raises(ClaimReplaced):
            ledger.save(pipe)
        with somebody():
            stale.rename("West")
        with pytest.raises(VersionConflict):
            ledger.save(stale)
        assert ledger.load(Team, north.id).version == 3
        with database.connection() as connection:
            assert verify_claims(connection, ledger.keyring).is_intact

    def test_of_many_writers_of_one_row_one_writes_it(self, ledger: Ledger) -> None:
        teams = [team(f"T{number}") for number in range(8)]
        ledger.save(*teams)

        def rename(mine: Team) -> str:
            with somebody(imported=ImportedRow("sheet", "7", "abc")):
                mine.rename("again")
            try:
                ledger.save(mine)
            except ClaimTaken:
                return "taken"
            return "written"

        assert sorted(all_at_once([partial(rename, each) for each in teams])) == ["taken"] * 7 + ["written"]

    def test_a_table_of_claims_that_lies_is_found_out(
        self, ledger: Ledger, database: Database, server: str, workspace: str
    ) -> None:
        valve, pump = product("Valve"), product("Pump")
        ledger.save(valve, pump)
        with superuser(server, workspace) as connection:
            connection.execute("UPDATE claims SET aggregate_id = gen_random_uuid() WHERE value = 'valve'")
            connection.execute("DELETE FROM claims WHERE value = 'pump'")
            connection.execute("INSERT INTO claims VALUES ('product-name', 'ghost', gen_random_uuid(), NULL, 1)")
        with database.connection() as reading:
            report = verify_claims(reading, ledger.keyring)
        assert not report.is_intact
        assert set(report.differences) == {("product-name", name) for name in ("valve", "pump", "ghost")}


class TestIdempotency:
    def test_the_same_request_gets_the_same_answer(self, ledger: Ledger) -> None:
        key = Idempotency("ann", "k1", 0, b'{"name":"North"}')
        assert ledger.recall(key) is None
        first = ledger.save(team(), idempotency=key)
        head = ledger.head()
        again = ledger.save(team(), idempotency=key)
        assert again == Outcome(first.id, first.version, first.position, replayed=True)
        assert ledger.recall(key) == again
        assert ledger.head() == head

    def test_another_request_cannot_use_the_key(self, ledger: Ledger) -> None:
        ledger.save(team(), idempotency=Idempotency("ann", "k1", 0, b"one"))
        other = Idempotency("ann", "k1", 0, b"two")
        with pytest.raises(KeyReused):
            ledger.save(team(), idempotency=other)
        with pytest.raises(KeyReused):
            ledger.recall(other)

    @pytest.mark.parametrize("other", [("bob", "k1", 0), ("ann", "k2", 0), ("ann", "k1", 1)])
    def test_member_key_and_index_tell_requests_apart(self, ledger: Ledger, other: tuple[str, str, int]) -> None:
        ledger.save(team(), idempotency=Idempotency("ann", "k1", 0, b"one"))
        assert not ledger.save(team(), idempotency=Idempotency(*other, b"two")).replayed

    def test_a_request_that_changes_nothing_is_remembered_too(self, ledger: Ledger) -> None:
        north = team()
        saved = ledger.save(north)
        key = Idempotency("ann", "k1", 0, b"same")
        first = ledger.save(ledger.load(Team, north.id), idempotency=key)
        assert (first.version, first.position, first.replayed) == (1, saved.position, False)
        assert ledger.save(ledger.load(Team, north.id), idempotency=key).replayed

    def test_a_refused_request_may_come_again(self, ledger: Ledger) -> None:
        ledger.save(product("Valve"))
        key = Idempotency("ann", "k1", 0, b"add")
        with pytest.raises(ClaimTaken):
            ledger.save(product("Valve"), idempotency=key)
        assert ledger.recall(key) is None
        assert not ledger.save(product("Pump"), idempotency=key).replayed

    def test_the_request_itself_is_not_kept(self, ledger: Ledger, server: str, workspace: str) -> None:
        ledger.save(team(), idempotency=Idempotency("ann", "k1", 0, b"+86 138 0000"))
        with superuser(server, workspace) as connection:
            row = connection.execute("SELECT body FROM idempotency_keys").fetchone()
        assert row is not None
        assert row[0] == ledger.keyring.request_hash(b"+86 138 0000")
        assert len(row[0]) == 32

    def test_after_seven_days_a_key_is_forgotten(self, ledger: Ledger, server: str, workspace: str) -> None:
        from ledger.upkeep import forget_idempotency_keys

        key = Idempotency("ann", "k1", 0, b"one")
        ledger.save(team(), idempotency=key)
        with superuser(server, workspace) as connection:
            connection.execute("UPDATE idempotency_keys SET created_at = created_at - interval '8 days'")
        ledger.save(team(), idempotency=Idempotency("ann", "k2", 0, b"one"))
        assert forget_idempotency_keys(ledger.database) == 1
        assert ledger.recall(key) is None
        assert not ledger.save(team(), idempotency=Idempotency("ann", "k1", 0, b"two")).replayed
        assert forget_idempotency_keys(ledger.database) == 0

    def test_an_answer_forgotten_while_it_is_given_is_given(self, ledger: Ledger, server: str, workspace: str) -> None:
        """Old answers are removed without the writers' lock, so also between any two statements of `append`."""
        key = Idempotency("ann", "k1", 0, b"one")
        first = ledger.save(team(), idempotency=key)
        with superuser(server, workspace) as connection:
            row = connection.execute("SELECT pg_get_functiondef('append'::regproc)").fetchone()
            assert row is not None
            asked = "began := last;"
            assert row[0].count(asked) == 1
            connection.execute(row[0].replace(asked, f"{asked} DELETE FROM idempotency_keys;"))
        assert ledger.save(team(), idempotency=key) == Outcome(first.id, first.version, first.position, replayed=True)
        assert ledger.recall(key) is None

    def test_of_the_same_request_sent_many_times_at_once_one_is_done(self, ledger: Ledger) -> None:
        key = Idempotency("ann", "k1", 0, b"one")
        outcomes = all_at_once([lambda: ledger.save(team(), idempotency=key)] * 8)
        assert len({(each.id, each.position) for each in outcomes}) == 1
        assert [each.replayed for each in outcomes].count(False) == 1
        assert ledger.head() == 1


def command(ledger: Ledger, aggregate: Any) -> Append:
    """What happened to an aggregate, on its way into the ledger."""
    mapper = SealingMapper(ledger.keyring)
    stored = [mapper.to_stored_event(event) for event in aggregate.collect_events()]
    return made(ledger, stored, aggregate)


def made(ledger: Ledger, stored: list[StoredEvent], aggregate: Any, **conditions: Any) -> Append:
    """A command as the recorder makes it."""
    recorder = ledger.recorder
    assert isinstance(recorder, LedgerRecorder)
    return recorder.command(stored, id=aggregate.id, version=aggregate.version, **conditions)


class TestGroups:
    """Several commands in one round trip: each has a verdict of its own."""

    def test_one_conflict_refuses_only_itself(self, ledger: Ledger, database: Database) -> None:
        north, valve = team(), product("Valve")
        ledger.save(north, valve)
        stale = ledger.load(Team, north.id)
        with somebody():
            north.rename("East")
            stale.rename("West")
        ledger.save(north)
        group = [command(ledger, each) for each in (team("A"), stale, product("valve"), team("B"), product("Pump"))]
        verdicts = Writer(database, ledger.keyring.master_id)._send(group)
        assert [each.word for each in verdicts] == ["written", "conflict", "taken", "written", "written"]
        assert [each.position for each in verdicts if each.word == "written"] == [4, 5, 6]
        assert (verdicts[1].id, verdicts[1].version) == (north.id, 2)
        assert (verdicts[2].kind, verdicts[2].value, verdicts[2].id) == ("product-name", "valve", valve.id)
        with database.connection() as connection:
            assert verify_chain(connection).is_intact

    def test_each_command_of_a_group_is_judged_by_its_own_conditions(self, ledger: Ledger, database: Database) -> None:
        north, valve, pump = team(), product("Valve"), product("Pump")
        answered = ledger.save(north, idempotency=Idempotency("ann", "k1", 0, b"one"))
        ledger.save(team(), idempotency=Idempotency("ann", "k2", 0, b"one"))
        ledger.save(valve, pump)
        with somebody():
            valve.revise(name="Tap")
            pump.revise(name="Hose")
            pump.revise(name="Pump")
        asked: dict[str, tuple[Any, dict[str, Any]]] = {
            "plain": (team(), {}),
            "keyed": (team(), {"idempotency": Idempotency("ann", "k3", 0, b"one")}),
            "repeated": (team(), {"idempotency": Idempotency("ann", "k1", 0, b"one")}),
            "another": (team(), {"idempotency": Idempotency("ann", "k2", 0, b"two")}),
            "expecting": (team(), {"expecting": Expecting(north.id, 1)}),
            "late": (team(), {"expecting": Expecting(pump.id, 7)}),
            "sealed": (customer(), {}),
            "renamed": (valve, {}),
            "renamed and back": (pump, {}),
        }
        verdicts = dict(zip(asked, self.sent(ledger, database, asked.values()), strict=True))
        refused = {"repeated": "replayed", "another": "reused", "late": "conflict"}
        assert {name: each.word for name, each in verdicts.items()} == dict.fromkeys(asked, "written") | refused
        assert [each.position for each in verdicts.values() if each.word == "written"] == [5, 6, 7, 8, 9, 11]
        assert verdicts["repeated"][1:4] == (answered.id, answered.version, answered.position)
        assert verdicts["late"][1:3] == (pump.id, 1)
        keyed = Outcome(asked["keyed"][0].id, 1, 6, replayed=True)
        assert ledger.recall(Idempotency("ann", "k3", 0, b"one")) == keyed
        names = ledger.holders("product-name", ["valve", "tap", "pump", "hose"])
        assert names == {"tap": (valve.id, None), "pump": (pump.id, None)}
        with database.connection() as connection:
            assert verify_chain(connection).is_intact
            assert verify_claims(connection, ledger.keyring).is_intact

    def sent(self, ledger: Ledger, database: Database, asked: Iterable[tuple[Any, dict[str, Any]]]) -> list[Verdict]:
        """The verdicts on the commands of one group, made as the recorder makes them."""
        group = []
        for aggregate, given in asked:
            stored = [SealingMapper(ledger.keyring).to_stored_event(each) for each in aggregate.collect_events()]
            group.append(made(ledger, stored, aggregate, **given))
        return Writer(database, ledger.keyring.master_id)._send(group)

    def test_what_the_database_cannot_store_fails_alone(self, ledger: Ledger, database: Database) -> None:
        writer = Writer(database, ledger.keyring.master_id)
        group = [command(ledger, each) for each in (team("A"), product("a\0b"), team("B"))]
        writer._settle(group)
        assert [each.verdict.word if each.verdict else type(each.error).__name__ for each in group] == [
            "written",
            "UntranslatableCharacter",
            "written",
        ]
        assert ledger.head() == 2

    def test_a_writer_that_is_interrupted_leaves_nobody_waiting(self, ledger: Ledger, database: Database) -> None:
        writer = Writer(database, ledger.keyring.master_id)
        sending, interrupted = writer._send, [True]

        def send(group: Any) -> Any:
            if interrupted:
                interrupted.clear()
                raise KeyboardInterrupt
            return sending(group)

        writer._send = send  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            writer.append(command(ledger, team("A")))
        assert writer.append(command(ledger, team("B"))).word == "written"

    def test_a_key_made_elsewhere_meanwhile_is_used_instead(self, ledger: Ledger, database: Database) -> None:
        acme = customer()
        ledger.save(acme)
        rival, new = Keyring(database, MASTER_KEY), NewKeys()
        rival._make(acme.id, new)
        with somebody():
            acme.revise_profile(name="Acme Ltd")
        stored = [SealingMapper(rival)._stored(cast(Event, each), new) for each in acme.pending_events]
        with pytest.raises(SealingKeyExists):
            LedgerRecorder(database, rival).append(stored, id=acme.id, version=acme.version)
        Ledger(database, rival).save(acme)
        assert ledger.load(Customer, acme.id).profile["name"] == "Acme Ltd"

    def test_a_key_of_a_refused_append_is_not_remembered(self, ledger: Ledger, database: Database) -> None:
        acme = uuid4()
        mine, theirs = customer("C1", id=acme), customer("C2", id=acme)
        elsewhere = Ledger(database, Keyring(database, MASTER_KEY))
        elsewhere.save(theirs)
        with pytest.raises(VersionConflict):
            ledger.save(mine)
        assert ledger.load(Customer, acme).profile["name"] == "Acme"

    def test_an_append_keeps_its_key_while_another_with_one_is_refused(
        self, ledger: Ledger, database: Database
    ) -> None:
        """Two threads make the first key of one person; the one that is refused takes nothing from the other."""
        acme = uuid4()

        def register(code: str) -> str:
            try:
                ledger.save(customer(code, id=acme))
            except VersionConflict:
                return "refused"
            return "written"

        assert sorted(all_at_once([partial(register, f"C{n}") for n in range(8)])) == ["refused"] * 7 + ["written"]
        for reader in (ledger, Ledger(database, Keyring(database, MASTER_KEY))):
            assert reader.load(Customer, acme).profile["name"] == "Acme"

    def test_nothing_is_sealed_with_a_key_that_is_not_stored(
        self, ledger: Ledger, database: Database, server: str, workspace: str
    ) -> None:
        acme = customer()
        ledger.save(acme)
        with superuser(server, workspace) as connection:
            connection.execute("DELETE FROM sealing_keys WHERE subject = %s", [acme.id])
        with somebody():
            acme.revise_profile(name="Acme Ltd")
        stored = SealingMapper(ledger.keyring).to_stored_events(cast(list[Event], acme.pending_events))
        with pytest.raises(SealingKeyExists):
            LedgerRecorder(database, ledger.keyring).append(stored, id=acme.id, version=acme.version)
        assert ledger.head() == 1

    def test_a_key_at_hand_that_is_the_wrong_one_is_no_tampering(self, ledger: Ledger, database: Database) -> None:
        acme = customer()
        ledger.save(acme)
        confused = Keyring(database, MASTER_KEY)
        confused.standing()
        other = NewKeys()
        Keyring(None, MASTER_KEY).seal(acme.id, acme.id, 1, {"name": "x"}, other)
        confused.take_over(acme.id, other.wrapped(acme.id) or b"", confused.standing())
        assert Ledger(database, confused).load(Customer, acme.id).profile["name"] == "Acme"


class TestManyWriters:
    def test_no_change_of_one_aggregate_is_lost(self, ledger: Ledger) -> None:
        acme = customer()
        ledger.save(acme)

        def tag_ten_times(name: str) -> int:
            done = 0
            for number in range(10):
                while True:
                    mine = ledger.load(Customer, acme.id)
                    with somebody():
                        mine.tag(f"{name}{number}")
                    try:
                        ledger.save(mine)
                    except VersionConflict:
                        continue
                    done += 1
                    break
            return done

        assert all_at_once([partial(tag_ten_times, name) for name in "abcdefgh"]) == [10] * 8
        loaded = ledger.load(Customer, acme.id)
        assert loaded.tags == {f"{name}{number}" for name in "abcdefgh" for number in range(10)}
        assert loaded.version == 81

    def test_positions_are_contiguous_and_times_never_fall(self, ledger: Ledger, database: Database) -> None:
        def write(name: str) -> list[int]:
            positions = []
            for number in range(15):
                mine = team(f"{name}{number}")
                with somebody():
                    mine.rename(f"{name}{number}!")
                positions.append(ledger.save(mine).position)
            return positions

        written = all_at_once([partial(write, name) for name in "abcdefgh"])
        assert sorted(position for each in written for position in each) == list(range(2, 241, 2))
        with database.connection() as connection:
            rows = connection.execute("SELECT position, recorded_at FROM events ORDER BY position").fetchall()
            assert verify_chain(connection).is_intact
        assert [row[0] for row in rows] == list(range(1, 241))
        assert [row[1] for row in rows] == sorted(row[1] for row in rows)

    def test_conflicts_and_claims_among_many_writers_leave_a_sound_ledger(
        self, ledger: Ledger, database: Database
    ) -> None:
        def write(seed: int) -> list[Any]:
            results: list[Any] = []
            for number in range(12):
                mine = product(f"name {(seed + number) % 10}")
                try:
                    results.append(ledger.save(mine))
                except ClaimTaken as taken:
                    results.append(taken)
            return results

        results = [each for some in all_at_once([partial(write, seed) for seed in range(8)]) for each in some]
        written = [each for each in results if isinstance(each, Outcome)]
        assert len(written) == 10
        assert all(isinstance(each, Outcome | ClaimTaken) for each in results)
        assert ledger.head() == 10
        with database.connection() as connection:
            assert verify_claims(connection, ledger.keyring).is_intact


def test_next_code_counts_each_month_by_itself(ledger: Ledger) -> None:
    assert [ledger.next_code("C2611"), ledger.next_code("C2611"), ledger.next_code("C2612")] == [1, 2, 1]
    numbers = all_at_once([lambda: [ledger.next_code("C2701") for _ in range(10)]] * 4)
    assert sorted(number for each in numbers for number in each) == list(range(1, 41))
