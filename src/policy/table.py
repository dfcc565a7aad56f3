"""The table of permissions, as it stands in permissions.txt for everybody to read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib.resources import files

from aggregates.choices import Role


class Scope(StrEnum):
    """With whose records a role may do something."""

    NONE = "-"
    OWN = "own"
    TEAM = "team"
    ALL = "all"


Grants = Mapping[str, Mapping[Role, Scope]]
"""By permission and role."""


def read(text: str) -> Grants:
    """The table in a text: a line of roles, and one line a permission. Raises ValueError for anything else."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    by_name = {str(role): role for role in Role}
    roles = [by_name[name] for name in lines[0] if name in by_name]
    if set(roles) != set(Role) or len(lines[0]) != len(Role):
        raise ValueError(f"the table of permissions needs each role once: {', '.join(Role)}")
    grants: dict[str, dict[Role, Scope]] = {}
    for permission, *scopes in lines[1:]:
        if permission in grants:
            raise ValueError(f"{permission} stands twice in the table of permissions")
        grants[permission] = dict(zip(roles, map(Scope, scopes), strict=True))
    return grants


GRANTS: Grants = read(files("policy").joinpath("permissions.txt").read_text(encoding="utf-8"))
