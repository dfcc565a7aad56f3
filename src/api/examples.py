"""Examples of answers for the OpenAPI document, made from the models that the answers have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

_FORMATS = {
    "uuid": "0192f0c1-7d5a-7cc3-a1b2-0123456789ab",
    "date": "2026-01-31",
    "date-time": "2026-01-31T01:30:00Z",
}
_TYPES: dict[str, Any] = {"string": "…", "integer": 1, "number": 0.5, "boolean": False, "null": None}
_JSON_TYPES: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}


@cache
def _known() -> dict[str, dict[str, Any]]:
    """Whole answers by operation or model, and likely values by the names of fields."""
    found: dict[str, dict[str, Any]] = json.loads(files("api").joinpath("examples.json").read_text(encoding="utf-8"))
    return found


def example_of(operation: str, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    """What an operation's answer may look like."""
    known = _known()["operations"].get(operation)
    return known if known is not None else _Sampler(schemas).sample(schema, "")


class _Sampler:
    """Makes values that fit schemas."""

    def __init__(self, schemas: Mapping[str, Any]) -> None:
        self._schemas = schemas

    def sample(self, schema: Mapping[str, Any], name: str) -> Any:
        """A value of the schema, for a field of that name (`Model.field`)."""
        if "$ref" in schema:
            return self._of_model(schema["$ref"].rpartition("/")[2])
        for given in ("const", "example", "default"):
            if schema.get(given) is not None:
                return schema[given]
        if schema.get("examples"):
            return schema["examples"][0]
        if schema.get("enum"):
            return schema["enum"][0]
        if "anyOf" in schema:
            return self._of_either(schema["anyOf"], name)
        return self._of_type(schema, name)

    def _of_model(self, model: str) -> Any:
        known = _known()["models"].get(model)
        return known if known is not None else self.sample(self._schemas[model], "")

    def _of_either(self, schemas: list[Mapping[str, Any]], name: str) -> Any:
        words = _known()["words"]
        if _key(name) in words and words[_key(name)] is None and any(each.get("type") == "null" for each in schemas):
            return None
        return self.sample(next(each for each in schemas if each.get("type") != "null"), name)

    def _of_type(self, schema: Mapping[str, Any], name: str) -> Any:
        kind = schema.get("type", "object")
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        word = _known()["words"].get(_key(name))
        if kind == "array":
            items = schema["items"]
            return word if isinstance(word, list) and items.get("type") == "string" else [self.sample(items, name)]
        if isinstance(word, _JSON_TYPES.get(kind, ())) and isinstance(word, bool) == (kind == "boolean"):
            return word
        if kind != "object":
            return _TYPES[kind]
        if "properties" in schema:
            inside = schema.get("title", "")
            return {inner: self.sample(each, f"{inside}.{inner}") for inner, each in schema["properties"].items()}
        return word if isinstance(word, dict) else {"CNY": "1000.00"} if "additionalProperties" in schema else {}


def _key(name: str) -> str:
    """The word for `Model.field`, or else that for every such field."""
    return name if name in _known()["words"] else name.rpartition(".")[2]
