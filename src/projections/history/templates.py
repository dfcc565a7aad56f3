"""Sentences with gaps: `{name}` is filled in, a part in [brackets] is left out where one of its gaps is empty."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

_PIECE = re.compile(r"\[([^\]]*)\]|([^\[]+)")
_GAP = re.compile(r"\{([^}]+)\}")


def rendered(template: str, look: Callable[[str], str], nothing: str) -> str:
    """The sentence with what `look` gives for each gap; an empty gap that must be filled shows `nothing`."""
    parts: list[str] = []
    for optional, pieces in _parsed(template):
        filled = [look(piece) if is_gap else piece for is_gap, piece in pieces]
        if optional:
            if all(filled):
                parts += filled
        else:
            parts += [text or nothing for text in filled]
    return "".join(parts)


def gaps(template: str) -> frozenset[str]:
    """The names of all gaps."""
    return frozenset(_GAP.findall(template))


@cache
def _parsed(template: str) -> tuple[tuple[bool, tuple[tuple[bool, str], ...]], ...]:
    return tuple(
        (optional is not None and match.group(0).startswith("["), _pieces(optional if optional is not None else plain))
        for match in _PIECE.finditer(template)
        for optional, plain in [match.groups()]
    )


def _pieces(text: str) -> tuple[tuple[bool, str], ...]:
    """Gaps and the text between them."""
    return tuple((number % 2 == 1, piece) for number, piece in enumerate(_GAP.split(text)) if piece)
