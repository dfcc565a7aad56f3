"""Keys of 32 bytes, written in base64: read from text, or made once in a file of its owner's alone."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from contextlib import suppress
from pathlib import Path

LENGTH = 32


def decoded(text: str) -> bytes | None:
    """The key written in base64 (of either alphabet), or None when it is none."""
    try:
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == LENGTH else None


def made_once(path: Path, unusable: type[Exception], advice: str) -> bytes:
    """The key in a file, made at the first call; processes that start together get the same one.

    Raises `unusable`, with the advice, when the file holds something else.
    """
    if not path.exists():
        _make(path)
    key = decoded(path.read_text(encoding="ascii", errors="replace"))
    if key is None:
        raise unusable(f"{path} does not hold a {path.stem} key (32 bytes in base64): {advice}")
    return key


def _make(path: Path) -> None:
    """Write it aside and link it into place: a half-written key is never seen and an older one never replaced."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(LENGTH)) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(aside)
    finally:
        aside.unlink()
