"""The keys of a test run: made anew each time, and known nowhere else."""

from __future__ import annotations

import secrets
from base64 import b64encode

MASTER_KEY = secrets.token_bytes(32)
TOKEN = secrets.token_urlsafe(32)


def as_setting(key: bytes) -> str:
    """A master key as CRM_MASTER_KEY takes it."""
    return b64encode(key).decode()
