"""A workspace that was backed up is restored elsewhere as it was, or not at all, and without whoever was erased."""

from __future__ import annotations

import io
import json
import tarfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from secrets import token_bytes
from threading import Event, Thread
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from psycopg import sql

from crm import migrate, settings, store
from crm.backups import restoring
from crm.backups.contents import LEFT_OUT
from crm.backups.file import opened
from crm.backups.making import make
from crm.backups.restoring import keys_for
from crm.backups.restoring import restore as fill
from crm.erasing import apply_erasures
from crm.migrate import Migration
from integration.bookkeeping import customer
from integration.forging import FORGERIES, forge
from integration.keeping import Place, elsewhere, everything_in
from integration.planting import PERSON, PROFILE, STAYS, Planted, tables_with
from integration.serving import Api, serving
from keys import MASTER_KEY, as_setting
from ledger.erasing.key_copy import KeyCopy
from ledger.erasing.register import Unreadable
from ledger.proof.statements import Signer

SIGNING_KEY = token_bytes(32)
PUBLIC_KEY = b64encode(Signer(SIGNING_KEY).public).decode()
TRUSTING = {"CRM_TRUSTED_KEYS": PUBLIC_KEY}
WHY = {"reason": "本人要求"}


@pytest.fixture
def api(server: str) -> Iterator[Api]:
    """The service on a workspace of its own."""
    with serving(server) as served:
        yield served


@pytest.fixture
def place(api: Api, server: str) -> Place:
    """Where it runs, with the register of erasures that it writes."""
    folder = api.services.checkpoints.settings.data_dir
    return Place(server, api.services.database.schema, folder, {"CRM_SIGNING_KEY": as_setting(SIGNING_KEY)})


