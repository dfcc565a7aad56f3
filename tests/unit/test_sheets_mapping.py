"""A row becomes commands, field by field as the profile says, or refusals that name its cells."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from commands.customers import LogFollowUp, RegisterCustomer
from commands.opportunities import LoseOpportunity, OpenOpportunity, WinOpportunity
from commands.receivables import DisputeReceivable, IssueReceivable, ReceivePayment, SettleDispute
from sheets.mapping.plan import Planned, Planner
from sheets.mapping.remarks import Remarks
from sheets.opening import load
from sheets.profile import Profile
from sheets.reading import Refusal, Row

MAVEN, IBM, SHEET = load("maven-pipeline"), load("ibm-receivables"), load("followup-sheet")
DEAL = {
    "opportunity_id": "1C1I7A6R",
    "sales_agent": "Moses Frase",
    "product": "GTXPro",
    "account": "Cancity",
    "deal_stage": "Won",
    "engage_date": "2016-10-20",
    "close_date": "2017-03-01",
    "close_value": "1054",
}
INVOICE = {
    "countryCode": "391",
    "customerID": "0379-NEVHP",
    "invoiceNumber": "0000611365",
    "InvoiceDate": "1/2/2013",
    "DueDate": "2/1/2013",
    "InvoiceAmount": "55.94",
    "Disputed": "Yes",
    "SettledDate": "1/15/2013",
}
FOLLOW_UP = {
    "编号": "A001",
    "姓名": "客户1",
    "客户类型": "一般客户",
    "跟进日期": "2020/2/1",
    "跟进方式": "现场跟进",
    "跟进进度": "45%",
    "客户意向": "有意向徘徊犹豫",
    "跟进结果": "成交",
    "成交日期": "2020/2/2",
    "业务员": "业务员1",
}


def plan(profile: Profile, record: str, cells: dict[str, str], remarks: Remarks | None = None) -> Any:
    """What a row becomes."""
    return Planner(profile, profile.record(record), remarks).plan(Row("file.csv", 7, cells))


def planned(profile: Profile, record: str, cells: dict[str, str]) -> Planned:
    """The same, of a row that is to be imported."""
    made = plan(profile, record, cells)
    assert isinstance(made, Planned), made
    return made


def refused(profile: Profile, record: str, cells: dict[str, str]) -> list[tuple[str, str | None, str | None]]:
    """Why a row is not to be imported."""
    made = plan(profile, record, cells)
    assert isinstance(made, list)
    assert all(isinstance(one, Refusal) and (one.file, one.line) == ("file.csv", 7) for one in made)
    return [(one.code, one.column, one.value) for one in made]


def commands(row: Planned) -> list[Any]:
    """The commands of a row."""
    return [step.command for step in row.steps]


def test_a_won_deal_is_opened_and_won_on_its_own_days() -> None:
    row = planned(MAVEN, "opportunities", DEAL)
    opened, won = commands(row)
    assert isinstance(opened, OpenOpportunity)
    assert isinstance(won, WinOpportunity)
    assert (opened.stage, opened.occurred_on, opened.amount, opened.flags) == (
        "Engaging",
        date(2016, 10, 20),
        None,
        (),
    )
    assert (won.amount, won.currency, won.occurred_on) == (Decimal(1054), "USD", date(2017, 3, 1))
    first, second = row.steps
    assert (first.to, first.new_id) == (MAVEN.id_of("customers", ("Cancity",)), row.id)
    assert (second.to, second.new_id) == (row.id, None)
    assert {reference.record for reference in row.references} == {"customers", "pipeline", "products", "members"}
    assert opened.product_id == MAVEN.id_of("products", ("GTX Pro",))


def test_a_lost_deal_says_that_no_reason_was_given() -> None:
    row = planned(MAVEN, "opportunities", DEAL | {"deal_stage": "Lost", "close_value": "0"})
    lost = commands(row)[1]
    assert isinstance(lost, LoseOpportunity)
    assert (lost.loss_reason, lost.occurred_on) == ("not recorded in the source", date(2017, 3, 1))


def test_a_prospect_without_account_has_no_date_and_a_flag() -> None:
    open_deal = {"deal_stage": "Prospecting", "account": "", "engage_date": "", "close_date": "", "close_value": ""}
    row = planned(MAVEN, "opportunities", DEAL | open_deal)
    (opened,) = commands(row)
    assert (opened.stage, opened.occurred_on, opened.flags) == ("Prospecting", None, ("no-account",))
    assert row.steps[0].to == MAVEN.id_of("no-account", ())


def test_notes_leave_out_what_the_row_does_not_say() -> None:
    account = {
        "account": "Bluth Company",
        "sector": "technolgy",
        "year_established": "1993",
        "revenue": "1242.32",
        "employees": "3027",
        "office_location": "Philipines",
        "subsidiary_of": "Acme Corporation",
    }
    (customer,) = commands(planned(MAVEN, "customers", account))
    assert isinstance(customer, RegisterCustomer)
    assert (customer.industry, customer.country, customer.company_size) == ("technolgy", "Philipines", "3027")
    assert customer.notes == ("established 1993; annual revenue 1242.32 million USD; subsidiary of Acme Corporation")
    (alone,) = commands(planned(MAVEN, "customers", account | {"subsidiary_of": "", "year_established": ""}))
    assert alone.notes == "annual revenue 1242.32 million USD"


def test_a_disputed_invoice_is_disputed_until_it_is_paid() -> None:
    row = planned(IBM, "invoices", INVOICE)
    issued, disputed, settled, paid = commands(row)
    assert isinstance(issued, IssueReceivable)
    assert isinstance(disputed, DisputeReceivable)
    assert isinstance(settled, SettleDispute)
    assert isinstance(paid, ReceivePayment)
    assert (issued.invoice_no, issued.amount, issued.due_on) == ("0000611365", Decimal("55.94"), date(2013, 2, 1))
    assert (disputed.occurred_on, settled.occurred_on, paid.occurred_on) == (
        date(2013, 1, 2),
        date(2013, 1, 15),
        date(2013, 1, 15),
    )


def test_an_invoice_that_is_not_settled_stays_open() -> None:
    row = planned(IBM, "invoices", INVOICE | {"SettledDate": ""})
    assert [type(command) for command in commands(row)] == [IssueReceivable, DisputeReceivable]


def test_a_follow_up_speaks_our_words() -> None:
    (logged,) = commands(planned(SHEET, "follow-ups", FOLLOW_UP))
    assert isinstance(logged, LogFollowUp)
    assert logged.occurred_at == datetime(2020, 2, 1, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert (logged.method, logged.progress, logged.intent, logged.result, logged.deal_on) == (
        "on_site",
        45,
        "hesitating",
        "won",
        date(2020, 2, 2),
    )
    (silent,) = commands(planned(SHEET, "follow-ups", FOLLOW_UP | {"跟进方式": "", "客户意向": "", "跟进结果": ""}))
    assert (silent.method, silent.intent, silent.result) == ("other", None, None)


def test_a_word_that_is_not_in_the_translation_is_refused_with_those_that_are() -> None:
    made = plan(SHEET, "follow-ups", FOLLOW_UP | {"跟进方式": "传真"})
    assert [(one.code, one.column, one.value, one.values) for one in made] == [
        ("not-one-of", "跟进方式", "传真", {"accepted": "现场跟进, 微信, 电话"})
    ]


def test_every_wrong_cell_of_a_row_is_named_at_once() -> None:
    wrong = {"InvoiceDate": "2/30/2013", "DueDate": "", "InvoiceAmount": "1,5", "Disputed": "?"}
    assert refused(IBM, "invoices", INVOICE | wrong) == [
        ("not-a-date", "InvoiceDate", "2/30/2013"),
        ("empty-cell", "DueDate", ""),
        ("not-a-number", "InvoiceAmount", "1,5"),
        ("not-one-of", "Disputed", "?"),
    ]


def test_what_a_command_does_not_take_is_told_by_its_column() -> None:
    assert refused(IBM, "invoices", INVOICE | {"InvoiceAmount": "1.005"})[0] == (
        "decimal_max_places",
        "InvoiceAmount",
        "1.005",
    )
    assert refused(MAVEN, "opportunities", DEAL | {"opportunity_id": "x" * 65})[0][:2] == (
        "string_too_long",
        "opportunity_id",
    )


def test_the_digest_changes_with_what_is_imported_and_with_nothing_else() -> None:
    row = planned(IBM, "invoices", INVOICE)
    assert planned(IBM, "invoices", INVOICE | {"DaysLate": "17"}).digest == row.digest
    assert planned(IBM, "invoices", INVOICE | {"InvoiceAmount": "55.95"}).digest != row.digest
    assert planned(IBM, "customers", INVOICE | {"InvoiceAmount": "1"}).digest == (
        planned(IBM, "customers", INVOICE).digest
    )


def test_what_was_corrected_or_looks_wrong_is_counted() -> None:
    remarks = Remarks()
    for _ in range(3):
        plan(MAVEN, "opportunities", DEAL, remarks)
    (remark,) = remarks.all()
    assert (remark.code, remark.column, remark.value, remark.count, remark.first_line, remark.values) == (
        "alias-applied",
        "product",
        "GTXPro",
        3,
        7,
        {"becomes": "GTX Pro"},
    )


def test_rows_that_say_nothing_of_a_record_make_none() -> None:
    assert plan(SHEET, "members", FOLLOW_UP | {"业务员": ""}) is None
