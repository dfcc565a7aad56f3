"""Segments of the write-ahead log, the timelines they are of, and which of them follow one another."""

from __future__ import annotations

import re
from typing import NamedTuple

SIZE = 16 * 1024 * 1024
"""Bytes of a segment, in every embedded database."""
_IN_A_LOG = 2**32 // SIZE


class Segment(NamedTuple):
    """A stretch of the write-ahead log, by its number, on one timeline."""

    timeline: int
    number: int

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.timeline:08X}{self.number // _IN_A_LOG:08X}{self.number % _IN_A_LOG:08X}"


def parsed(name: str) -> Segment | None:
    """The segment of a file; none where it is another kind of file."""
    if not re.fullmatch("[0-9A-F]{24}", name):
        return None
    timeline, log, number = (int(name[start : start + 8], 16) for start in (0, 8, 16))
    return Segment(timeline, log * _IN_A_LOG + number)


def place_of(text: str) -> int:
    """A place in the log as a number, from how PostgreSQL writes it (`0/3000148`)."""
    high, low = text.split("/")
    return int(high, 16) * 2**32 + int(low, 16)


class Line:
    """The timelines that lead to one of them, each with the place in the log at which it begins.

    A recovered database goes on in a timeline of its own, so that it never overwrites what was archived before.
    """

    def __init__(self, *begins: tuple[int, int]) -> None:
        self._begins = begins

    def at(self, number: int) -> Segment:
        """The segment of that number on this line."""
        return Segment([timeline for timeline, place in self._begins if place // SIZE <= number][-1], number)

    def holds(self, timeline: int, place: int) -> bool:
        """What was written there, on that timeline, is a part of this line."""
        for index, (each, _) in enumerate(self._begins):
            if each == timeline:
                return index + 1 == len(self._begins) or place <= self._begins[index + 1][1]
        return False


def line_of(timeline: int, history: str) -> Line:
    """The line that leads to a timeline, from the file that PostgreSQL writes when it begins."""
    begins, place = [], 0
    for line in history.splitlines():
        if found := re.match(r"\s*(\d+)\s+([0-9A-F]+/[0-9A-F]+)", line):
            begins.append((int(found[1]), place))
            place = place_of(found[2])
    return Line(*begins, (timeline, place))
