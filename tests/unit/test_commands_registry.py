"""What is listed in one place: aggregates, events, refusals, commands."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields

import pytest

from aggregates.base import Created, DomainError, Event, personal_fields, value_names
from aggregates.customer.refusals import CustomerArchived
from aggregates.registry import ALL, event_classes, refusals
from commands import ALL as COMMANDS
from commands.base import Command, CreatingCommand

ROOMS = ("aggregates", "policy", "commands", "ledger", "projections", "api")
ENVELOPE = {field.name for field in fields(Event)} | {"originator_topic"}


def test_every_aggregate_has_a_topic_and_begins_with_one_event() -> None:
    assert len({aggregate.TOPIC for aggregate in ALL}) == len(ALL)  # type: ignore[attr-defined]
    begin = Counter(topic.partition(".")[0] for topic, kind in event_classes().items() if issubclass(kind, Created))
    assert begin == {aggregate.TOPIC: 1 for aggregate in ALL}  # type: ignore[attr-defined]


@pytest.mark.parametrize("topic", event_classes())
def test_an_event_is_a_sentence_and_hides_nothing_of_its_envelope(topic: str) -> None:
    kind = event_classes()[topic]
    assert topic == kind.TOPIC
    assert kind.__doc__
    assert kind.__doc__.endswith(".")
    own = [
        name
        for base in kind.__mro__
        if issubclass(base, Event) and base not in (Event, Created)
        for name in vars(base).get("__annotations__", {})
    ]
    assert not {name for name in own if name in ENVELOPE}


@pytest.mark.parametrize("topic", event_classes())
def test_personal_fields_are_sealed_for_somebody_the_event_names(topic: str) -> None:
    kind = event_classes()[topic]
    if personal_fields(kind):
        assert kind.SUBJECT in {field.name for field in fields(kind)}


def test_a_contacts_fields_are_sealed_with_the_contacts_key() -> None:
    assert event_classes()["customer.contact-added"].SUBJECT == "contact_id"
    assert event_classes()["member.registered"].SUBJECT == "originator_id"
    assert event_classes()["customer.follow-up-logged"].SUBJECT == "customer_id"


@pytest.mark.parametrize("code", refusals())
def test_a_refusal_has_a_code_and_a_sentence(code: str) -> None:
    refusal = refusals()[code]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)
    assert refusal.__doc__
    assert refusal.__doc__.strip().endswith(".")


def test_no_two_refusals_share_a_code() -> None:
    def kinds(of: type[DomainError]) -> list[type[DomainError]]:
        return [kind for direct in of.__subclasses__() for kind in (direct, *kinds(direct))]

    codes = Counter(kind.code for kind in kinds(DomainError) if kind.__module__.partition(".")[0] in ROOMS)
    assert [code for code, times in codes.items() if times > 1] == []


def test_a_refusal_carries_exactly_its_values() -> None:
    assert value_names(CustomerArchived) == {"customer"}
    assert CustomerArchived(customer="C1").values == {"customer": "C1"}
    for values in ({}, {"customer": "C1", "colour": "red"}):
        with pytest.raises(TypeError):
            CustomerArchived(**values)


def test_every_command_there_is_is_listed() -> None:
    def kinds(of: type[Command]) -> set[type[Command]]:
        return {kind for direct in of.__subclasses__() for kind in (direct, *kinds(direct))}

    ours = {kind for kind in kinds(Command) if kind.__module__.startswith("commands.")}
    assert ours - {CreatingCommand} == set(COMMANDS)
    assert len({command.action for command in COMMANDS}) == len(COMMANDS)
