"""What a revision really changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def changes(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields whose value is another than the known one; what is not given stays as it is."""
    return {name: value for name, value in given.items() if known[name] != value}
