"""What a customer can be found by: names as written, as pinyin, and as the initials of the pinyin."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from operator import add, itemgetter
from typing import NamedTuple

SURNAMES = {
    "单": "shan",
    "曾": "zeng",
    "解": "xie",
    "仇": "qiu",
    "区": "ou",
    "查": "zha",
    "任": "ren",
    "朴": "piao",
    "冼": "xian",
    "盖": "ge",
    "尉": "wei",
    "乐": "yue",
    "种": "chong",
    "缪": "miao",
    "覃": "qin",
    "翟": "zhai",
    "折": "she",
    "繁": "po",
    "逄": "pang",
    "员": "yun",
}
"""Characters that are read differently when they are a family name."""

LONGEST_PHRASE = 4
_initial = itemgetter(0)
FEWEST_DIGITS, FEWEST_OF_ALL, WHOLE_FOREIGN = 5, 7, 11
CHINESE_MOBILE = re.compile(r"861\d{10}")
NUMBER = re.compile(r"[\d\s+()（）./\-—－]+")


class Characters(dict[str, str]):
    """How characters are read alone; what is not Chinese is read as itself."""

    def __missing__(self, character: str) -> str:
        return character


class Readings(NamedTuple):
    """How characters are read alone, the phrases in which they are read differently, and how such phrases begin."""

    characters: Characters
    phrases: dict[str, tuple[str, ...]]
    starts: frozenset[str]


@lru_cache(maxsize=1024)
def folded(text: str) -> str:
    """The text as it is compared in a search: full-width forms, capitals and runs of spaces make no difference."""
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return " ".join(plain.split())


def search_text(is_person: bool, name: str | None, contact_name: str | None, *codes: str | None) -> str:
    """One line for each way in which somebody may type a customer's name, contact person and codes."""
    lines: dict[str, None] = {}
    for value, person in ((name, is_person), (contact_name, True), *((code, False) for code in codes)):
        if value:
            text = folded(value)
            lines[text] = None
            if not text.isascii():
                syllables = spell(text, person)
                lines["".join(syllables)] = None
                lines["".join(map(_initial, syllables))] = None
    return "\n".join(lines)


def pairs(*values: str | None) -> list[str]:
    """The neighbouring characters of what is written in Chinese (any text that is not plain ASCII), each pair once."""
    found: dict[str, None] = {}
    for value in values:
        text = folded(value or "")
        if not text.isascii():
            found |= dict.fromkeys(map(add, text, text[1:]))
    return list(found)


def pairs_text(*values: str | None) -> str:
    """The pairs, one a line."""
    return "\n".join(pairs(*values))


def digits_text(*numbers: str | None) -> str:
    """The digits of telephone numbers, one number a line."""
    return "\n".join(dict.fromkeys(filter(None, (_digits(number or "") for number in numbers))))


def dialled(words: str) -> str | None:
    """The digits of what is typed where it may be a telephone number, or enough of one; without the 0 dialled first."""
    digits = _digits(words)
    if len(digits) < FEWEST_DIGITS or not NUMBER.fullmatch(words):
        return None
    if len(digits) >= WHOLE_FOREIGN:
        digits = _without_prefix(digits)
    return digits[1:] if digits[0] == "0" != digits[1] else digits


def _without_prefix(digits: str) -> str:
    """A whole number without 00, and a Chinese mobile without 86, which it is kept without."""
    digits = digits.removeprefix("00")
    return digits[2:] if CHINESE_MOBILE.fullmatch(digits) else digits


def whole_number(words: str) -> str | None:
    """The digits of what is typed where it may be a whole telephone number, as numbers are kept (E.164 but for
    Chinese mobiles): a number that is dialled with one 0 first is a Chinese one, with two a foreign one."""
    digits = _digits(words)
    if len(digits) < FEWEST_OF_ALL or not NUMBER.fullmatch(words):
        return None
    if digits.startswith("0") and not digits.startswith("00"):
        return f"86{digits[1:]}"
    return _without_prefix(digits)


def _digits(text: str) -> str:
    if text.isascii():
        return text if text.isdecimal() else "".join(filter(str.isdecimal, text))
    return "".join(filter(str.isdecimal, unicodedata.normalize("NFKC", text)))


def sort_key(is_person: bool, name: str | None) -> str | None:
    """The name as a dictionary sorts it: by pinyin, then by the characters themselves."""
    if name is None:
        return None
    text = folded(name)
    return text if text.isascii() else f"{' '.join(spell(text, is_person))} {text}"


@lru_cache(maxsize=1024)
def spell(text: str, person: bool = False) -> tuple[str, ...]:
    """The text as syllables without tones; what is not Chinese stays as it is, character by character."""
    characters, phrases, starts = readings()
    plain = text.replace(" ", "")
    syllables = list(map(characters.__getitem__, plain))
    neighbours = list(map(add, plain, plain[1:]))
    if not starts.isdisjoint(neighbours):
        read_until = 0
        for at, pair in enumerate(neighbours):
            if pair in starts and at >= read_until and (phrase := _phrase_at(plain, at, phrases)) is not None:
                read_until = at + len(phrase)
                syllables[at:read_until] = phrase
    if person and text and text[0] in SURNAMES:
        syllables[0] = SURNAMES[text[0]]
    return tuple(syllables)


def _phrase_at(text: str, at: int, phrases: dict[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    for length in range(LONGEST_PHRASE, 1, -1):
        phrase = phrases.get(text[at : at + length])
        if phrase is not None:
            return phrase
    return None


@cache
def readings() -> Readings:
    """The tables of readings, made once from pypinyin's (whose own segmenting takes 70 microseconds a name)."""
    from pypinyin.constants import PHRASES_DICT, PINYIN_DICT

    characters = Characters((chr(code), _plain(marked.split(",")[0])) for code, marked in PINYIN_DICT.items())
    phrases = {}
    for phrase, marked in PHRASES_DICT.items():
        if len(phrase) <= LONGEST_PHRASE:
            syllables = tuple(_plain(reading[0]) for reading in marked)
            if len(syllables) == len(phrase) and any(
                syllable != characters.get(character) for character, syllable in zip(phrase, syllables, strict=True)
            ):
                phrases[phrase] = syllables
    return Readings(characters, phrases, frozenset(phrase[:2] for phrase in phrases))


@cache
def _plain(marked: str) -> str:
    decomposed = unicodedata.normalize("NFD", marked).replace("u\u0308", "v")
    return "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")
