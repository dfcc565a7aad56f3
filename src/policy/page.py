"""Writes the table of permissions into docs/permissions.md: `python -m policy.page`."""

from __future__ import annotations

from pathlib import Path

from aggregates.choices import Role
from policy.actions import NEEDED_BY
from policy.masking import MASKED_FIELDS
from policy.table import GRANTS, Scope

PAGE = Path("docs/permissions.md")


def page() -> str:
    """The page: who may do what with whose records, and what each permission is for."""
    roles = " | ".join(f"{role.value} {role.zh}" for role in Role)
    lines = [
        "# Who may do what",
        "",
        "Written by `python -m policy.page` from `src/policy/permissions.txt`, which is the rule: what is not in it, "
        "nobody may do.",
        "",
        "- **own**: records that belong to the member: customers it owns, and their opportunities and receivables; "
        "opportunities it owns itself.",
        "- **team**: those of the members of its team and of the teams below that.",
        "- **all**: everything, also what belongs to nobody.",
        "",
        "Whoever has `opportunities.assign` for its own records keeps an opportunity of its own and takes one of its "
        "customers that nobody owns; it gives none away.",
        "",
        "Whose a record is, who is in which team and in which roles a member acts is always what holds today, also "
        "where an earlier day or moment is asked about. Somebody in several roles may do what any of them may.",
        "",
        f"| permission | {roles} |",
        "|---" * (len(Role) + 1) + "|",
    ]
    for permission, granted in GRANTS.items():
        cells = " | ".join("" if granted[role] is Scope.NONE else granted[role].value for role in Role)
        lines.append(f"| {permission} | {cells} |")
    lines += [
        "",
        f"Who has not `contacts.see` for a customer sees {', '.join(sorted(MASKED_FIELDS))} of it and of its contacts "
        "with the middle hidden (`138****5678`) wherever they stand, cannot filter or sort by them, and finds a "
        "telephone number only by all of its digits.",
        "",
        "What belongs to others is not found (404), as if it were not there. What the role does not allow is refused "
        "(403), with the roles that may.",
        "",
        "| permission | what it is needed for |",
        "|---|---|",
    ]
    lines += [
        f"| {permission} | {', '.join(f'`{action}`' for action in actions)} |"
        for permission, actions in NEEDED_BY.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
