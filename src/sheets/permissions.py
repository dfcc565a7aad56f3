"""The permissions that an import needs: those of every command that its profile can produce."""

from __future__ import annotations

from collections.abc import Iterator

from policy import Actor, Policy
from policy.actions import PERMISSION_FOR
from sheets.mapping.commands import command_named
from sheets.profile import Profile


def actions_of(profile: Profile) -> frozenset[str]:
    """The actions of all commands in a profile, whatever rows and conditions they depend on."""
    return frozenset(_actions(profile))


def permissions_of(profile: Profile) -> tuple[str, ...]:
    """The permissions of these actions, in alphabetical order; an action that nobody may do stands for itself."""
    return tuple(sorted({PERMISSION_FOR.get(action, action) for action in actions_of(profile)}))


def missing_permissions(policy: Policy, actor: Actor, profile: Profile) -> tuple[str, ...]:
    """Those that the actor does not have for everybody's records: an import writes records of all owners."""
    return tuple(each for each in permissions_of(profile) if not policy.reach(actor, each).is_all)


def _actions(profile: Profile) -> Iterator[str]:
    for rule in profile.records:
        for each in rule.commands:
            command = command_named(each.command)
            if command is None:
                raise LookupError(each.command)
            yield command.action
