"""The records themselves, every field as the API shows it: one JSON array, or one document a line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from sheets.writing.cells import Line

Encode = Callable[[Any], bytes]
"""How a record becomes JSON."""


def write_array(lines: Iterable[Line], file: BinaryIO, encode: Encode) -> int:
    """Write one array, a record a line; how many records there were."""
    count = 0
    for line in lines:
        file.write(b",\n" if count else b"[\n")
        file.write(encode(line.record))
        count += 1
    file.write(b"\n]\n" if count else b"[]\n")
    return count


def write_lines(lines: Iterable[Line], file: BinaryIO, encode: Encode) -> int:
    """Write a record a line, nothing around them; how many records there were."""
    count = 0
    for line in lines:
        file.write(encode(line.record) + b"\n")
        count += 1
    return count
