"""Reading bodies strictly: a size limit that also holds for chunked bodies, JSON only, nothing that is ambiguous."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from api.problems import FieldFault, Problem, invalid, pointer_to

MAX_BODY = 1_048_576
_JSON_TYPES = ("application/json", "application/merge-patch+json")


async def read_json_bytes(request: Request, limit: int = MAX_BODY) -> bytes:
    """The body's bytes, at most `limit` of them, of a type that says JSON; raises Problem 413 or 415."""
    _require_json(request)
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
        raise Problem(400, "malformed-json", {"error": "the connection ended early"}) from None
    return b"".join(chunks)


def _too_large(limit: int) -> Problem:
    return Problem(413, "body-too-large", {"limit": limit}, headers={"Connection": "close"})


def _require_json(request: Request) -> None:
    given = request.headers.get("content-type", "")
    kind, _, parameters = given.partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() not in _JSON_TYPES or charset not in ("", "charset=utf-8", "charset=utf8"):
        raise Problem(415, "wrong-content-type", {"given": given[:100]}, headers={"Accept": "application/json"})


def refuse_ambiguous(body: bytes) -> None:
    """Refuses JSON that readers understand differently: a name that stands twice, NUL, half characters.

    Called for bodies that were read without an error; raises Problem.
    """
    parsed = _parse(body)
    if b"\\u" in body:
        faults = list(_unfit_texts(parsed, ()))
        if faults:
            raise invalid(*faults)


def refuse_malformed(body: bytes, error: str) -> NoReturn:
    """Says why the body is no JSON, and which field holds half a character where that is the reason."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Problem(400, "malformed-json", {"error": f"byte {exc.start} is not UTF-8"}) from None
    parsed = _parse(text, error)
    faults = list(_unfit_texts(parsed, ()))
    raise invalid(*faults) if faults else Problem(400, "malformed-json", {"error": error})


def _parse(body: bytes | str, error: str = "it cannot be read") -> Any:
    try:
        return json.loads(body, object_pairs_hook=_once, parse_int=_number, parse_float=_number)
    except (RecursionError, ValueError):
        raise Problem(400, "malformed-json", {"error": error}) from None


def _number(_: str) -> int:
    return 0


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise Problem(400, "duplicate-key", {"name": name[:100]})
            seen.add(name)
    return found


def _unfit_texts(value: Any, path: tuple[str | int, ...]) -> list[FieldFault]:
    """Every text in the body that could not be stored; looks no deeper than commands ever go."""
    if isinstance(value, str):
        if "\0" in value:
            return [FieldFault("body", pointer_to(path), "text-nul")]
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            return [FieldFault("body", pointer_to(path), "text-surrogate")]
        return []
    if len(path) > 20:
        return []
    if isinstance(value, dict):
        names = [fault for name in value for fault in _unfit_texts(name, path)]
        return names + [fault for name, item in value.items() for fault in _unfit_texts(item, (*path, name))]
    if isinstance(value, list):
        return [fault for place, item in enumerate(value) for fault in _unfit_texts(item, (*path, place))]
    return []
