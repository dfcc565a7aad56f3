"""What an import needs is told by the commands of its profile, all of them."""

from __future__ import annotations

import pytest

from commands import ALL, Command
from policy import Actor, Policy
from policy.actions import PERMISSION_FOR
from sheets.mapping.commands import NEW
from sheets.opening import load, names, parse
from sheets.permissions import actions_of, missing_permissions, permissions_of
from sheets.profile import CommandRule, Profile, RecordRule

OF_PROFILES = {
    "followup-sheet": {"customers.register", "customers.change", "members.change"},
    "ibm-receivables": {"customers.register", "receivables.change", "receivables.settle"},
    "maven-pipeline": {
        "catalogue.change",
        "customers.register",
        "members.change",
        "opportunities.change",
    },
}


def of_one_command(command: type[Command], is_conditional: bool = False) -> Profile:
    """A profile in which a row becomes a customer and, perhaps under a condition, something more."""
    to = "" if command.__name__ in NEW else 'to = { refers = "first", key = ["a"] }\n'
    when = 'when = { filled = ["a"] }\n' if is_conditional else ""
    return parse(
        f"""
        name = "one"
        title = "one"
        [files.sheet]
        name = "sheet.csv"
        [files.sheet.columns]
        a = {{}}
        [[records]]
        name = "first"
        file = "sheet"
        key = ["a"]
        [[records.commands]]
        command = "RegisterCustomer"
        [[records]]
        name = "second"
        file = "sheet"
        key = ["a"]
        [[records.commands]]
        command = "Tag"
        to = {{ refers = "first", key = ["a"] }}
        [[records.commands]]
        command = "{command.__name__}"
        {to}{when}""".encode()
    )


@pytest.mark.parametrize("name", names())
def test_the_profiles_of_the_product_need_what_their_commands_need(name: str) -> None:
    assert set(permissions_of(load(name))) == OF_PROFILES[name]


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.__name__)
@pytest.mark.parametrize("is_conditional", [False, True])
def test_no_command_is_forgotten(command: type[Command], is_conditional: bool) -> None:
    profile = of_one_command(command, is_conditional)
    assert actions_of(profile) == {"register-customer", "tag", command.action}
    assert PERMISSION_FOR[command.action] in permissions_of(profile)


def test_what_reaches_some_records_alone_is_missing() -> None:
    profile = load("ibm-receivables")

    def missing(*roles: str) -> tuple[str, ...]:
        member = Actor("member:1", None, "", "api", frozenset(roles))
        return missing_permissions(Policy(), member, profile)

    assert missing("manager") == ("receivables.settle",)
    assert missing("manager", "finance") == ()
    assert missing("supervisor") == (
        "customers.register",
        "receivables.change",
        "receivables.settle",
    )
    assert missing() == permissions_of(profile)


def test_an_action_that_nobody_may_do_is_missing_for_everybody() -> None:
    rule = RecordRule("second", commands=(CommandRule("CreatingCommand"),))
    changed = Profile("one", "one", files={}, records=(rule,))
    everything = Actor("member:1", None, "", "api", frozenset(["administrator", "manager", "finance"]))
    assert missing_permissions(Policy(), everything, changed) == ("creating-command",)
