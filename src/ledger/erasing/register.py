"""The register of erasures, outside the database: one small file each, so that no restored database brings one back.

Nothing in it is personal: whose key was destroyed (ids), and where and when that was recorded. A file is named after
the first of the subjects, written aside, flushed to the disk and then given its name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from ledger.placing import place

_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.json")
FORMAT = 1


class Unreadable(Exception):
    """A file of the register holds something else; the message says which."""


@dataclass(frozen=True)
class Erasure:
    """One erasure: the subjects whose keys were destroyed, the customer they belong to, and where it was recorded."""

    subjects: tuple[UUID, ...]
    customer_id: UUID | None
    position: int
    recorded_at: datetime
    format: int = FORMAT


_decode = msgspec.json.Decoder(Erasure).decode


class Register:
    """The folder of erasures; it need not be there before the first one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def all(self) -> list[Erasure]:
        """Every erasure, in the order in which they were recorded. Raises Unreadable."""
        try:
            names = sorted(each.name for each in self.path.iterdir() if _NAME.fullmatch(each.name))
        except FileNotFoundError:
            return []
        found = [erasure for name in names if (erasure := self._read(name)) is not None]
        return sorted(found, key=lambda erasure: (erasure.recorded_at, erasure.position))

    def subjects(self) -> frozenset[UUID]:
        """All whose keys were destroyed. Raises Unreadable."""
        return frozenset(subject for each in self.all() for subject in each.subjects)

    def knows(self, subject: UUID) -> bool:
        """Whether there is a file for the erasure of which this is the first subject."""
        return (self.path / _name(subject)).exists()

    def keep(self, erasure: Erasure) -> None:
        """Write one down; of a second one of the same subject, the subjects of both stay."""
        name = _name(erasure.subjects[0])
        earlier = self._read(name)
        if earlier is not None:
            subjects = tuple(dict.fromkeys((*erasure.subjects, *earlier.subjects)))
            erasure = Erasure(subjects, erasure.customer_id, erasure.position, erasure.recorded_at)
        self._place(name, msgspec.json.encode(erasure) + b"\n")

    def _read(self, name: str) -> Erasure | None:
        try:
            return _decode((self.path / name).read_bytes())
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Unreadable(f"{self.path / name} is no erasure: put it back from a copy of the register.") from error

    def _place(self, name: str, data: bytes) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        place(self.path / name, data)


def _name(subject: UUID) -> str:
    return f"{subject}.json"