@pytest.fixture(scope="module")
def quiet(server: str, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A workspace in which nothing happens any more, for tests that only read its backup."""
    with serving(server) as api:
        Planted(api)
        schema = api.services.database.schema
    more = {"CRM_SIGNING_KEY": as_setting(SIGNING_KEY)}
    quiet = Place(server, schema, tmp_path_factory.mktemp("quiet"), more)
    quiet.done("token", "create", "--name", "ann")
    return quiet


@pytest.fixture(scope="module")
def backup(quiet: Place) -> Path:
    """A backup of it."""
    return quiet.backup()


@pytest.fixture
def other(server: str, tmp_path: Path) -> Iterator[Place]:
    """Another machine, with the key copy still to come."""
    with elsewhere(server, tmp_path, **TRUSTING) as there:
        yield there


def test_what_is_restored_is_what_was_there(quiet: Place, backup: Path, other: Place) -> None:
    told = other.done("restore", backup, "--keys", quiet.keys)
    assert told["is_sound"]
    assert told["read_models"] == dict.fromkeys(("tracking", "pipeline", "receivables", "history"), "done")
    assert (told["statement"]["kind"], told["statement"]["position"]) == ("restored", told["position"])
    for table in quiet.kept_tables():
        assert other.rows(table) == quiet.rows(table), table
    assert len(other.rows("migrations")) == len(migrate.known())
    assert other.done("verify")["is_clean"]
    for asked in (("tracking",), ("aging",), ("funnel", "--by", "owner")):
        assert other.done("report", *asked, "--on", "2026-06-01") == quiet.done("report", *asked, "--on", "2026-06-01")
    assert PROFILE["name"] in other.run("report", "tracking", "--json").output


def test_the_service_goes_on_in_the_restored_workspace(quiet: Place, backup: Path, other: Place) -> None:
    other.done("restore", backup, "--keys", quiet.keys)
    before, tokens, accesses = (len(other.rows(table)) for table in ("events", "tokens", "accesses"))
    other.done("token", "create", "--name", "ben")
    other.done("export", "tracking", other.folder / "tracking.json")
    assert len(other.rows("events")) == before + 1
    assert len(other.rows("tokens")) == tokens + 1
    assert len(other.rows("accesses")) > accesses
    assert other.done("verify")["is_clean"]
    assert other.backup().exists()


def test_a_backup_is_of_one_moment_while_writing_goes_on(api: Api, place: Place, other: Place) -> None:
    stop = Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            api.customer(f"客户{number}", phone=f"021-{87650100 + number}")
            number += 1

    writer = Thread(target=write)
    writer.start()
    try:
        while api.head() < 20:
            pass
        told = place.done("backup")
        while api.head() < told["position"] + 5:
            pass
    finally:
        stop.set()
        writer.join()
    found = other.done("restore", told["file"], "--keys", place.keys)
    assert found["is_sound"]
    assert found["position"] == told["position"] < api.head()
    assert other.rows("events") == place.rows("events", told["position"])
    assert other.done("verify")["is_clean"]


def test_every_table_is_in_a_backup_or_left_out_for_a_reason(quiet: Place, backup: Path) -> None:
    with opened(backup, ()) as found:
        kept = {table.table for table in found.manifest.tables}
    assert kept == quiet.tables() - LEFT_OUT.keys()
    assert LEFT_OUT.keys() < quiet.tables()
    assert kept == {
        *("events", "meta", "claims", "sealing_keys", "idempotency_keys", "counters"),
        *("tokens", "passwords", "accesses"),
    }


def test_a_backup_holds_no_key_and_nobody_s_name(quiet: Place, backup: Path) -> None:
    held = everything_in(backup)
    found = KeyCopy(quiet.keys).keys()
    assert found is not None
    assert found[1]
    for key in found[1].values():
        assert key.subject.bytes in held
        assert key.wrapped not in held
    for word in (*PERSON.values(), *STAYS.values(), *PROFILE.values()):
        assert word == "采购" or word.encode() not in held, word
    assert MASTER_KEY not in held
    for path in (backup, quiet.keys):
        assert path.stat().st_mode & 0o777 == 0o600


def test_nobody_who_was_erased_comes_back_with_an_older_backup(
    api: Api, place: Place, server: str, tmp_path: Path
) -> None:
    planted = Planted(api)
    before = place.backup()
    retained = tmp_path / "retained.keys"
    retained.write_bytes(place.keys.read_bytes())
    api.done(f"/customers/{planted.id}/contacts/{planted.person}/erasure", WHY)
    erased = api.services.erasures.subjects()
    assert erased <= KeyCopy(retained).keys()[1].keys()  # type: ignore[index]
    apply_erasures(api.services)
    assert not erased & KeyCopy(place.keys).keys()[1].keys()  # type: ignore[index]
    for keys in (place.keys, retained):
        with elsewhere(server, tmp_path, **TRUSTING, CRM_ERASURE_DIR=str(place.folder / "erasures")) as there:
            told = there.done("restore", before, "--keys", keys)
            assert told["is_sound"]
            assert told["erased_considered"] == len(erased)
            words = {PERSON["name"], PERSON["mobile"], PERSON["email"]}
            assert tables_with(server, there.schema, words) == {}
            assert tables_with(server, there.schema, {PROFILE["name"], STAYS["name"]})
            assert not any("\\x" in row for row in there.rows("sealing_keys") if any(str(s) in row for s in erased))
            assert there.done("verify")["is_clean"]


def test_a_register_that_was_lost_does_not_bring_anybody_back(api: Api, place: Place, other: Place) -> None:
    planted = Planted(api)
    before = place.backup()
    api.done(f"/customers/{planted.id}/erasure", WHY)
    place.backup()
    said = other.refused("restore", before, "--keys", place.keys)
    assert "lacks 4 keys that the backup needs, and no register of erasures here says that" in said
    assert not other.is_there()


def test_an_erasure_while_the_backup_is_made_is_not_undone(api: Api, place: Place, other: Place) -> None:
    planted = Planted(api)
    with store.opened(settings.read(place.environment)) as source:
        told: list[int] = []

        def erase(done: int, _: int) -> None:
            if not told:
                told.append(done)
                api.done(f"/customers/{planted.id}/erasure", WHY)

        made = make(source, erase)
    assert told
    assert not api.services.erasures.subjects() & KeyCopy(place.keys).keys()[1].keys()  # type: ignore[index]
    other.more["CRM_ERASURE_DIR"] = str(place.folder / "erasures")
    assert other.done("restore", made.path, "--keys", place.keys)["is_sound"]
    assert PROFILE["name"] not in other.run("report", "tracking", "--json").output


def test_a_key_that_the_database_lost_stays_in_the_copy(api: Api, place: Place) -> None:
    Planted(api)
    place.backup()
    keys = KeyCopy(place.keys).keys()
    with closing(psycopg.connect(place.server, autocommit=True)) as connection:
        connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(place.schema, "sealing_keys")))
    place.backup()
    assert KeyCopy(place.keys).keys() == keys


@pytest.mark.parametrize("damaged", ["events/00001.copy.zst", "sealing_keys/00001.copy.zst", "manifest.json"])
def test_a_changed_byte_is_noticed_and_nothing_is_there(
    damaged: str, quiet: Place, backup: Path, other: Place, tmp_path: Path
) -> None:
    data = bytearray(backup.read_bytes())
    with tarfile.open(backup) as tar:
        member = tar.getmember(damaged)
    data[member.offset_data + member.size // 2] ^= 1
    bad = tmp_path / "bad.backup"
    bad.write_bytes(data)
    said = other.refused("restore", bad, "--keys", quiet.keys)
    assert "is damaged" in said or "was changed after it was signed" in said or "cannot be read" in said
    assert other.refused("backups", "check", bad)
    assert not other.is_there()


def test_half_a_backup_and_no_backup_are_refused(quiet: Place, backup: Path, other: Place, tmp_path: Path) -> None:
    whole = backup.read_bytes()
    bad = tmp_path / "bad.backup"
    for data in (b"", b"PK", whole[:512], whole[: len(whole) // 2], whole[:-12_000]):
        bad.write_bytes(data)
        assert "is no backup, or is not whole" in other.refused("restore", bad, "--keys", quiet.keys)
    assert "is no backup" in other.refused("restore", tmp_path / "none.backup")
    assert not other.is_there()


def test_only_an_empty_store_is_filled(quiet: Place, backup: Path, other: Place) -> None:
    assert "is in the schema" in quiet.refused("restore", backup, "--keys", quiet.keys)
    other.done("migrate")
    other.done("rebuild")  # read models of nothing
    assert other.done("restore", backup, "--keys", quiet.keys)["is_sound"]
    assert other.done("verify")["is_clean"]
    assert "`crm restored` proves it" in other.refused("restore", backup, "--keys", quiet.keys)
    other.done("token", "create", "--name", "ben")
    assert "has events already" in other.refused("restore", backup, "--keys", quiet.keys)


def test_nothing_that_is_written_meanwhile_is_lost(
    quiet: Place, backup: Path, other: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "LOCKS_WAITED_FOR", "200ms")
    other.done("migrate")
    with closing(psycopg.connect(other.server)) as connection:
        connection.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier(other.schema, "events")))
        assert "stop its service first" in other.refused("restore", backup, "--keys", quiet.keys)
    assert other.done("restore", backup, "--keys", quiet.keys)["is_sound"]


def test_another_backup_in_the_place_of_this_one_is_refused(
    quiet: Place, backup: Path, other: Place, tmp_path: Path
) -> None:
    swapped = tmp_path / "genjin-20300101T000000.000000Z.backup"
    swapped.write_bytes(backup.read_bytes())
    said = other.refused("restore", swapped, "--keys", quiet.keys)
    assert "somebody has put another backup in its place" in said
    assert not other.is_there()


def test_a_signature_that_cannot_be_given_in_the_end_is_asked_for_at_the_beginning(
    quiet: Place, backup: Path, other: Place
) -> None:
    folder = other.folder / "checkpoints" / other.schema
    folder.mkdir(parents=True)
    (folder / "public.key").write_text(PUBLIC_KEY)
    other.more.clear()
    assert "copy its signing.key" in other.refused("restore", backup, "--keys", quiet.keys)
    assert not (other.folder / "signing.key").exists()
    assert not other.is_there()


def test_a_backup_from_before_another_master_key_is_restored_with_the_newest_copy(
    api: Api, place: Place, other: Place
) -> None:
    Planted(api)
    before = place.backup()
    lost = api.customer("失而复得贸易行")
    place.backup()
    with closing(psycopg.connect(place.server, autocommit=True)) as connection:
        table = sql.Identifier(place.schema, "sealing_keys")
        connection.execute(sql.SQL("DELETE FROM {} WHERE subject = %s").format(table), [lost])
    new_key = as_setting(token_bytes(32))
    changed = {**place.more, "CRM_MASTER_KEY": new_key, "CRM_OLD_MASTER_KEY": as_setting(MASTER_KEY)}
    rotated = Place(place.server, place.schema, place.folder, changed)
    rotated.done("rewrap-keys")
    rotated.backup()
    other.more["CRM_MASTER_KEY"] = new_key
    assert other.done("restore", before, "--keys", place.keys)["is_sound"]
    assert PROFILE["name"] in other.run("report", "tracking", "--json").output


def test_half_a_key_copy_does_not_outlive_an_erasure(api: Api, place: Place) -> None:
    planted = Planted(api)
    place.backup()
    half = place.keys.with_name(f".{place.keys.name}.abc.part")
    half.write_bytes(place.keys.read_bytes())
    api.done(f"/customers/{planted.id}/erasure", WHY)
    place.done("erasures", "apply")
    assert not half.exists()


def test_a_register_that_cannot_be_read_is_told_before_anything_is_answered(api: Api, place: Place) -> None:
    planted = Planted(api)
    api.done(f"/customers/{planted.id}/erasure", WHY)
    (file,) = (place.folder / "erasures" / place.schema).iterdir()
    file.write_bytes(b"")
    with pytest.raises(Unreadable, match="is no erasure"):
        apply_erasures(api.services)


def test_a_schema_of_somebody_else_is_left_alone(quiet: Place, backup: Path, other: Place) -> None:
    with closing(psycopg.connect(other.server, autocommit=True)) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(other.schema)))
        connection.execute(sql.SQL("CREATE TABLE {} ()").format(sql.Identifier(other.schema, "theirs")))
    assert "holds something else" in other.refused("restore", backup, "--keys", quiet.keys)
    assert other.tables() == {"theirs"}


def test_what_breaks_off_leaves_nothing(quiet: Place, backup: Path, other: Place) -> None:
    chosen = settings.read(other.environment)

    def pull_the_plug(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with store.opened(chosen) as there, opened(backup, ()) as found:
        keys = keys_for(found.manifest, chosen, KeyCopy(quiet.keys), frozenset())
        with pytest.raises(KeyboardInterrupt):
            fill(there, found, keys, None, pull_the_plug)
    assert not other.is_there()
    assert other.done("restore", backup, "--keys", quiet.keys)["is_sound"]


def test_the_keys_must_fit(quiet: Place, backup: Path, other: Place, place: Place, tmp_path: Path) -> None:
    assert "There is no key copy" in other.refused("restore", backup)
    place.backup()
    assert "belong to another ledger" in other.refused("restore", backup, "--keys", place.keys)
    head, first, *_ = quiet.keys.read_bytes().splitlines(keepends=True)
    short = tmp_path / "short.keys"
    short.write_bytes(head + first)
    assert "is not whole" in other.refused("restore", backup, "--keys", short)
    short.write_bytes(head.replace(b'"keys":', b'"keys":1,"were":') + first)
    assert "keys that the backup needs" in other.refused("restore", backup, "--keys", short)
    short.write_text("keys")
    assert "is no copy of sealing keys" in other.refused("restore", backup, "--keys", short)
    other.more["CRM_MASTER_KEY"] = as_setting(token_bytes(32))
    assert "wrapped by another master key" in other.refused("restore", backup, "--keys", quiet.keys)
    other.more["CRM_MASTER_KEY"] = ""
    assert "set CRM_MASTER_KEY, or put its file" in other.refused("restore", backup, "--keys", quiet.keys)
    assert not (other.folder / "master.key").exists()
    assert not other.is_there()


def test_who_made_it_must_be_known(quiet: Place, backup: Path, other: Place) -> None:
    other.more.clear()
    said = other.refused("restore", backup, "--keys", quiet.keys)
    assert PUBLIC_KEY in said
    assert "--trust" in said
    assert not other.is_there()
    assert PUBLIC_KEY in other.refused("backups", "check", backup)
    assert other.done("backups", "check", backup, "--trust")["is_known"] is False
    assert other.done("restore", backup, "--keys", quiet.keys, "--trust")["is_sound"]


def test_an_encrypted_backup_is_for_its_recipients_alone(quiet: Place, other: Place, tmp_path: Path) -> None:
    secret, wrong = tmp_path / "secret.key", tmp_path / "wrong.key"
    recipients = [quiet.run("backups", "keygen", "--out", each).stdout.strip() for each in (secret, wrong)]
    assert "is there already" in quiet.refused("backups", "keygen", "--out", secret)
    assert secret.stat().st_mode & 0o777 == 0o600
    encrypting = Place(quiet.server, quiet.schema, quiet.folder, {**quiet.more, "CRM_BACKUP_RECIPIENTS": recipients[0]})
    file = encrypting.backup()
    with tarfile.open(file) as tar:
        names = [name for name in tar.getnames() if not name.startswith("manifest")]
        assert all(name.endswith(".copy.zst.age") for name in names)
        piece = tar.extractfile(names[0])
        assert piece is not None
        assert piece.read().startswith(b"age-encryption.org/v1\n")
    assert quiet.done("backups", "check", file)["is_sound"]
    assert quiet.done("backups", "check", file, "--identity", secret)["is_sound"]
    assert "name the file of secret keys with --identity" in other.refused("restore", file, "--keys", quiet.keys)
    said = other.refused("restore", file, "--keys", quiet.keys, "--identity", wrong)
    assert "encrypted for other secret keys" in said
    assert not other.is_there()
    assert other.done("restore", file, "--keys", quiet.keys, "--identity", secret)["is_sound"]
    (tmp_path / "empty.key").write_text("# nothing\n")
    for no_key in (tmp_path / "empty.key", tmp_path / "missing.key", file):
        assert "secret key" in other.refused("backups", "check", file, "--identity", no_key)


def test_a_backup_of_an_earlier_release_is_brought_up_to_date(server: str, tmp_path: Path) -> None:
    newest = migrate.known()[-1]
    with elsewhere(server, tmp_path, CRM_SIGNING_KEY=as_setting(SIGNING_KEY)) as old:
        with patch.object(migrate, "known", lambda: _files()[:-1]):
            old.done("migrate")
            with old.services() as made:
                made.ledger.save(customer("C1"))
            file = old.backup()
        with elsewhere(server, tmp_path, **TRUSTING) as new:
            assert new.done("restore", file, "--keys", old.keys)["is_sound"]
            assert any(newest.name in row for row in new.rows("migrations"))
            assert new.done("verify")["is_clean"]


def test_a_backup_of_a_later_release_is_refused(quiet: Place, backup: Path, other: Place, tmp_path: Path) -> None:
    later = Migration("0999_later", "CREATE TABLE later (id int)")
    with (
        elsewhere(quiet.server, tmp_path, CRM_SIGNING_KEY=as_setting(SIGNING_KEY)) as ahead,
        patch.object(migrate, "known", lambda: [*_files(), later]),
    ):
        ahead.done("migrate")
        file = ahead.backup()
    assert "has what this release does not know (0999_later)" in other.refused("restore", file, "--keys", quiet.keys)
    for change, what in (
        ({"topics": {"customer.teleported": 1}}, "customer.teleported"),
        ({"topics": {"customer.registered": 99}}, "customer.registered"),
        ({"version": 2, "genjin": "9.1"}, "was made by Genjin 9.1 in version 2"),
        ({"format": "something-else"}, "no backup of Genjin"),
    ):
        assert what in other.refused("restore", _resigned(backup, tmp_path, change), "--keys", quiet.keys)
    assert not other.is_there()


def test_a_head_that_is_another_one_is_refused(quiet: Place, backup: Path, other: Place, tmp_path: Path) -> None:
    with opened(backup, ()) as found:
        position = found.manifest.position
    for change in ({"position": position + 1}, {"chain": "00" * 32}):
        bad = _resigned(backup, tmp_path, change)
        assert "says that its ledger ends at position" in other.refused("restore", bad, "--keys", quiet.keys)
    assert not other.is_there()


def test_checkpoints_of_what_a_restoration_cuts_off_no_longer_count(
    api: Api, place: Place, other: Place, tmp_path: Path
) -> None:
    api.customer()
    place.done("checkpoints", "write")
    file = place.backup()
    api.customer("甲")
    place.done("checkpoints", "write")
    other.more |= {"CRM_SIGNING_KEY": as_setting(SIGNING_KEY), "CRM_CHECKPOINT_DIR": str(tmp_path / "signed")}
    (tmp_path / "signed").mkdir()
    (place.folder / "checkpoints" / place.schema).rename(tmp_path / "signed" / other.schema)
    told = other.done("restore", file, "--keys", place.keys)
    assert told["is_sound"]
    assert (told["agreed_upto"], told["known_upto"]) == (told["position"], told["position"] + 1)
    verified = other.done("verify", "--ledger")
    assert verified["is_clean"]
    assert verified["checkpoints"]["knowingly_cut"] == 1


def test_a_forged_ledger_is_restored_but_not_vouched_for(api: Api, place: Place, other: Place) -> None:
    for number in range(12):
        api.customer(f"客户{number}")
    with closing(psycopg.connect(place.server, autocommit=True)) as connection:
        connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(place.schema)))
        forge(connection, FORGERIES["the customer"])
    ran = other.run("restore", place.backup(), "--keys", place.keys)
    assert ran.exit_code == 1
    assert "does not hold" in ran.output
    assert not list((other.folder / "checkpoints").rglob("*.json"))


def test_a_database_that_was_put_back_by_other_means_is_confirmed(api: Api, place: Place) -> None:
    planted = Planted(api)
    with closing(psycopg.connect(place.server, autocommit=True)) as connection:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(place.schema)))
        before = connection.execute("SELECT subject, wrapped, master FROM sealing_keys").fetchall()
        api.done(f"/customers/{planted.id}/erasure", WHY)
        for subject, wrapped, master in before:
            connection.execute(
                "UPDATE sealing_keys SET wrapped = %s, master = %s, destroyed_at = NULL WHERE subject = %s",
                [wrapped, master, subject],
            )
    told = place.done("restored")
    assert told["is_sound"]
    assert told["keys_destroyed"] == 4
    assert told["statement"]["kind"] == "restored"
    assert place.done("verify")["is_clean"]


def test_backups_are_listed_and_thinned_out(quiet: Place, tmp_path: Path) -> None:
    few = Place(quiet.server, quiet.schema, tmp_path, {**quiet.more, "CRM_BACKUP_KEEP": "2y"})
    first = few.backup()
    older = [first.with_name(f"{few.schema}-{year}0101T000000.000000Z.backup") for year in (2018, 2019, 2020)]
    for each in older[1:]:
        each.write_bytes(first.read_bytes())
    older[0].write_bytes(b"nothing")
    told = few.done("backup")
    assert told["removed"] == [str(older[1])]
    assert first.exists()
    listed = few.done("backups", "list")
    assert listed[0]["file"] == told["file"]
    assert listed[0]["position"] == told["position"]
    assert "is no backup" in listed[-1]["fault"]
    assert "UNUSABLE" in few.run("backups", "list").output


def test_a_folder_that_cannot_be_written_to_is_a_sentence(quiet: Place, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    full = Place(quiet.server, quiet.schema, tmp_path, {**quiet.more, "CRM_BACKUP_DIR": str(tmp_path / "file" / "x")})
    said = full.refused("backup")
    assert "cannot be written" in said


def _files() -> list[Migration]:
    return [
        Migration(each.stem, each.read_text(encoding="utf-8")) for each in sorted(migrate.FOLDER.glob("[0-9]*.sql"))
    ]


def _resigned(backup: Path, folder: Path, change: dict[str, Any]) -> Path:
    """The same backup, its manifest changed and signed by whoever made it."""
    changed = folder / "changed.backup"
    with tarfile.open(backup) as tar, tarfile.open(changed, "w") as out:
        for member in tar:
            file = tar.extractfile(member)
            assert file is not None
            data = file.read()
            if member.name == "manifest.json":
                data = manifest = json.dumps({**json.loads(data), **change}).encode()
            elif member.name == "manifest.sig":
                data = Signer(SIGNING_KEY).signature(manifest)
            member.size = len(data)
            out.addfile(member, io.BytesIO(data))
    return changed
