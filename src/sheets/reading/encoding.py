"""In which encoding a file is written: stated, marked or certain, and never guessed."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from sheets.reading.refusals import Refusal, Unreadable

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, the longer first where one begins like another."""

KNOWN = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8-sig",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-32": "utf-32",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "big5": "big5hkscs",
    "shift-jis": "cp932",
    "windows-1252": "cp1252",
    "iso-8859-1": "iso-8859-1",
}
"""Encodings that may be stated, and the codec that reads each (GB18030 holds all of GBK and GB2312)."""

FEW = 8
CHUNK = 1 << 20
TWO_BYTES = re.compile(rb"[\xc2-\xdf][\xa1-\xbf]")
HANZI_PAIR = re.compile(rb"(?<![A-Za-z\x80-\xff])(?:[\xc2-\xdf][\xa1-\xbf]){2,}(?![A-Za-z\x80-\xff])")
How = Literal["stated", "mark", "certain", "heading"]


class Encoding(msgspec.Struct, frozen=True):
    """The encoding to read a file with, and how it is known."""

    name: str
    how: How


class Inspection(msgspec.Struct, frozen=True):
    """What a first pass over a file's bytes found out."""

    encoding: Encoding
    digest: str
    size: int


def inspect(path: Path, *, stated: str | None = None, headings: Collection[str] = ()) -> Inspection:
    """Read all bytes once and find the encoding, the digest and the size.

    Without a statement: a byte order mark decides; else valid UTF-8 is UTF-8; else the file is GB18030 only when it is
    valid in it *and* one of the expected `headings` with a character outside ASCII stands in it, which nothing else
    could explain. Raises Unreadable for everything else, with the first byte that does not fit.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as broken:
        raise Unreadable(
            Refusal("unreadable-file", path.name, values={"why": broken.strerror or str(broken)})
        ) from broken
    if not start:
        raise Unreadable(Refusal("empty-file", path.name))
    marked = next((name for mark, name in MARKS if start.startswith(mark)), None)
    encoding = _named(path, stated, marked) if stated else _found(path, marked, headings)
    digest = hashlib.sha256()
    for chunk in _chunks(path):
        digest.update(chunk)
    return Inspection(encoding, digest.hexdigest(), path.stat().st_size)


def _named(path: Path, stated: str, marked: str | None) -> Encoding:
    codec = KNOWN.get(stated.lower().replace("_", "-"))
    if codec is None:
        raise Unreadable(
            Refusal("unknown-encoding", path.name, value=stated, values={"accepted": ", ".join(sorted(KNOWN))})
        )
    if marked is not None and codec[:6] != marked[:6]:
        raise Unreadable(
            Refusal(
                "encoding-contradicts-mark", path.name, value=stated, values={"marked": marked.removesuffix("-sig")}
            )
        )
    codec = marked if marked is not None and codec == "utf-8" else codec
    if misfit := _misfit(path, codec):
        raise Unreadable(misfit)
    return Encoding(codec, "stated")


def _found(path: Path, marked: str | None, headings: Collection[str]) -> Encoding:
    if marked is not None:
        if misfit := _misfit(path, marked):
            raise Unreadable(misfit)
        return Encoding(marked, "mark")
    misfit = _misfit(path, "utf-8")
    if misfit is None:
        if _could_be_chinese(path):
            raise Unreadable(Refusal("ambiguous-encoding", path.name, values={"candidates": "utf-8, gb18030"}))
        return Encoding("utf-8", "certain")
    telling = [heading.encode("gb18030") for heading in headings if not heading.isascii()]
    with path.open("rb") as file:
        top = file.read(64 * 1024)
    if any(heading in top for heading in telling) and _misfit(path, "gb18030") is None:
        return Encoding("gb18030", "heading")
    raise Unreadable(misfit)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _misfit(path: Path, codec: str) -> Refusal | None:
    """The first byte that the codec cannot read, if there is one."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    read, line, held = 0, 1, b""
    for chunk in _chunks(path):
        held = decoder.getstate()[0]
        try:
            line += decoder.decode(chunk).count("\n")
        except UnicodeDecodeError as wrong:
            fitting = wrong.object[: wrong.start]
            return _wrong_byte(path, codec, wrong, line + fitting.count(b"\n"), read - len(held) + wrong.start)
        except UnicodeError:  # UTF-16 and UTF-32 need a mark at the beginning, where their order is not stated
            markless = UnicodeDecodeError(codec, chunk, 0, 1, "no mark")
            return _wrong_byte(path, codec, markless, 1, 0)
        read += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as wrong:
        return _wrong_byte(path, codec, wrong, line, read - len(wrong.object) + wrong.start)
    return None


def _wrong_byte(path: Path, codec: str, wrong: UnicodeDecodeError, line: int, offset: int) -> Refusal:
    byte = f"0x{wrong.object[wrong.start]:02X}"
    values = {"encoding": codec.removesuffix("-sig"), "byte": byte, "offset": offset}
    return Refusal("wrong-encoding", path.name, line=line, value=byte, values=values)


def _could_be_chinese(path: Path) -> bool:
    """True for the rare short text whose bytes fit UTF-8 and are whole Chinese words in GB18030 as well."""
    pairs = 0
    for chunk in _chunks(path):
        if chunk.isascii():
            continue
        rest = HANZI_PAIR.sub(b"", chunk)
        if not rest.isascii():
            return False
        pairs += len(TWO_BYTES.findall(chunk))
        if pairs >= FEW:
            return False
    return pairs > 0
