"""Signing in and out, tokens, invitations: what a member does to show who it is."""

from api.identity.routes import add_identity
from api.identity.working import MOST_HASHING

__all__ = ["MOST_HASHING", "add_identity"]
