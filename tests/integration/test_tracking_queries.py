"""The tracking table asked: what is due, overdue and marked on a day; filters, search and pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from aggregates.customer import Customer
from aggregates.opportunity import Opportunity
from aggregates.receivable import Receivable
from folded import tables_of
from happenings import Happenings
from ledger.sealing import Keyring
from projections.engine.lists.query import Filter, Query
from projections.engine.lists.refused import QueryRefused
from projections.tracking import Tracking
from projections.tracking.finding import MANY
from projections.tracking.queries import due, one, page, won_customers
from recorded import recorded

TODAY = date(2026, 3, 10)
KEYRING = Keyring(None, bytes(32))


@contextmanager
def tracking_of(server: str, story: Happenings) -> Iterator[psycopg.Connection[Any]]:
    with tables_of(server, Tracking, recorded(story.events, KEYRING), KEYRING) as connection:
        yield connection


def spoke(story: Happenings, customer: UUID, day: str, **said: Any) -> None:
    at = datetime.fromisoformat(f"{day}T10:00+08:00").astimezone(UTC)
    story.happens(
        Customer.FollowUpLogged, customer, **{"follow_up_id": uuid4(), "occurred_at": at, "method": "phone"} | said
    )


def codes(connection: psycopg.Connection[Any], *filters: str, on: date = TODAY, **query: Any) -> list[str]:
    asked = tuple(Filter(*part.replace("]=", "[").split("[", 2)) for part in filters)
    return [item["code"] for item in page(connection, Query(filters=asked, **query), on).items]


def flags(connection: psycopg.Connection[Any], customer: UUID, on: date = TODAY) -> set[str]:
    row = one(connection, customer, on)
    assert row is not None
    return set(row["flags"])


def test_a_row_shows_everything_of_a_salespersons_sheet(server: str) -> None:
    """CUS-2, CUS-3, CUS-4, CUS-6, CUS-11 (its six groups of fields), FUP-7."""
    story = Happenings().on("2026-03-02")
    team = story.team("华东一组", "East")
    owner = story.member("张三", team)
    customer = story.customer(
        "科技有限公司", code="C202603001", industry="互联网", lead_source="referral", owner_id=owner, need="扩容",
        first_contact_on=date(2026, 3, 1),
    )  # fmt: skip
    story.happens(
        Customer.ContactAdded, customer, contact_id=uuid4(), name="王经理", mobile="13800005678", is_main=True
    )
    follower = story.member("李四", team)
    spoke(
        story, customer, "2026-03-02", subject="报价", progress=45, next_contact_on=date(2026, 3, 9),
        follower_id=follower,
    )  # fmt: skip
    story.opportunity(customer, "2026-03-01", "500000")
    story.opportunity(customer, "2026-03-01", "20", currency="USD")
    story.issued(customer, "1000.50", "2026-02-01", "2026-03-05")
    story.happens(Customer.Tagged, customer, tag="高预算")
    with tracking_of(server, story) as connection:
        row = one(connection, customer, TODAY)
    assert row is not None
    shown = {name: row[name] for name in (
        "code", "name", "industry", "source", "owner", "team", "team_region", "need", "contact_name", "contact_mobile",
        "last_follower", "last_subject", "last_progress", "follow_ups", "next_contact_on", "open_opportunities",
        "open_amount", "open_balance", "overdue_balance", "tags", "first_contact_on", "version",
    )}  # fmt: skip
    assert shown == {
        "code": "C202603001",
        "name": "科技有限公司",
        "industry": "互联网",
        "source": "referral",
        "owner": "张三",
        "team": "华东一组",
        "team_region": "East",
        "need": "扩容",
        "contact_name": "王经理",
        "contact_mobile": "13800005678",
        "last_follower": "李四",
        "last_subject": "报价",
        "last_progress": 45,
        "follow_ups": 1,
        "next_contact_on": date(2026, 3, 9),
        "open_opportunities": 2,
        "open_amount": {"CNY": "500000.00", "USD": "20.00"},
        "open_balance": {"CNY": "1000.50"},
        "overdue_balance": {"CNY": "1000.50"},
        "tags": ["高预算"],
        "first_contact_on": date(2026, 3, 1),
        "version": 4,
    }
    assert row["last_follower_id"] == follower
    assert row["registered_at"].date() == row["updated_at"].date() == date(2026, 3, 2)
    assert set(row["flags"]) == {"overdue_contact", "payment_overdue", "no_follow_up_long"}
    assert row["style"] == {"colour": None, "light": False, "strikethrough": False}


def test_due_and_overdue_depend_on_the_day_asked_for(server: str) -> None:
    """REM-11, DESIGN: `on` is the today of these columns."""
    story = Happenings().on("2026-03-02")
    customer = story.customer()
    spoke(story, customer, "2026-03-02", next_contact_on=date(2026, 3, 8))
    with tracking_of(server, story) as connection:
        assert flags(connection, customer, date(2026, 3, 7)) == set()
        assert flags(connection, customer, date(2026, 3, 8)) == {"due_today"}
        assert flags(connection, customer, date(2026, 3, 9)) == {"overdue_contact"}
        assert flags(connection, customer, date(2026, 3, 10)) == {"overdue_contact", "no_follow_up_long"}


def test_an_overdue_balance_is_that_of_the_day_and_each_currency_stands_alone(server: str) -> None:
    story = Happenings().on("2026-03-02")
    customer = story.customer()
    invoice = story.issued(customer, "1500", "2026-01-01", "2026-01-31")
    story.paid(invoice, "500", "2026-02-01")
    story.issued(customer, "70", "2026-01-01", "2026-03-09", currency="USD")
    story.issued(customer, "30", "2026-01-01", "2026-03-10")
    with tracking_of(server, story) as connection:
        days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 10), date(2026, 3, 11)]
        found = [(one(connection, customer, day) or {})["overdue_balance"] for day in days]
    assert found == [{}, {"CNY": "1000.00"}, {"CNY": "1000.00", "USD": "70.00"}, {"CNY": "1030.00", "USD": "70.00"}]


@pytest.mark.parametrize(
    ("events", "flag", "style"),
    [
        ([(Customer.IntentSet, {"intent": "none", "call_back": 1})], "intent_none", (None, True)),
        ([(Customer.IntentSet, {"intent": "yes", "call_back": 1})], "intent_yes", ("red", False)),
        ([(Customer.IntentSet, {"intent": "pending", "call_back": 1})], "intent_pending", ("blue", False)),
        ([(Customer.LifecycleMoved, {"lifecycle": "won", "occurred_on": TODAY})], "won", ("green", False)),
        ([(Customer.LifecycleMoved, {"lifecycle": "churned", "occurred_on": TODAY})], "churned", (None, False)),
        ([(Customer.Archived, {})], "archived", (None, False)),
        (
            [
                (Customer.IntentSet, {"intent": "none", "call_back": 1}),
                (Customer.LifecycleMoved, {"lifecycle": "won", "occurred_on": TODAY}),
            ],
            "intent_none",
            ("green", False),
        ),
    ],
)
def test_marks_and_colours(server: str, events: Any, flag: str, style: tuple[str | None, bool]) -> None:
    """LIF-4, LIF-5, LIF-8, DAT-6, CATALOGUE 19.11."""
    story = Happenings().on("2026-03-10")
    customer = story.customer()
    for event_class, body in events:
        story.happens(event_class, customer, **body)
    with tracking_of(server, story) as connection:
        row = one(connection, customer, TODAY)
    assert row is not None
    assert flag in row["flags"]
    assert row["style"] == {"colour": style[0], "light": style[1], "strikethrough": style[1]}


def test_the_final_payment_and_a_dispute_show(server: str) -> None:
    """LIF-6: light blue after the final payment; LIF-8: a problem order."""
    story = Happenings().on("2026-03-10")
    customer = story.customer()
    first = story.issued(customer, "100", "2026-01-01", "2026-04-01")
    second = story.issued(customer, "900", "2026-01-01", "2026-04-01")
    story.paid(first, "100", "2026-03-01")
    with tracking_of(server, story) as connection:
        assert "final_paid" not in flags(connection, customer)
    story.paid(second, "900", "2026-03-02")
    with tracking_of(server, story) as connection:
        row = one(connection, customer, TODAY)
        assert row is not None
        assert (row["style"]["colour"], "final_paid" in row["flags"]) == ("light_blue", True)
    story.happens(Receivable.Disputed, second, occurred_on=TODAY)
    with tracking_of(server, story) as connection:
        assert {"problem_order", "final_paid"} <= flags(connection, customer)


def a_silent_customer(won_on: str = "2026-01-31", **tried: str) -> tuple[Happenings, UUID]:
    """Won on a day, then tried in vain on others; with `answered`, it answered on that day."""
    story = Happenings().on("2026-01-31")
    customer = story.customer()
    story.happens(Customer.LifecycleMoved, customer, lifecycle="won", occurred_on=date.fromisoformat(won_on))
    if "answered" in tried:
        spoke(story, customer, tried["answered"])
    spoke(story, customer, tried.get("last", "2026-03-01"), answered=False)
    return story, customer


def suspected(server: str, story: Happenings, customer: UUID) -> list[date]:
    """Those of a few days on which churn is suspected."""
    days = [date(2026, 4, 29), date(2026, 4, 30), date(2026, 6, 14), date(2026, 6, 15), date(2026, 8, 1)]
    with tracking_of(server, story) as connection:
        return [day for day in days if "churn_suspected" in flags(connection, customer, day)]


def test_churn_is_suspected_after_three_months_without_business_and_answer(server: str) -> None:
    """LIF-2, CATALOGUE 19.5: calendar months, so that 31 January is three months ago on 30 April."""
    story, customer = a_silent_customer()
    with tracking_of(server, story) as connection:
        assert codes(connection, "churn_suspected[eq]=true", on=date(2026, 4, 29)) == []
        assert codes(connection, "churn_suspected[eq]=true", on=date(2026, 4, 30)) == ["C0000"]
    late = [date(2026, 6, 15), date(2026, 8, 1)]
    assert suspected(server, story, customer) == [date(2026, 4, 30), date(2026, 6, 14), *late]
    assert suspected(server, *a_silent_customer(answered="2026-03-15", last="2026-04-01")) == late
    assert suspected(server, *a_silent_customer(last="2026-01-31")) == [], "nobody tried since"


@pytest.mark.parametrize("business", ["payment", "opportunity", "follow-up"])
def test_a_payment_or_a_deal_ends_the_suspicion_unless_it_goes_back(server: str, business: str) -> None:
    """LIF-2: without cooperation; what was reversed or reopened was none."""
    story, customer = a_silent_customer(last="2026-04-01")
    if business == "payment":
        invoice = story.issued(customer, "100", "2026-01-01", "2026-04-01")
        payment = story.paid(invoice, "100", "2026-03-15")
    elif business == "opportunity":
        deal = story.opportunity(customer, "2026-01-01", "100")
        story.won(deal, "100", "2026-03-15")
    else:
        spoke(story, customer, "2026-01-15", result="won", deal_on=date(2026, 3, 15))
    late = [date(2026, 6, 15), date(2026, 8, 1)]
    assert suspected(server, story, customer) == late
    if business == "payment":
        story.reversed(invoice, payment, "100", "2026-03-16")
    elif business == "opportunity":
        story.happens(Opportunity.Reopened, deal, stage="lead", occurred_on=None)
    else:
        return
    assert suspected(server, story, customer) == [date(2026, 4, 30), date(2026, 6, 14), *late]


def test_a_customer_put_away_or_lost_already_is_not_suspected(server: str) -> None:
    """LIF-2: only who is won can be lost."""
    story, customer = a_silent_customer()
    story.happens(Customer.Archived, customer)
    assert suspected(server, story, customer) == []
    story, customer = a_silent_customer()
    story.happens(Customer.LifecycleMoved, customer, lifecycle="churned", occurred_on=TODAY, churn_reason="x")
    assert suspected(server, story, customer) == []


def test_who_was_entered_as_won_counts_from_the_day_of_entry(server: str) -> None:
    """LIF-2."""
    story = Happenings().on("2026-03-15")
    customer = story.customer(lifecycle="won")
    spoke(story, customer, "2026-04-01", answered=False)
    assert suspected(server, story, customer) == [date(2026, 6, 15), date(2026, 8, 1)]


def test_customers_are_told_apart_by_their_stage(server: str) -> None:
    """LIF-9: potential, interested and won customers are marketed to differently, so each can be listed by itself."""
    story = Happenings().on("2026-03-10")
    for lifecycle in ("potential", "interested", "won", "churned"):
        story.customer(code=lifecycle, lifecycle=lifecycle)
    with tracking_of(server, story) as connection:
        assert codes(connection, "lifecycle[eq]=interested") == ["interested"]
        assert set(codes(connection, "lifecycle[in]=potential,won")) == {"potential", "won"}


def test_customers_are_sorted_by_deals_and_told_apart_by_class_and_label(server: str) -> None:
    """CUS-15: class, label, amount and number of purchases; CUS-12: region and what was bought."""
    story = Happenings().on("2026-03-10")
    for code, category, tag, deals in (("few", "hot", "a", 1), ("many", "existing", "b", 3)):
        customer = story.customer(code=code, category=category, region="华东")
        story.happens(Customer.Tagged, customer, tag=tag)
        for _ in range(deals):
            story.won(story.opportunity(customer, "2026-01-01", "10"), "10", "2026-02-01")
    with tracking_of(server, story) as connection:
        found = page(connection, Query(sort="-won_opportunities"), TODAY).items
        assert [(row["code"], row["won_opportunities"], row["won_amount"], row["region"]) for row in found] == [
            ("many", 3, {"CNY": "30.00"}, "华东"),
            ("few", 1, {"CNY": "10.00"}, "华东"),
        ]
        assert codes(connection, "category[eq]=hot") == codes(connection, "tags[contains]=a") == ["few"]


def a_team_of_customers() -> tuple[Happenings, UUID]:
    story = Happenings().on("2026-03-02")
    team = story.team("华东一组", "East")
    owner = story.member("张三", team)
    profiles: list[tuple[str, str, dict[str, Any]]] = [
        ("A1", "重庆长城音乐有限公司", {"owner_id": owner, "lifecycle": "won", "region": "西南"}),
        ("A2", "北京科技有限公司", {"owner_id": owner, "lead_source": "referral", "region": "华北"}),
        ("A3", "上海贸易公司", {"lifecycle": "interested", "tier": "quality"}),
        ("A4", "Acme Ltd", {"legacy_code": "OLD-77", "category": "hot"}),
    ]
    for code, name, more in profiles:
        customer = story.customer(name, code=code, **more)
        if code != "A4":
            spoke(story, customer, f"2026-03-0{code[1]}", next_contact_on=date(2026, 3, 12 - int(code[1])))
    return story, owner


def test_filters_combine_and_sorting_puts_names_in_pinyin_order(server: str) -> None:
    """DAT-4, RPT-6."""
    story, owner = a_team_of_customers()
    with tracking_of(server, story) as connection:
        assert codes(connection) == ["A3", "A2", "A1", "A4"], "the last spoken with first, those never at the end"
        assert codes(connection, sort="last_followed_up_at") == ["A4", "A1", "A2", "A3"]
        assert codes(connection, sort="name") == ["A4", "A2", "A1", "A3"]
        assert codes(connection, sort="-name") == ["A3", "A1", "A2", "A4"]
        assert codes(connection, sort="next_contact_on") == ["A3", "A2", "A1", "A4"]
        assert codes(connection, f"owner_id[eq]={owner}", sort="code") == ["A1", "A2"]
        assert codes(connection, "team[eq]=华东一组", "lifecycle[ne]=won") == ["A2"]
        assert codes(connection, "lifecycle[in]=won,interested", sort="code") == ["A1", "A3"]
        assert codes(connection, "owner_id[isnull]=true", sort="code") == ["A3", "A4"]
        assert codes(connection, "tier[eq]=quality") == ["A3"]
        assert codes(connection, "source[eq]=referral") == ["A2"]
        assert codes(connection, "name[contains]=公司", sort="code") == ["A1", "A2", "A3"]
        assert codes(connection, "due_today[eq]=true") == ["A2"]
        assert codes(connection, "flags[contains]=overdue_contact") == ["A3"]
        assert codes(connection, "overdue_contact[eq]=false", sort="code") == ["A1", "A2", "A4"]
        assert codes(connection, "last_followed_up_at[lt]=2026-03-02T00:00:00+08:00") == ["A1"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("长城", ["A1"]), ("长城音", ["A1"]), ("公司", ["A1", "A2", "A3"]), ("chongqing", ["A1"]), ("cqcc", ["A1"]),
        ("bj", ["A2"]), ("贸", ["A3"]), ("ACME", ["A4"]), ("ａｃｍｅ ltd", ["A4"]), ("old-7", ["A4"]), ("a3", ["A3"]),
        ("%", []), ("_", []), ("王小", []), ("城长", []), ("公司音乐", []),
    ],
)  # fmt: skip
def test_search_finds_any_part_however_it_is_typed(server: str, words: str, found: list[str]) -> None:
    """DAT-4: part of a name in Chinese, pinyin, initials, a code; nothing else."""
    story, _ = a_team_of_customers()
    with tracking_of(server, story) as connection:
        assert codes(connection, q=words, sort="code") == found


def test_amounts_are_compared_in_the_workspaces_currency_and_never_added_to_others(server: str) -> None:
    story = Happenings().on("2026-03-02")
    for code, yuan, dollars in (("A1", "300", None), ("A2", "70", "900"), ("A3", None, "9999"), ("A4", None, None)):
        customer = story.customer(code, code=code)
        for amount, currency in ((yuan, "CNY"), (dollars, "USD")):
            if amount is not None:
                story.issued(customer, amount, "2026-01-01", "2026-01-31", currency=currency)
                story.opportunity(customer, "2026-01-01", amount, currency=currency)
                deal = story.opportunity(customer, "2026-01-01", None, currency=currency)
                story.won(deal, amount, "2026-02-01", currency)
    names = ("open_balance", "overdue_balance", "open_amount", "won_amount")
    with tracking_of(server, story) as connection:
        for name in names:
            assert codes(connection, f"{name}[gte]=70", sort=f"-{name}") == ["A1", "A2"]
            assert codes(connection, f"{name}[eq]=0", sort="code") == ["A3", "A4"]
            asked = Query(sort=f"-{name},code", limit=1)
            first = page(connection, asked, TODAY)
            rest = page(connection, replace(asked, limit=3, cursor=first.next), TODAY)
            assert [row["code"] for row in (*first.items, *rest.items)] == ["A1", "A2", "A3", "A4"]
        assert codes(connection, "overdue_balance[gt]=0", on=date(2026, 1, 31)) == []
    story.time_zone("Asia/Shanghai", currency="USD")
    with tracking_of(server, story) as connection:
        for name in names:
            assert codes(connection, f"{name}[gt]=0", sort=f"-{name}") == ["A3", "A2"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("13800005678", ["A1"]), ("138-0000 5678", ["A1"]), ("00005678", ["A1"]), ("+86 138 0000 5678", ["A1"]),
        ("（021）5555-6666", ["A2"]), ("55566", ["A2"]), ("5556", []), ("1380000567x", []), ("13999998888", []),
    ],
)  # fmt: skip
def test_five_digits_or_more_find_a_telephone_number(server: str, words: str, found: list[str]) -> None:
    story = Happenings()
    customer = story.customer("Acme", code="A1", phone="13999998888")
    story.happens(
        Customer.ContactAdded, customer, contact_id=uuid4(), name="王经理", mobile="+8613800005678", is_main=True
    )
    story.happens(Customer.ProfileRevised, customer, changed=("phone",), phone=None)
    story.customer("Globex", code="A2", phone="+862155556666")
    with tracking_of(server, story) as connection:
        assert codes(connection, q=words) == found


def test_a_contact_is_found_and_no_longer_once_removed(server: str) -> None:
    story, contact = Happenings(), uuid4()
    customer = story.customer("Acme", code="A1")
    story.happens(Customer.ContactAdded, customer, contact_id=contact, name="曾国藩", is_main=True)
    with tracking_of(server, story) as connection:
        assert [codes(connection, q=words) for words in ("国藩", "zengguo", "zgf")] == [["A1"]] * 3
    story.happens(Customer.ContactRemoved, customer, contact_id=contact)
    with tracking_of(server, story) as connection:
        assert codes(connection, q="国藩") == []


def test_search_and_filter_and_pages_together_meet_every_customer_once(server: str) -> None:
    story = Happenings()
    for number in range(23):
        story.customer(f"科技{number}公司", code=f"B{number:02}", lifecycle="won" if number % 2 else "potential")
    with tracking_of(server, story) as connection:
        seen: list[str] = []
        query = Query(filters=(Filter("lifecycle", "eq", "won"),), q="科技", sort="-code", limit=4, include_total=True)
        while True:
            found = page(connection, query, TODAY)
            seen += [item["code"] for item in found.items]
            assert found.total == 11
            if found.next is None:
                break
            query = Query(**{**vars(query), "cursor": found.next})
        assert seen == sorted((f"B{number:02}" for number in range(23) if number % 2), reverse=True)
        with pytest.raises(QueryRefused):
            page(connection, Query(**{**vars(query), "q": "公司"}), TODAY)


def test_a_word_that_very_many_names_have_is_found_along_the_order_of_the_page(server: str) -> None:
    story = Happenings()
    for number in range(MANY + 50):
        story.customer(f"公司{number}", code=f"B{number:05}")
    story.customer("别的", code="X1")
    with tracking_of(server, story) as connection:
        assert codes(connection, q="公司", sort="code", limit=3) == ["B00000", "B00001", "B00002"]
        assert page(connection, Query(q="公司", include_total=True), TODAY).total == MANY + 50
        assert codes(connection, q="别的") == ["X1"]
        assert due(connection, Query(q="公司"), TODAY).items == []


def test_whom_to_contact_the_most_overdue_first_without_those_put_away(server: str) -> None:
    """REM-2, REM-11, REM-12."""
    story, _ = a_team_of_customers()
    archived = story.customer(code="A5")
    spoke(story, archived, "2026-03-01", next_contact_on=date(2026, 3, 5))
    story.happens(Customer.Archived, archived)
    with tracking_of(server, story) as connection:
        assert [item["code"] for item in due(connection, Query(), TODAY).items] == ["A3", "A2"]
        assert [item["code"] for item in due(connection, Query(sort="-next_contact_on"), TODAY).items] == ["A2", "A3"]
        assert due(connection, Query(), date(2026, 3, 8)).items == []


def test_an_unknown_field_is_refused_also_with_a_search(server: str) -> None:
    with tracking_of(server, Happenings()) as connection:
        for query in (
            Query(filters=(Filter("nonsense", "eq", "1"),)),
            Query(sort="notes", q="公司"),
            Query(q="x" * 500),
            Query(filters=(Filter("lifecycle", "eq", "nonsense"),)),
        ):
            with pytest.raises(QueryRefused):
                page(connection, query, TODAY)


def test_nobody_has_the_row_of_an_unknown_customer(server: str) -> None:
    with tracking_of(server, Happenings()) as connection:
        assert one(connection, uuid4(), TODAY) is None


SHEET = """
A001 ordinary 02-01 on_site 45 hesitating won 02-02
A002 quality 03-02 wechat 85 hesitating won 03-02
A003 ordinary 04-03 phone 65 determined won 04-04
A004 quality 04-04 on_site 75 determined won 04-05
A005 ordinary 04-05 other 95 hesitating not_won 04-06
A006 quality 04-06 other 35 determined won 04-07
A007 ordinary 04-07 other 25 hesitating won 04-08
A008 super_vip 04-08 other 75 hesitating won 04-09
A009 super_vip 04-09 other 88 hesitating won 04-10
A010 - 04-10 other 36 determined won 04-11
A011 - 04-11 other 100 - not_won 04-12
A012 - 04-12 other 45 - won 04-13
A013 - 04-13 other 45 - - 04-14
A014 - 04-14 other 45 - - 04-15
A015 - 04-15 other 45 - - 04-16
"""


def test_customers_won_in_a_window_as_the_statistics_sheet_counts_them(server: str) -> None:
    """FUP-6, RPT-13, CATALOGUE 20: 10 customers won from 2020-02-01 to 2020-04-25."""
    story = Happenings().on("2020-04-26")
    owner, follower = story.member("业务员1"), story.member("业务员2")
    for line in SHEET.strip().splitlines():
        code, tier, day, method, progress, intent, result, deal = (
            None if word == "-" else word for word in line.split()
        )
        customer = story.customer(f"客户{code}", code=f"C{code}", legacy_code=code, tier=tier, owner_id=owner)
        for _ in range(2 if code == "A001" else 1):
            spoke(
                story, customer, f"2020-{day}", method=method, progress=int(progress or 0), intent=intent,
                result=result, deal_on=date.fromisoformat(f"2020-{deal}"), follower_id=follower,
            )  # fmt: skip
    with tracking_of(server, story) as connection:
        found = won_customers(connection, date(2020, 2, 1), date(2020, 4, 25))
        assert found["count"] == len(found["customers"]) == 10
        assert [customer["legacy_code"] for customer in found["customers"]] == [
            "A001", "A002", "A003", "A004", "A006", "A007", "A008", "A009", "A010", "A012",
        ]  # fmt: skip
        made_by = {(customer["follower_id"], customer["follower"]) for customer in found["customers"]}
        assert made_by == {(follower, "业务员2")}
        assert {customer["owner"] for customer in found["customers"]} == {"业务员1"}
        assert won_customers(connection, date(2020, 2, 2), date(2020, 2, 2))["count"] == 1
        assert won_customers(connection, date(2020, 2, 3), date(2020, 3, 1))["count"] == 0
        assert won_customers(connection, date(2020, 4, 12), date(2020, 4, 12))["count"] == 0
