"""The files of an import: found, checked and opened before anything is written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from sheets.mapping.remarks import Remarks
from sheets.profile import FileRule, Profile
from sheets.reading import Inspection, Refusal, Row, Unreadable, open_table


class Source:
    """The files that a profile asks for, in a folder or as the one file. Making one reads every heading.

    Raises Unreadable with all that keeps the import from starting.
    """

    def __init__(self, profile: Profile, path: Path, encoding: str | None = None) -> None:
        self._profile = profile
        self._encoding = encoding
        self.path = path
        self._paths = _find(profile, path)
        self.rows = 0
        self._inspections: dict[str, Inspection] = {}
        self._counts: dict[str, int] = {}
        self._unknown: dict[str, tuple[str, ...]] = {}
        self._columns: dict[str, frozenset[str]] = {}
        refusals: list[Refusal] = []
        for name, rule in profile.files.items():
            try:
                self._look_into(name, rule)
            except Unreadable as unreadable:
                refusals += unreadable.refusals
        if refusals:
            raise Unreadable(*refusals)

    @property
    def digest(self) -> str:
        """One digest for all files."""
        together = "".join(self._inspections[name].digest for name in self._profile.files)
        return hashlib.sha256(together.encode("ascii")).hexdigest()

    def read(self, name: str) -> Iterator[Row | Refusal]:
        """The rows of one of the profile's files."""
        rule = self._profile.files[name]
        with open_table(self._paths[name], rule.layout, encoding=self._encoding or rule.encoding) as table:
            yield from table.rows()

    def count(self, name: str) -> int:
        """How many rows a file has, those that cannot be read included."""
        return self._counts[name]

    def remark(self, remarks: Remarks) -> None:
        """Tell how the files are read, and which of their columns are not imported."""
        for name, rule in self._profile.files.items():
            file = self._paths[name].name
            encoding = self._inspections[name].encoding
            remarks.add("encoding-found", file, encoding=encoding.name.removesuffix("-sig"), how=encoding.how)
            for column, spec in rule.columns.items():
                if spec.left_out is not None and column in self._columns[name]:
                    remarks.add("column-left-out", file, column, why=spec.left_out)
            for heading in self._unknown[name]:
                remarks.add("column-unknown", file, heading)

    def _look_into(self, name: str, rule: FileRule) -> None:
        with open_table(self._paths[name], rule.layout, encoding=self._encoding or rule.encoding) as table:
            self._inspections[name] = table.inspection
            self._unknown[name] = table.unknown
            self._columns[name] = table.columns
            self._counts[name] = sum(1 for _ in table.rows())


def _find(profile: Profile, path: Path) -> dict[str, Path]:
    """Where each file is: a profile of one file takes any file."""
    if path.is_file() and len(profile.files) == 1:
        return dict.fromkeys(profile.files, path)
    if not path.exists():
        raise Unreadable(
            Refusal("unreadable-file", path.name or str(path), values={"why": "there is no such file or folder"})
        )
    if path.is_file():
        wanted = ", ".join(rule.name for rule in profile.files.values())
        raise Unreadable(Refusal("folder-needed", path.name, values={"accepted": wanted}))
    found = {name: path / rule.name for name, rule in profile.files.items()}
    missing = [
        Refusal("file-missing", path.name, values={"accepted": p.name}) for p in found.values() if not p.is_file()
    ]
    if missing:
        raise Unreadable(*missing)
    return found
