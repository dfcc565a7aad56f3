"""Passwords that are tried first: common words with what people add to them, rows of keys, the same thing again.

A small check, worked out and not looked up: whoever wants a list of leaked passwords checked uses OpenID sign-in.
"""

from __future__ import annotations

import re
from itertools import pairwise

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "abcdefghijklmnopqrstuvwxyz", "1qaz2wsx3edc4rfv5tgb6yhn")
_WORDS = (
    "administrator", "welcome", "password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "letmein", "iloveyou",
    "changeme", "secret", "default", "dragon", "monkey", "football", "baseball", "master", "shadow", "sunshine",
    "princess", "superman", "trustno1", "genjin", "admin", "guest", "hello", "login", "root", "test", "user", "crm",
    "woaini", "mima", "wode", "nihao", "zhongguo", "beijing", "shanghai", "aini", "gongsi", "kehu", "xiaoshou",
    "please", "mypass", "pass", "qwerty", "qazwsx", "asdf", "zxcv", "qwe", "asd", "abc", "the", "is", "my", "it",
)  # fmt: skip
_SHORTEST_ROW, _FEWEST_KINDS, _LEAST_LEFT = 4, 5, 4


def is_plain(password: str) -> bool:
    """Whether it is one that is tried first."""
    text = password.casefold()
    return len(set(text)) < _FEWEST_KINDS or _repeats(text) or _steps(text) or len(_remainder(text)) < _LEAST_LEFT


def _repeats(text: str) -> bool:
    """The same few characters over and over."""
    return any(text == (text[:size] * len(text))[: len(text)] for size in range(1, min(6, len(text) // 2) + 1))


def _steps(text: str) -> bool:
    """Every character is the next one of the alphabet, or the one before."""
    return {ord(after) - ord(before) for before, after in pairwise(text)} in ({1}, {-1})


def _remainder(text: str) -> str:
    """What is left of it without common words, rows of keys, years, digits and signs."""
    for row in (*_ROWS, *(each[::-1] for each in _ROWS)):
        for size in range(len(row), _SHORTEST_ROW - 1, -1):
            for first in range(len(row) - size + 1):
                text = text.replace(row[first : first + size], " ")
    for word in _WORDS:
        text = text.replace(word, " ")
    return re.sub(r"[\d\s!-/:-@\[-`{-~]", "", text)
