"""The commands that a profile may name."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import walk_packages

import commands
from commands.base import Command

NEW = frozenset(
    (
        "AddProduct",
        "DefinePipeline",
        "FormTeam",
        "IssueReceivable",
        "OpenOpportunity",
        "RegisterCustomer",
        "RegisterMember",
    )
)
"""Those that make something new, which then has the id of its record."""


@cache
def command_named(name: str) -> type[Command] | None:
    """The command of this name, if there is one."""
    return _all().get(name)


def fields_of(name: str) -> frozenset[str] | None:
    """The fields that a command takes; None when there is no such command."""
    command = command_named(name)
    return None if command is None else frozenset(command.model_fields)


@cache
def _all() -> dict[str, type[Command]]:
    for module in walk_packages(commands.__path__, f"{commands.__name__}."):
        import_module(module.name)
    found: dict[str, type[Command]] = {}
    waiting = list(Command.__subclasses__())
    while waiting:
        command = waiting.pop()
        found[command.__name__] = command
        waiting.extend(command.__subclasses__())
    return found
