"""Cuts a text into records by the rules of CSV, and finds its footing again after a broken one."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, TextIO

import msgspec

LONGEST_CELL = 32_767
"""Characters; as many as a spreadsheet's own cell can hold."""

LONGEST_LINE = 1_000_000
"""Characters of one physical line."""

MOST_LINES = 1_000
"""Physical lines of one record, that is, line breaks inside quoted cells."""


class Record(msgspec.Struct, frozen=True):
    """The cells of one record and the line it begins in."""

    line: int
    cells: list[str]


class Broken(msgspec.Struct, frozen=True):
    """A line that is not CSV: what is wrong with it, and how it begins."""

    line: int
    code: str
    text: str


class Line(NamedTuple):
    """One physical line; `whole` is false when it was too long and its end was thrown away."""

    number: int
    text: str
    whole: bool


class Records:
    """Every record of a file, in order; a broken one costs one line, and reading goes on in the next.

    When `width` is known, a record over several lines that has another number of cells is taken for an opening quote
    that was never closed: without this rule one stray quote would swallow the good rows after it.
    """

    def __init__(self, file: TextIO, delimiter: str) -> None:
        self.width: int | None = None
        self._lines = _Lines(file)
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)

    def __iter__(self) -> Iterator[Record | Broken]:
        while (line := self._lines.begin()) is not None:
            yield self._next(line)

    def _next(self, line: int) -> Record | Broken:
        try:
            cells = next(self._reader)
        except (csv.Error, StopIteration) as wrong:
            return Broken(line, self._code(str(wrong)), self._lines.give_up())
        if self._lines.too_long:
            return Broken(line, "line-too-long", self._lines.give_up())
        if self._lines.taken > 1 and self.width is not None and len(cells) != self.width:
            return Broken(line, "quote-not-closed", self._lines.give_up())
        return Record(line, cells)

    def _code(self, wrong: str) -> str:
        if self._lines.too_long:
            return "line-too-long"
        if "field larger" in wrong and self._lines.taken == 1:
            return "cell-too-long"
        if "expected after" in wrong and self._lines.taken == 1:
            return "text-after-quote"
        return "quote-not-closed"


class _Lines:
    """The physical lines of a file with their numbers; lines may be put back to be read once more."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._ahead: deque[Line] = deque()
        self._taken: list[Line] = []
        self._number = 0

    @property
    def taken(self) -> int:
        """How many lines the record under way has."""
        return len(self._taken)

    @property
    def too_long(self) -> bool:
        """Whether the last line taken was cut."""
        return bool(self._taken) and not self._taken[-1].whole

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        """The next line of the record under way; the end of the file, or of patience, ends the record."""
        if len(self._taken) >= MOST_LINES or self.too_long or not self._look_ahead():
            raise StopIteration
        line = self._ahead.popleft()
        self._taken.append(line)
        return line.text

    def begin(self) -> int | None:
        """Begin a record; the number of its first line, or nothing at the end of the file."""
        self._taken.clear()
        return self._ahead[0].number if self._look_ahead() else None

    def give_up(self) -> str:
        """Drop only the first line of the record under way, so that the lines after it are read on their own."""
        first, *others = self._taken
        self._ahead.extendleft(reversed(others))
        return first.text

    def _look_ahead(self) -> bool:
        if self._ahead:
            return True
        text = self._file.readline(LONGEST_LINE)
        if not text:
            return False
        self._number += 1
        whole = len(text) < LONGEST_LINE or text.endswith(("\n", "\r"))
        if not whole:
            self._skip_to_the_end_of_the_line()
        self._ahead.append(Line(self._number, text, whole))
        return True

    def _skip_to_the_end_of_the_line(self) -> None:
        while (more := self._file.readline(LONGEST_LINE)) and not more.endswith(("\n", "\r")):
            pass
