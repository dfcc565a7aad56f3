"""What the fields of commands take, how they tidy it up, and what they refuse."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from aggregates.choices import choices
from commands import ALL
from commands.base import Command
from commands.customers import AddContact, LogFollowUp, RegisterCustomer, ReviseProfile, Tag
from commands.opportunities import OpenOpportunity, ReviseAmount
from commands.receivables import IssueReceivable, ReceivePayment
from commands.settings import ConfigureWorkspace, DefinePipeline


def read(command: type[Command], **body: Any) -> Any:
    """The command as the API reads it."""
    return command.model_validate_json(json.dumps(body), strict=True)


def faults(command: type[Command], **body: Any) -> list[tuple[str, tuple[int | str, ...]]]:
    """What is wrong with it, and where."""
    with pytest.raises(ValidationError) as refused:
        read(command, **body)
    return [(found["type"], found["loc"]) for found in refused.value.errors()]


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.action)
def test_the_examples_of_a_command_are_commands_and_each_field_is_documented(command: type[Command]) -> None:
    schema = command.model_json_schema()
    for example in schema.get("examples", []):
        assert read(command, **example)
    assert command.__doc__
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.action)
def test_an_unknown_field_is_refused(command: type[Command]) -> None:
    assert ("extra_forbidden", ("colour",)) in faults(command, colour="red")


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1200.50", "1200.50"),
        (1200.5, "1200.50"),
        (7, "7.00"),
        (" 3.1 ", "3.10"),
        ("9999999999999.99", "9999999999999.99"),
    ],
)
def test_an_amount_is_what_was_written(written: Any, amount: str) -> None:
    assert str(read(ReceivePayment, amount=written).amount) == amount


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("1.234", "decimal_max_places"),
        (0.001, "decimal_max_places"),
        ("-1", "greater_than"),
        ("0", "greater_than"),
        ("10000000000000", "decimal_whole_digits"),
        ("1e3", "decimal_parsing"),
        ("NaN", "decimal_parsing"),
        ("１２", "decimal_parsing"),
        ("1,200", "decimal_parsing"),
        ("", "decimal_parsing"),
        (True, "decimal_type"),
        (None, "decimal_type"),
        (["1"], "decimal_type"),
        (float("inf"), "finite_number"),
        (1e300, "decimal_max_digits"),
    ],
)
def test_an_amount_is_refused(written: Any, fault: str) -> None:
    assert faults(ReceivePayment, amount=written) == [(fault, ("amount",))]


def test_an_unknown_amount_is_null_and_an_exponent_is_written_out() -> None:
    assert read(ReviseAmount, amount=None).amount is None
    assert str(ReviseAmount(amount=Decimal("1E+3")).amount) == "1000.00"
    assert str(ReviseAmount(amount=Decimal("-0")).amount) == "0.00"


def test_a_currency_is_one_of_iso_4217() -> None:
    assert read(ReceivePayment, amount="1", currency="usd").currency == "USD"
    for unknown in ("XXX", "RMB", "人民币", "US"):
        assert faults(ReceivePayment, amount="1", currency=unknown) == [("unknown-currency", ("currency",))]
    assert faults(ReceivePayment, amount="1", currency=5) == [("string_type", ("currency",))]


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("2026-02-30", "date_parsing"),
        ("2026-2-3", "date_parsing"),
        ("20260203", "date_parsing"),
        ("2026-W05-1", "date_parsing"),
        ("2026-02-03T00:00:00Z", "date_parsing"),
        ("", "date_parsing"),
        (1_700_000_000, "date_type"),
        ("0001-01-01", "greater_than_equal"),
        ("9999-12-31", "less_than_equal"),
    ],
)
def test_a_day_that_is_none_is_refused(written: Any, fault: str) -> None:
    assert faults(IssueReceivable, amount="1", due_on=written) == [(fault, ("due_on",))]


def test_a_day_is_not_a_moment_for_an_import_either() -> None:
    with pytest.raises(ValidationError):
        IssueReceivable(amount=Decimal(1), due_on=datetime(2026, 1, 1, tzinfo=UTC))
    assert IssueReceivable(amount=Decimal(1), due_on=date(2026, 1, 1)).due_on == date(2026, 1, 1)


def test_a_moment_says_its_offset() -> None:
    shanghai = timezone(timedelta(hours=8))
    moment = read(LogFollowUp, method="phone", occurred_at="2026-01-31T09:30:00+08:00").occurred_at
    assert moment == datetime(2026, 1, 31, 9, 30, tzinfo=shanghai)
    assert read(LogFollowUp, method="phone", occurred_at="2026-01-31t09:30z").occurred_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("2026-01-31T09:30:00", "timezone_aware"),
        ("2026-01-31", "datetime_parsing"),
        ("2026-01-31T25:00:00Z", "datetime_parsing"),
        ("yesterday", "datetime_parsing"),
        (1_700_000_000, "datetime_type"),
        ("0001-01-01T00:00:00+14:00", "greater_than_equal"),
        ("9999-12-31T23:59:59-12:00", "less_than_equal"),
    ],
)
def test_a_moment_that_is_none_is_refused(written: Any, fault: str) -> None:
    assert faults(LogFollowUp, method="phone", occurred_at=written) == [(fault, ("occurred_at",))]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("13812345678", "13812345678"),
        ("138-1234 5678", "13812345678"),
        ("+86 13812345678", "13812345678"),
        ("008613812345678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("+852 9123 4567", "+85291234567"),
        ("+1 202 555 0123", "+12025550123"),
    ],
)
def test_a_mobile_number_is_kept_in_one_form_dat_2_dat_3(written: str, kept: str) -> None:
    assert read(AddContact, name="x", mobile=written).mobile == kept
    assert read(AddContact, name="x", phone=written).phone == kept


@pytest.mark.parametrize(
    "written", ["1381234567", "138123456789", "12345678901", "138****5678", "5678", "139", "+999123456", "abc"]
)
def test_a_mobile_number_without_11_digits_is_refused_dat_2(written: str) -> None:
    assert faults(AddContact, name="x", mobile=written) == [("unfit-mobile", ("mobile",))]
    assert faults(AddContact, name="x", phone=written) == [("unfit-phone", ("phone",))]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("010-62345678", "+861062345678"),
        ("(0755) 8612 3456 转 12", "+8675586123456;ext=12"),
        ("400-810-8888", "+864008108888"),
    ],
)
def test_a_landline_passes_as_a_phone_but_is_no_mobile(written: str, kept: str) -> None:
    assert read(ReviseProfile, phone=written).phone == kept
    assert faults(AddContact, name="x", mobile=written) == [("unfit-mobile", ("mobile",))]


def test_an_e_mail_address_is_one() -> None:
    assert read(AddContact, name="x", email="Wang@Example.com").email == "Wang@example.com"
    for unfit in ("lisiabc", "a@", "@b.com", "a b@example.com", "a@b"):
        assert faults(AddContact, name="x", email=unfit) == [("unfit-email", ("email",))]


def test_a_text_is_tidied_and_composed() -> None:
    assert read(Tag, tag="  高预算 ").tag == "高预算"
    assert read(Tag, tag="cafe\u0301").tag == "café"
    assert read(LogFollowUp, method="phone", content="a\r\nb\rc").content == "a\nb\nc"


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("", "text-blank"),
        (" \u3000 ", "text-blank"),
        ("a\0b", "text-nul"),
        ("a\x07b", "text-control"),
        ("a\nb", "text-control"),
        ("x" * 51, "string_too_long"),
        (5, "string_type"),
        (None, "string_type"),
    ],
)
def test_a_text_is_refused(written: Any, fault: str) -> None:
    assert faults(Tag, tag=written) == [(fault, ("tag",))]


def test_half_a_character_is_refused_however_it_comes_in() -> None:
    with pytest.raises(ValidationError) as refused:
        Tag(tag="a\ud800")
    assert [found["type"] for found in refused.value.errors()] == ["text-surrogate"]


def test_a_long_text_has_an_end() -> None:
    assert faults(LogFollowUp, method="phone", content="长" * 10_001) == [("string_too_long", ("content",))]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("phone", "phone"),
        ("电话", "phone"),
        ("电话沟通", "phone"),
        ("现场跟进", "on_site"),
        ("WeChat", "wechat"),
        ("其他", "other"),
    ],
)
def test_a_choice_is_made_by_key_or_name_fup_3_fup_6(written: str, key: str) -> None:
    assert read(LogFollowUp, method=written).method == key


def test_an_unknown_choice_is_told_what_there_is() -> None:
    with pytest.raises(ValidationError) as refused:
        read(LogFollowUp, method="telepathy")
    (found,) = refused.value.errors()
    assert (found["type"], found["loc"]) == ("unknown-choice", ("method",))
    assert "on_site" in found["ctx"]["accepted"]
    assert faults(LogFollowUp, method=7) == [("enum", ("method",))]


def test_progress_is_a_whole_number_from_0_to_100_fup_6() -> None:
    assert read(LogFollowUp, method="phone", progress=100).progress == 100
    for progress, fault in (
        (101, "less_than_equal"),
        (-1, "greater_than_equal"),
        (45.5, "int_type"),
        ("45", "int_type"),
    ):
        assert faults(LogFollowUp, method="phone", progress=progress) == [(fault, ("progress",))]


def test_a_source_is_a_known_one_or_ones_own_cus_7() -> None:
    assert read(ReviseProfile, lead_source="行业展会推荐").lead_source == "exhibition"
    assert read(ReviseProfile, lead_source="抖音").lead_source == "抖音"


def test_a_number_of_another_system_keeps_its_zeros_cus_8() -> None:
    assert read(IssueReceivable, amount="1", invoice_no="0000611365").invoice_no == "0000611365"
    assert faults(IssueReceivable, amount="1", invoice_no=611365) == [("string_type", ("invoice_no",))]


def test_a_fault_inside_a_list_says_where() -> None:
    contacts = [{"name": "ok"}, {"name": "x", "mobile": "5678", "sex": "f"}]
    assert faults(RegisterCustomer, kind="company", name="x", contacts=contacts) == [
        ("unfit-mobile", ("contacts", 1, "mobile")),
        ("extra_forbidden", ("contacts", 1, "sex")),
    ]


def test_what_is_needed_is_asked_for() -> None:
    assert faults(RegisterCustomer) == [("missing", ("name",)), ("missing", ("kind",))]
    assert faults(OpenOpportunity) == [("missing", ("name",))]


def test_a_time_zone_is_one_there_is() -> None:
    assert read(ConfigureWorkspace, time_zone="Europe/Berlin").time_zone == "Europe/Berlin"
    for unknown in ("Mars/Base", "../etc/passwd", "UTC+8"):
        assert faults(ConfigureWorkspace, time_zone=unknown) == [("unknown-time-zone", ("time_zone",))]
    assert faults(ConfigureWorkspace, code_prefix="c1") == [("string_pattern_mismatch", ("code_prefix",))]
    assert faults(ConfigureWorkspace, code_width=2) == [("greater_than_equal", ("code_width",))]


def test_a_stage_has_a_plain_key() -> None:
    stage = {"key": "报价", "zh": "报价", "en": "Offer"}
    assert ("string_pattern_mismatch", ("stages", 0, "key")) in faults(DefinePipeline, name="x", stages=[stage])
    assert faults(DefinePipeline, name="x", stages=[]) == [("too_short", ("stages",))]


@pytest.mark.parametrize("kind", choices(), ids=lambda kind: kind.__name__)
def test_no_two_choices_of_a_list_are_spelt_alike(kind: Any) -> None:
    spellings = [spelling for choice in kind for spelling in choice.spellings]
    assert len(spellings) == len(set(spellings))
    assert all(choice.zh and choice.en and kind.meant_by(choice.zh) is choice for choice in kind)
