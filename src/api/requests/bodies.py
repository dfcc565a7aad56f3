"""Reading bodies strictly: a size limit that also holds for chunked bodies, JSON only, nothing that is ambiguous."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from api.answers.problems import FieldFault, Problem, invalid, pointer_to
from api.answers.refusals import malformed_by, validation_faults

M = TypeVar("M", bound=BaseModel)
MAX_BODY = 1_048_576
_JSON_TYPES = ("application/json", "application/merge-patch+json")


async def read_json_bytes(request: Request, limit: int = MAX_BODY, if_none: bytes | None = None) -> bytes:
    """The body's bytes, at most `limit` of them, of a type that says JSON; raises Problem 413 or 415.

    `if_none` is what a request without body and Content-Type stands for.
    """
    is_typed = "content-type" in request.headers
    if is_typed or if_none is None:
        _require_json(request)
    body = await _read(request, limit)
    if not is_typed and if_none is not None:
        if body:
            _require_json(request)
        return if_none
    return body


async def _read(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared[:18]) > limit:
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
    except ClientDisconnect:
        raise Problem(400, "malformed-json", {"reason": "ended-early"}) from None
    return b"".join(chunks)


def _too_large(limit: int) -> Problem:
    return Problem(413, "body-too-large", {"limit": limit}, headers={"Connection": "close"})


def _require_json(request: Request) -> None:
    given = request.headers.get("content-type", "")
    kind, _, parameters = given.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() not in _JSON_TYPES or charset not in ("", "charset=utf-8", "charset=utf8"):
        raise Problem(415, "wrong-content-type", {"given": given[:100]}, headers={"Accept": "application/json"})


def read_model(model: type[M], body: bytes) -> M:
    """What a body says, as a model; raises Problem 400 or 422."""
    try:
        found = model.model_validate_json(body)
    except ValidationError as error:
        if (malformed := malformed_by(error)) is not None:
            refuse_malformed(body, malformed)
        refuse_ambiguous(body)
        raise invalid(*validation_faults(error, model)) from None
    refuse_ambiguous(body)
    return found


def refuse_ambiguous(body: bytes) -> None:
    """Refuses JSON that readers understand differently: a name that stands twice, NUL, half characters, and numbers
    with more digits than a JSON number carries everywhere.

    Called for bodies that were read without an error; raises Problem.
    """
    numbers = _Numbers()
    parsed = _parse(body, numbers)
    if b"\\u" in body or numbers.any_inexact:
        faults = _unfit(parsed, ())
        if faults:
            raise invalid(*faults)


def refuse_malformed(body: bytes, error: str) -> NoReturn:
    """Says why the body is no JSON, and which field holds half a character where that is the reason."""
    if not body.strip():
        raise _malformed(reason="empty")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise _malformed(reason="not-utf8", byte=exc.start) from None
    parsed = _parse(text, _Numbers(), error)
    faults = [fault for fault in _unfit(parsed, ()) if fault.code != "inexact-number"]
    raise invalid(*faults) if faults else _malformed(**_why(error))


def _malformed(**values: Any) -> Problem:
    return Problem(400, "malformed-json", values)


_WHERE = re.compile(r"at line (\d+) column (\d+)")


def _why(error: str) -> dict[str, Any]:
    """The reason, from what the reader of JSON says in English."""
    if "recursion" in error:
        return {"reason": "too-deep"}
    if "number out of range" in error:
        return {"reason": "long-number"}
    where = _WHERE.search(error)
    return {"reason": "syntax", "line": int(where[1]), "column": int(where[2])} if where else {"reason": "unreadable"}


def _parse(body: bytes | str, numbers: _Numbers, error: str = "") -> Any:
    try:
        return json.loads(body, object_pairs_hook=_once, parse_int=_whole, parse_float=numbers.read)
    except RecursionError:
        raise _malformed(reason="too-deep") from None
    except ValueError:
        raise _malformed(**_why(error)) from None


def _whole(_: str) -> int:
    return 0


INEXACT = object()
"""Stands for a number that a JSON number cannot carry as it was written."""


class _Numbers:
    """Reads numbers only to see whether their shortest decimal form says what was written."""

    any_inexact = False

    def read(self, text: str) -> object:
        """Something to stand in the number's place."""
        value = float(text)
        try:
            is_exact = math.isinf(value) or Decimal(repr(value)) == Decimal(text)
        except InvalidOperation:
            is_exact = False
        self.any_inexact |= not is_exact
        return 0 if is_exact else INEXACT


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise Problem(400, "duplicate-key", {"name": name[:100]})
            seen.add(name)
    return found


def _unfit(value: Any, path: tuple[str | int, ...]) -> list[FieldFault]:
    """Everything in the body that could not be stored as it was written; looks no deeper than commands ever go."""
    if isinstance(value, str):
        return _unfit_text(value, path)
    if value is INEXACT:
        return [FieldFault("body", pointer_to(path), "inexact-number")]
    if len(path) > 20:
        return []
    if isinstance(value, dict):
        names = [fault for name in value for fault in _unfit_text(name, path)]
        return names + [fault for name, item in value.items() for fault in _unfit(item, (*path, name))]
    if isinstance(value, list):
        return [fault for place, item in enumerate(value) for fault in _unfit(item, (*path, place))]
    return []


def _unfit_text(text: str, path: tuple[str | int, ...]) -> list[FieldFault]:
    if "\0" in text:
        return [FieldFault("body", pointer_to(path), "text-nul")]
    if any("\ud800" <= sign <= "\udfff" for sign in text):
        return [FieldFault("body", pointer_to(path), "text-surrogate")]
    return []
