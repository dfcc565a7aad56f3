"""Opening a profile: those that come with the product by name, anybody's from a TOML file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from sheets.checking import check
from sheets.profile import Profile, WrongProfile

HERE = Path(__file__).parent / "profiles"


class UnknownProfile(Exception):
    """There is no profile of this name. Carries the names that there are."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        self.known = names()


def names() -> tuple[str, ...]:
    """The profiles that come with the product."""
    return tuple(sorted(path.stem for path in HERE.glob("*.toml")))


def load(name_or_path: str) -> Profile:
    """A profile by its name, or from a TOML file anywhere. Raises UnknownProfile and WrongProfile."""
    path = Path(name_or_path) if name_or_path.endswith(".toml") else HERE / f"{name_or_path}.toml"
    if not path.is_file() or (path.parent == HERE and path.stem not in names()):
        raise UnknownProfile(name_or_path)
    try:
        return parse(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise WrongProfile(f"{path.name}: {wrong}") from wrong


def parse(content: bytes) -> Profile:
    """A profile from TOML. Raises msgspec.DecodeError or WrongProfile with the place that is wrong."""
    profile = msgspec.toml.decode(content, type=Profile)
    check(profile)
    return profile
