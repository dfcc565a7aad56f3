"""Reading uploaded files: streamed to temporary files, never more than the limit, and each told from the others."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from api.answers.problems import FieldFault, Problem, invalid, pointer_to
from sheets.profile import Profile

MAX_UPLOAD = 50 * 1024 * 1024
"""Bytes of all files of an import together."""

MOST_PARTS = 100
LONGEST_NAME = 200
"""Bytes of a file's name."""


@asynccontextmanager
async def uploaded(request: Request, profile: Profile) -> AsyncIterator[dict[str, BinaryIO]]:
    """The files that the profile reads, by name, for as long as the block lasts; raises Problem 400, 413, 415, 422."""
    _require_form(request)
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared[:18]) > MAX_UPLOAD:
        raise _too_large()
    parser = MultiPartParser(request.headers, _limited(request), max_files=MOST_PARTS, max_fields=MOST_PARTS)
    try:
        yield assign(profile, await _parsed(parser))
    finally:
        for file in parser._files_to_close_on_error:  # its own closing leaves out a part that was cut off
            file.close()


async def _parsed(parser: MultiPartParser) -> list[tuple[str, UploadFile | str]]:
    try:
        return (await parser.parse()).multi_items()
    except MultiPartException:
        raise Problem(400, "malformed-form", {"reason": "unreadable"}) from None
    except ClientDisconnect:
        raise Problem(400, "malformed-form", {"reason": "ended-early"}) from None


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_UPLOAD:
            raise _too_large()
        yield chunk


def _too_large() -> Problem:
    return Problem(413, "body-too-large", {"limit": MAX_UPLOAD}, headers={"Connection": "close"})


def _require_form(request: Request) -> None:
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != "multipart/form-data":
        raise Problem(415, "not-a-form", {"given": given[:100]}, headers={"Accept": "multipart/form-data"})


def assign(profile: Profile, parts: list[tuple[str, UploadFile | str]]) -> dict[str, BinaryIO]:
    """Which part is which file: by the part's name or the file's; a profile of one file takes any."""
    faults: list[FieldFault] = []
    found: dict[str, BinaryIO] = {}
    accepted = tuple(rule.name for rule in profile.files.values())
    for part, file in parts:
        if isinstance(file, str):
            faults.append(_fault(part, "not-a-file"))
            continue
        name = _plain(file.filename or "")
        if name is None:
            faults.append(_fault(part, "unfit-file-name", longest=LONGEST_NAME))
        elif len(profile.files) > 1 and (name := _of(profile, part, name)) is None:
            faults.append(_fault(part, "unknown-file", accepted=accepted))
        elif name in found or (found and len(profile.files) == 1):
            faults.append(_fault(part, "one-file-too-many", accepted=accepted))
        else:
            found[name] = file.file
    if not faults:
        missing = accepted if not found else [name for name in accepted if len(profile.files) > 1 and name not in found]
        faults = [_fault(name, "missing-file", file=name) for name in missing]
    if faults:
        raise invalid(*faults)
    return found


def _of(profile: Profile, part: str, name: str) -> str | None:
    """The profile's name of a file that was sent as a part."""
    if part in profile.files:
        return profile.files[part].name
    return next((rule.name for rule in profile.files.values() if rule.name == name), None)


def _plain(name: str) -> str | None:
    """The name without folders; none when it cannot be a file's name everywhere."""
    name = name.replace("\\", "/").rpartition("/")[2].strip()
    fits = name not in ("", ".", "..") and name.isprintable() and len(name.encode("utf-8", "replace")) <= LONGEST_NAME
    return name if fits else None


def _fault(part: str, code: str, **values: object) -> FieldFault:
    return FieldFault("body", pointer_to([part[:100]]), code, values)
