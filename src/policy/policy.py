"""The actor, the table of rules, and the one question that every command and query asks of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from aggregates.base import DomainError


@dataclass(frozen=True)
class Actor:
    """Who asks: a member, a rule or an import, through which door, and in which roles.

    `id` is what events keep (`member:<uuid>`, `rule:<name>`, `import:<batch>`); `source` is `api`, `web`, `import` or
    `rule`.
    """

    id: str
    member_id: UUID | None
    name: str
    source: str
    roles: frozenset[str] = frozenset()


class Forbidden(DomainError):
    """Whoever asks may not do this."""

    code = "forbidden"
    action: str


Rule = Callable[[Actor], bool]
EVERY_ACTION = "*"


def is_signed_in(actor: Actor) -> bool:
    """Whether it is known who asks."""
    return bool(actor.id)


RULES: Mapping[str, Rule] = {EVERY_ACTION: is_signed_in}
"""What has to be true of an actor for an action, named like the command or query; `*` stands for all others."""


@dataclass(frozen=True)
class Policy:
    """The rules in force."""

    rules: Mapping[str, Rule] = field(default_factory=lambda: RULES)

    def allows(self, actor: Actor, action: str) -> bool:
        """Whether this actor may do this."""
        rule = self.rules.get(action) or self.rules[EVERY_ACTION]
        return rule(actor)

    def require(self, actor: Actor, action: str) -> None:
        """Go on if this actor may do this; raises Forbidden."""
        if not self.allows(actor, action):
            raise Forbidden(action=action)
