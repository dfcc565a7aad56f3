"""The command that replays a customer's history, for whoever audits it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import typer

from crm.output import AsJson, as_json, as_table, sentence

PAGE = 200


def replay(
    customer: Annotated[UUID, typer.Argument(help="The customer's id.")],
    as_of: Annotated[str | None, typer.Option(help="What was known at a moment, as 2026-03-31T18:00:00Z.")] = None,
    language: Annotated[str, typer.Option(help="en or zh, for the sentences.")] = "en",
    json: AsJson = False,
) -> None:
    """Replay everything that happened with a customer, and show what that has made of it."""
    from crm.console.asking import answer
    from crm.console.opening import working_services

    with working_services() as made:
        then = [("as_of", as_of)] if as_of else [("after", str(made.ledger.head()))]
        history: list[dict[str, Any]] = []
        asked = [*then, ("order", "oldest"), ("limit", str(PAGE))]
        while True:
            page = answer(made, f"/customers/{customer}/history", asked, language)
            history += page["items"]
            if not page.get("next"):
                break
            asked = [*then, ("order", "oldest"), ("limit", str(PAGE)), ("cursor", page["next"])]
        state = answer(made, f"/customers/{customer}", [("as_of", as_of)] if as_of else [], language)
    if json:
        as_json({"history": history, "customer": state})
        return
    as_table(
        ["position", "recorded", "on", "who", "what"],
        (
            [each["position"], each["recorded_at"], each["occurred_on"], _who(each), each["sentence"]]
            for each in history
        ),
    )
    sentence("")
    as_table(["", "as it is after that"], ((name, _cell(value)) for name, value in state.items()))


def _who(event: dict[str, Any]) -> str:
    actor = event["actor"]
    return str(actor.get("name") or actor.get("id")) if isinstance(actor, dict) else str(actor)


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {_cell(each)}" for name, each in value.items() if each is not None)
    return "" if value is None else str(value)
