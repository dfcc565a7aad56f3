"""Who may do and see what: one table of rules, and one way to ask it."""

from policy.policy import Actor, Forbidden, Policy

__all__ = ["Actor", "Forbidden", "Policy"]
