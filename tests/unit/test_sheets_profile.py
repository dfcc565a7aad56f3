"""Profiles: those that come with the product fit together, and a wrong one says what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from sheets.opening import UnknownProfile, load, names, parse
from sheets.profile import WrongProfile

OWN = """
name = "own"
title = "Own"
[files.a]
name = "a.csv"
[files.a.columns]
code = { needed = true }
name = {}
[[records]]
name = "customers"
file = "a"
key = ["code"]
[[records.commands]]
command = "RegisterCustomer"
[records.commands.fields]
name = "name"
kind = { value = "company" }
"""


@pytest.mark.parametrize("name", names())
def test_every_profile_that_comes_with_the_product_is_sound(name: str) -> None:
    profile = load(name)
    assert profile.name == name
    assert profile.about


def test_the_three_profiles_are_there() -> None:
    assert names() == ("followup-sheet", "ibm-receivables", "maven-pipeline")


def test_a_profile_of_ones_own_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    assert load(str(path)).name == "own"


@pytest.mark.parametrize("name", ["nobody", "../profile", "", "/etc/passwd"])
def test_an_unknown_profile_names_those_there_are(name: str) -> None:
    with pytest.raises(UnknownProfile) as unknown:
        load(name)
    assert unknown.value.known == names()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('command = "RegisterCustomer"', 'command = "RegisterClient"', "there is no command 'RegisterClient'"),
        ('name = "name"', 'nick = "name"', "RegisterCustomer has no field 'nick'"),
        ('name = "name"', 'name = "title"', "there is no column 'title'"),
        ('name = "name"', 'name = { text = "{title}" }', "there is no column 'title'"),
        ('name = "name"', 'owner_id = { refers = "members", key = ["code"] }', "'members' is no record"),
        ('file = "a"', 'file = "b"', "there is no file 'b'"),
        ('key = ["code"]', "key = []", "a record from a file needs a key"),
        ('command = "RegisterCustomer"', 'command = "ArchiveCustomer"', "needs to say which record"),
        ("name = {}", 'name = { headings = ["code"] }', "the heading 'code' stands for two columns"),
        ("name = {}", 'name = { type = "date", formats = ["%Y"] }', "'%Y' is not a way to write a date"),
        ('name = "a.csv"', 'name = "a.csv"\nencoding = "klingon"', "unknown encoding 'klingon'"),
        ('name = "a.csv"', 'name = "a.csv"\ndelimiter = "::"', "a delimiter is one character"),
    ],
)
def test_a_wrong_profile_says_what_is_wrong(before: str, after: str, said: str) -> None:
    assert before in OWN
    with pytest.raises(WrongProfile, match=said.replace("(", r"\(")):
        parse(OWN.replace(before, after, 1).encode())


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("name = {}", "name = { colour = 1 }", "colour"),
        ("name = {}", 'name = { type = "colour" }', "colour"),
        ('title = "Own"', "", "title"),
        ('title = "Own"', "title = ", "Invalid"),
    ],
)
def test_a_file_that_is_no_profile_says_where(before: str, after: str, said: str) -> None:
    with pytest.raises(msgspec.DecodeError, match=said):
        parse(OWN.replace(before, after, 1).encode())


def test_ids_come_from_the_profile_and_the_key_and_from_nothing_else() -> None:
    """These are what earlier imports are known by: they must never change."""
    profile = load("ibm-receivables")
    assert profile.id_of("invoices", ("0000611365",)) == UUID("408a94ce-f1fd-5752-9772-28f8205f3511")
    assert profile.id_of("customers", ("0379-NEVHP",)) == UUID("43822d3b-a7b7-59d9-86ea-18e5b2f1750b")
    assert load("maven-pipeline").id_of("no-account", ()) == UUID("c87fd6e6-fd3c-5994-8930-e097e681099f")


def test_row_keys_with_a_slash_do_not_meet() -> None:
    profile = load("followup-sheet")
    keys = {profile.row_key("follow-ups", key) for key in (("a/b", "c"), ("a", "b/c"), ("a%2Fb", "c"))}
    assert len(keys) == 3
