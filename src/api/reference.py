"""Writes the routes and the codes of fields into docs/api.md: `python -m api.reference`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from api.app import create_app
from api.texts import catalogue

MARK = "<!-- What follows is written by `python -m api.reference`. -->\n"
_PAGE = Path("docs/api.md")
_SHARED = frozenset(
    {"on", "as_of", "after", "sort", "q", "cursor", "limit", "include_total", "If-Match", "Idempotency-Key"}
)


def routes() -> str:
    """Every route with what it does, what it takes and an example."""
    nothing: Any = SimpleNamespace(tokens=SimpleNamespace(actor_of=lambda _: None), database=None)
    document = create_app(nothing).openapi()
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append("\n".join(_route(method.upper(), path, operation)))
    return "\n".join(f"## {tag}\n\n" + "\n".join(entries) for tag, entries in groups.items())


def _route(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"### `{method} {path}`\n"
    yield f"{operation['summary'].rstrip('.')}."
    if operation.get("description", operation["summary"]) not in operation["summary"]:
        yield operation["description"]
    yield ""
    for parameter in operation.get("parameters", ()):
        if parameter["name"] not in _SHARED and "[" not in parameter["name"] and parameter["in"] != "path":
            yield f"- `{parameter['name']}`: {parameter.get('description', '')}"
    filters = sorted({item["name"].split("[")[0] for item in operation.get("parameters", ()) if "[" in item["name"]})
    if filters:
        yield f"- filters by: {', '.join(f'`{name}`' for name in filters)}"
    shared = [item["name"] for item in operation.get("parameters", ()) if item["name"] in _SHARED]
    if shared:
        yield f"- also: {', '.join(f'`{name}`' for name in shared)}"
    yield from _example(method, path, operation)


def _example(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json", {}).get("example")
    form = content.get("multipart/form-data", {}).get("example", {})
    given = {item["name"]: item.get("example", f"<{item['name']}>") for item in operation.get("parameters", ())}
    address = path
    for name, value in given.items():
        address = address.replace(f"{{{name}}}", str(value))
    asked = [item for item in operation.get("parameters", ()) if item["in"] == "query" and item["required"]]
    address += "?" * bool(asked) + "&".join(f"{item['name']}={given[item['name']]}" for item in asked)
    yield "\n```http"
    yield f"{method} {address}"
    if body is not None:
        yield f"\n{json.dumps(body, ensure_ascii=False, indent=2)}"
    if form:
        yield "Content-Type: multipart/form-data\n"
        yield from (f"{part}={file}" for part, file in form.items())
    yield "```\n"


def codes() -> str:
    """What can be wrong with a field: every code with its sentence."""
    fields = {code: text for code, text in catalogue("en")["fields"].items() if code != "other"}
    lines = [f"| `{code}` | {text.replace('|', ' or ')} |" for code, text in sorted(fields.items())]
    about = "The `code` of an entry of `errors`, beside those of business rules; names of values are in braces."
    return "\n".join(["## Codes of fields", "", about, "", "| code | message |", "|---|---|", *lines, ""])


def rewritten(page: str) -> str:
    """The page with its list of routes, and of codes, as it is now."""
    return page.partition(MARK)[0] + MARK + "\n" + routes() + "\n" + codes()


if __name__ == "__main__":
    _PAGE.write_text(rewritten(_PAGE.read_text(encoding="utf-8")), encoding="utf-8")
