"""How a setting that cannot be used is refused."""

from __future__ import annotations


class SettingRefused(Exception):
    """An environment variable has a value that cannot be used; the message says which, and what would be accepted."""
