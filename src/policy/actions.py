"""Which permission each thing needs that can be asked for: commands by their names, reads by theirs."""

from __future__ import annotations

from collections.abc import Mapping

NEEDED_BY: Mapping[str, tuple[str, ...]] = {
    "customers.read": ("read-tracking", "read-customers"),
    "customers.register": ("register-customer",),
    "customers.change": (
        "revise-profile",
        "add-contact",
        "revise-contact",
        "remove-contact",
        "categorise",
        "move-lifecycle",
        "set-intent",
        "tag",
        "untag",
        "log-follow-up",
    ),
    "customers.archive": ("archive-customer", "reopen-customer"),
    "customers.assign": ("assign-owner", "hand-over"),
    "contacts.see": ("see-contacts",),
    "contacts.reveal": ("reveal-contacts",),
    "personal.erase": ("erase-contact", "erase-customer", "erase-member"),
    "personal.disclose": ("disclose-person",),
    "opportunities.read": ("read-opportunities",),
    "opportunities.change": (
        "open-opportunity",
        "advance-stage",
        "move-stage-back",
        "revise-amount",
        "revise-expected-close",
        "revise-details",
        "win-opportunity",
        "lose-opportunity",
        "reopen-opportunity",
    ),
    "opportunities.correct": ("correct-stage-date",),
    "opportunities.assign": ("assign-opportunity-owner",),
    "receivables.read": ("read-receivables",),
    "receivables.remind": ("record-reminder",),
    "receivables.change": ("issue-receivable", "move-due-date", "dispute-receivable", "settle-dispute"),
    "receivables.settle": ("receive-payment", "reverse-payment", "write-off"),
    "reports.read": ("read-reports",),
    "history.read": ("read-history",),
    "events.read": ("read-events",),
    "directory.read": ("read-members", "read-teams", "read-products", "read-pipelines", "read-workspace", "read-copy"),
    "catalogue.change": ("add-product", "revise-product", "define-pipeline", "revise-stages"),
    "members.change": (
        "form-team",
        "rename-team",
        "assign-region",
        "place-team",
        "register-member",
        "rename-member",
        "assign-team",
        "invite-member",
        "give-roles",
        "suspend-member",
        "resume-member",
        "remove-member",
        "let-members-in",
    ),
    "permissions.read": ("read-own-permissions",),
    "permissions.explain": ("explain-permissions",),
    "settings.change": ("configure-workspace",),
    "imports.run": ("import", "read-imports"),
    "audit.read": ("read-audit",),
    "projections.read": ("read-projections",),
    "projections.rebuild": ("rebuild-projection",),
}
"""By permission."""

PERMISSION_FOR: Mapping[str, str] = {
    action: permission for permission, actions in NEEDED_BY.items() for action in actions
}
"""By action; what is not here, nobody may do."""
