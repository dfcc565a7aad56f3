"""The names and sentences that the made-up company is made of."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

REGIONS = ("华东", "华南", "华北")


@cache
def words() -> dict[str, Any]:
    """All of `company.toml`."""
    return tomllib.loads(files(__package__).joinpath("company.toml").read_text(encoding="utf-8"))
