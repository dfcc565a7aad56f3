"""Whether the member may ask for an import: it needs what the commands of the profile need."""

from __future__ import annotations

from api.answers.problems import FieldFault, Problem
from policy import Actor, Policy
from policy.table import GRANTS, Scope
from sheets.permissions import missing_permissions
from sheets.profile import Profile


def require_permissions(policy: Policy, actor: Actor, profile: Profile) -> None:
    """Raises Problem 403 that names each missing permission, with the roles that have it for everybody's records."""
    missing = {each: _roles(each) for each in missing_permissions(policy, actor, profile)}
    if not missing:
        return
    faults = [
        FieldFault("query", "/profile", "permission-missing", {"permission": permission, "roles": roles})
        for permission, roles in missing.items()
    ]
    named = tuple(f"{permission} ({', '.join(roles) or '-'})" for permission, roles in missing.items())
    values = {"action": "import", "profile": profile.name, "missing": named}
    raise Problem(403, "import-permissions-missing", values, faults)


def _roles(permission: str) -> tuple[str, ...]:
    """The roles with the permission for everybody's records; none have what no permission is for."""
    return tuple(str(role) for role, scope in GRANTS.get(permission, {}).items() if scope is Scope.ALL)
