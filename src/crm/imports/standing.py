"""Whether a job may still be done: its member may act, has every permission, and its token is in force."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.database import Connection
from policy import Actor, Policy
from policy.directory import Directory
from sheets.jobs import Ended, Job
from sheets.permissions import missing_permissions
from sheets.profile import Profile


@dataclass(frozen=True)
class Standing:
    """Checks the member and the token that one job was requested by.

    The credential counts only where it was a token: a session that ends by signing out does not end the job, since
    its member may still act. Roles are those of today, limited by those that the token was for.
    """

    job: Job
    profile: Profile
    directory: Directory
    policy: Policy

    def refusal(self, connection: Connection) -> Ended | None:
        """The code of the reason why the job must not go on; none while it may. Costs one query at most."""
        member = None if self.job.member_id is None else self.directory.member(self.job.member_id)
        if member is None or not member.may_act:
            return "import-member-inactive"
        only = None if self.job.only_roles is None else frozenset(self.job.only_roles)
        roles = member.roles if only is None else member.roles & only
        actor = Actor(self.job.asked_by, member.id, "", "api", roles, only=only)
        if not self.policy.allows(actor, "import") or missing_permissions(self.policy, actor, self.profile):
            return "import-not-permitted"
        return None if self._is_token_in_force(connection) else "import-token-ended"

    def _is_token_in_force(self, connection: Connection) -> bool:
        if self.job.token_digest is None:
            return True
        row = connection.execute("SELECT credential_holds('token', %s)", [self.job.token_digest], prepare=True)
        return row.fetchone() == (True,)
