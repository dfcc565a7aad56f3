"""Whether a job may still be done: its member may act, has every permission, and its token is in force."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.database import Connection
from ledger.outcome import Credential, Expecting
from policy import Actor, Policy
from policy.directory import Directory
from sheets.jobs import Ended, Job
from sheets.jobs.signs import NotAllowed
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

    @property
    def credential(self) -> Credential | None:
        """The token that the job was asked for with."""
        return None if self.job.token_digest is None else Credential("token", self.job.token_digest)

    def read_member(self) -> tuple[Expecting, ...]:
        """The member at the version at which it may do the job, for the read set of each row; raises NotAllowed."""
        member = None if self.job.member_id is None else self.directory.member(self.job.member_id)
        if member is None or not member.may_act:
            raise NotAllowed("import-member-inactive")
        only = None if self.job.only_roles is None else frozenset(self.job.only_roles)
        roles = member.roles if only is None else member.roles & only
        actor = Actor(self.job.asked_by, member.id, "", "api", roles, only=only)
        if not self.policy.allows(actor, "import") or missing_permissions(self.policy, actor, self.profile):
            raise NotAllowed("import-not-permitted")
        return (Expecting(member.id, member.version),)

    def refusal(self, connection: Connection) -> Ended | None:
        """The code of the reason why the job must not go on; none while it may."""
        try:
            self.read_member()
        except NotAllowed as refused:
            return refused.code
        if self.credential is None:
            return None
        row = connection.execute("SELECT credential_holds('token', %s)", [self.credential.digest], prepare=True)
        return None if row.fetchone() == (True,) else "import-token-ended"
