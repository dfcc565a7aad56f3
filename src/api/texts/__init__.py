"""The sentences users read about a refusal, in Chinese and in English, found by code and filled with typed values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any, Literal

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")
DEFAULT_LANGUAGE: Language = "en"


@cache
def catalogue(language: Language) -> dict[str, dict[str, Any]]:
    """All texts of one language: `problems` and `fields` by code, `kinds` of values and `things` by name.

    `bare` has what is said instead where there is nothing to list, `reasons` why something cannot be read, and
    `joining` how sentences are put together.
    """
    texts = _read(f"{language}.toml") | _read(f"rules.{language}.toml")
    for code, (title, detail) in texts.pop("rules").items():
        texts["problems"][code] = {"title": title, "detail": detail}
    return texts


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__name__).joinpath(name).read_text(encoding="utf-8"))


def preferred(accept_language: str | None) -> Language:
    """The language to answer in, from an Accept-Language header (RFC 9110); anything odd in it is passed over."""
    best: tuple[float, int, Language] | None = None
    for place, part in enumerate((accept_language or "")[:1000].split(",")):
        tag, _, weight = part.strip().partition(";")
        language = _language_of(tag.strip().lower())
        quality = _quality(weight)
        if language and quality > 0 and (best is None or (quality, -place) > (best[0], -best[1])):
            best = (quality, place, language)
    return best[2] if best else DEFAULT_LANGUAGE


def _language_of(tag: str) -> Language | None:
    if tag == "zh" or tag.startswith("zh-"):
        return "zh-CN"
    return "en" if tag == "en" or tag.startswith("en-") else None


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


class _Shown(Formatter):
    """Fills a text with values as a person writes them; a value that was not given shows as a dash."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:  # noqa: ARG002 - the formatter asks so
        value = kwargs.get(key)
        return "-" if value is None else shown(value, self.language)


def shown(value: Any, language: Language) -> str:
    """A value as a person writes it: lists joined, amounts plain, moments with their offset."""
    if isinstance(value, (list, tuple, set, frozenset)):
        comma = "、" if language == "zh-CN" else ", "
        return comma.join(shown(item, language) for item in value) or "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    text = str(value)
    # What a client wrote may be shown back: lone surrogates and NUL could not be sent.
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\u2400")


def fill(template: str, values: Mapping[str, Any], language: Language) -> str:
    """The text with its values in place."""
    return _Shown(language).vformat(template, (), dict(values))


def problem_text(code: str, values: Mapping[str, Any], language: Language) -> tuple[str, str]:
    """The title and the sentence for a problem; one that has no text of its own still says its code."""
    texts = catalogue(language)
    text = texts["problems"].get(code) or texts["problems"]["refused"]
    template = _bare(texts, code, values) or text["detail"]
    return text["title"], fill(template, _named(code, values, language), language)


def field_text(code: str, values: Mapping[str, Any], language: Language) -> str:
    """The sentence for one field: what is wrong with it, and what would be accepted."""
    texts = catalogue(language)
    template = _bare(texts, code, values) or texts["fields"].get(code)
    if template is None and code in texts["problems"]:
        template = texts["problems"][code]["detail"]
    return fill(template or texts["fields"]["other"], _named(code, values, language), language)


def joined(said: Sequence[tuple[str, str]], count: int, language: Language) -> str:
    """One sentence from what is said of several fields, each with its name (none for the whole)."""
    texts = catalogue(language)["joining"]
    if not said:
        return str(texts["nothing"])
    parts = [
        fill(texts["of-field"], {"field": name, "message": each}, language) if name else each for name, each in said
    ]
    sentence = ("；" if language == "zh-CN" else "; ").join(parts)
    more = count - len(said)
    return fill(texts["more"], {"said": sentence, "more": more}, language) if more > 0 else sentence


_LISTED = ("accepted", "changed_fields", "given")
"""The values of which there may be none, so that a sentence that lists them would say nothing."""


def _bare(texts: Mapping[str, Any], code: str, values: Mapping[str, Any]) -> str | None:
    is_bare = any(name in values and not values[name] for name in _LISTED)
    found: str | None = texts["bare"].get(code) if is_bare else None
    return found


def _named(code: str, values: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """The values, with the kind of a value or thing, or the reason of a failure, in plain words."""
    texts, kind = catalogue(language), str(values.get("kind"))
    named = texts["kinds"].get(kind) or texts["things"].get(kind) or values.get("kind")
    reason = texts["reasons"].get(str(values.get("reason")))
    return {
        "code": code,
        "accepted": values.get("expected"),
        **values,
        "kind": named,
        "reason": values.get("reason") if reason is None else fill(reason, values, language),
    }
