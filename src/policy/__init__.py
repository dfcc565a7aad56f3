"""Who may do and see what: one table of permissions, and one way to ask it."""

from policy.policy import Actor, Forbidden, Policy
from policy.reach import EVERYBODY, FULL, NOBODY, Reach, Sight

__all__ = ["EVERYBODY", "FULL", "NOBODY", "Actor", "Forbidden", "Policy", "Reach", "Sight"]
