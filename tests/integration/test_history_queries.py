"""The history asked: sentences in both languages, before and after, filters and pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from aggregates.base import ImportedRow
from aggregates.customer import Customer
from aggregates.import_batch import ImportBatch
from aggregates.opportunity import Opportunity
from aggregates.receivable import Receivable
from folded import tables_of
from happenings import Happenings
from ledger.sealing import Keyring
from projections.history import History
from projections.history.queries import Asked, event, events, of_customer
from projections.history.records import Reading
from recorded import recorded

KEYRING = Keyring(None, bytes(32))


@contextmanager
def history_of(server: str, story: Happenings, keyring: Keyring = KEYRING) -> Iterator[psycopg.Connection[Any]]:
    with tables_of(server, History, recorded(story.events, keyring), keyring) as connection:
        yield connection


def sentences(connection: psycopg.Connection[Any], customer: UUID, lang: Any = "zh") -> list[str]:
    page = of_customer(Reading(connection, KEYRING), customer, lang=lang, newest_first=False)
    return [item["sentence"] for item in page.items]


def changes(connection: psycopg.Connection[Any], customer: UUID) -> list[dict[str, tuple[Any, Any]]]:
    page = of_customer(Reading(connection, KEYRING), customer, newest_first=False)
    return [{each["field"]: (each["before"], each["after"]) for each in item["changes"]} for item in page.items]


def a_story() -> tuple[Happenings, UUID]:
    story = Happenings().on("2026-03-02")
    story.pipeline()
    story.actor = f"member:{story.member('张三')}"
    other = story.member("李四")
    customer, contact = story.customer("科技有限公司", code="C202603001", industry="互联网"), uuid4()
    story.happens(Customer.ContactAdded, customer, contact_id=contact, name="王经理", title="技术负责人", is_main=True)
    story.happens(
        Customer.ContactRevised,
        customer,
        contact_id=contact,
        changed=("name", "mobile"),
        name="王总",
        mobile="13800005678",
    )
    story.happens(
        Customer.ProfileRevised, customer, changed=("industry", "phone", "notes"), industry="零售", phone="021-5555"
    )
    story.happens(Customer.OwnerAssigned, customer, owner_id=other)
    story.happens(
        Customer.LifecycleMoved,
        customer,
        lifecycle="interested",
        occurred_on=date(2026, 3, 1),
        basis="intent_expressed",
    )
    story.happens(
        Customer.FollowUpLogged,
        customer,
        follow_up_id=uuid4(),
        occurred_at=datetime(2026, 3, 2, 2, 30, tzinfo=UTC),
        method="phone",
        subject="报价",
        progress=45,
        intent="hesitating",
        answered=True,
        next_contact_on=date(2026, 3, 9),
    )
    opportunity = story.opportunity(customer, "2026-03-01", "500000", name="云服务器项目")
    story.advanced(opportunity, "proposal", "2026-03-02")
    story.won(opportunity, "480000", "2026-03-02")
    invoice = story.issued(customer, "1000", "2026-03-02", "2026-04-01", invoice_no="0012")
    story.paid(invoice, "400", "2026-03-02")
    story.happens(Receivable.DueDateMoved, invoice, due_on=date(2026, 5, 1))
    story.happens(Customer.ContactRemoved, customer, contact_id=contact)
    return story, customer  # fmt: skip


def test_each_event_is_told_in_chinese(server: str) -> None:
    """SEC-9, SVC-6: what happened with a customer, its opportunities and receivables included."""
    story, customer = a_story()
    with history_of(server, story) as connection:
        assert sentences(connection, customer) == [
            "张三登记了客户 C202603001 科技有限公司",
            "张三添加了联系人 王经理（技术负责人）",
            "张三修改了联系人 王经理：名称由「王经理」改为「王总」；手机设为「13800005678」",
            "张三修改了客户资料：行业由「互联网」改为「零售」；电话设为「021-5555」",
            "张三将负责人改为李四",
            "张三将客户状态由「潜在客户」改为「意向客户」（2026-03-01），依据：明确表达合作意向",
            "张三记录了跟进：电话，2026-03-02 10:30，主题：报价，进度 45%，意向：有意向徘徊犹豫，下次联系 2026-03-09",
            "张三新建了商机「云服务器项目」，阶段：线索，金额 500000 CNY",
            "张三将商机「云服务器项目」由「线索」推进到「方案」（2026-03-02）",
            "张三赢得了商机「云服务器项目」：480000 CNY（2026-03-02），此前阶段「方案」",
            "张三开出了应收款「0012」：1000 CNY，开票日期 2026-03-02，到期日 2026-04-01",
            "张三登记了应收款「0012」的回款 400 CNY（2026-03-02）",
            "张三将应收款「0012」的到期日由 2026-04-01 改为 2026-05-01",
            "张三移除了联系人 王总",
        ]


def test_whose_conversation_it_was_is_told_where_somebody_else_noted_it(server: str) -> None:
    """FUP-1, FUP-2, FUP-3, FUP-4: follower, participants and what it was about."""
    story = Happenings().on("2026-03-02")
    noting, speaking = story.member("张三"), story.member("李四")
    story.actor = f"member:{noting}"
    customer = story.customer("科技有限公司", code="C1")
    at = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
    said = {"occurred_at": at, "method": "meeting", "participants": "王经理、赵顾问", "interaction": "complaint"}
    for follower in (speaking, noting):
        story.happens(Customer.FollowUpLogged, customer, follow_up_id=uuid4(), follower_id=follower, **said)
    with history_of(server, story) as connection:
        zh, en = sentences(connection, customer), sentences(connection, customer, "en")
        items = of_customer(Reading(connection, KEYRING), customer, newest_first=False).items
    about = "参与人员：王经理、赵顾问，事务类型：客户投诉"
    assert zh[1] == f"张三记录了跟进：会议，2026-03-02 10:30，跟进人：李四，{about}"
    assert zh[2] == f"张三记录了跟进：会议，2026-03-02 10:30，{about}"
    assert en[1].startswith("张三 logged a follow-up: meeting, 2026-03-02 10:30, by 李四, participants: 王经理、赵顾问")
    shown = {change["label"]: change["after_shown"] for change in items[2]["changes"]}
    assert shown["跟进人"] == "张三"
    assert shown["事务类型"] == "客户投诉"


def test_each_event_is_told_in_english(server: str) -> None:
    story, customer = a_story()
    with history_of(server, story) as connection:
        told = sentences(connection, customer, "en")
    assert told[0] == "张三 registered the customer C202603001 科技有限公司"
    assert told[3] == "张三 changed the customer's profile: industry from “互联网” to “零售”; phone set to “021-5555”"
    assert told[5] == "张三 moved the customer from “potential” to “interested” (2026-03-01), because: intent expressed"
    assert told[8] == "张三 advanced the opportunity “云服务器项目” from “Lead” to “Proposal” (2026-03-02)"
    assert told[9] == "张三 won the opportunity “云服务器项目”: 480000 CNY (2026-03-02), from the stage “Proposal”"
    assert told[13] == "张三 removed the contact 王总"


def test_before_and_after_of_every_changed_field_personal_ones_too(server: str) -> None:
    story, customer = a_story()
    with history_of(server, story) as connection:
        told = changes(connection, customer)
    assert told[2] == {"name": ("王经理", "王总"), "mobile": (None, "13800005678")}
    assert told[3] == {"industry": ("互联网", "零售"), "phone": (None, "021-5555")}
    assert told[5]["lifecycle"] == ("potential", "interested")
    assert told[8]["stage"] == ("lead", "proposal")
    assert (told[9]["stage"], told[9]["amount"]) == (("proposal", "won"), ("500000", "480000"))
    assert "currency" not in told[9], "it did not change"
    assert told[12] == {"due_on": ("2026-04-01", "2026-05-01")}
    assert told[13]["name"] == ("王总", None)
    assert told[13]["mobile"] == ("13800005678", None)


def test_a_former_value_is_found_even_when_its_event_is_on_another_page(server: str) -> None:
    story, customer = a_story()
    with history_of(server, story) as connection:
        page = of_customer(Reading(connection, KEYRING), customer, limit=1, beyond=len(story.events) - 9)
    [item] = page.items
    assert item["topic"] == "customer.profile-revised"
    assert item["changes"][0]["before"] == "互联网"


def test_pages_newest_first_and_oldest_first_meet_every_event_once(server: str) -> None:
    story, customer = a_story()
    with history_of(server, story) as connection:
        for newest_first in (True, False):
            seen: list[int] = []
            beyond = None
            while True:
                page = of_customer(
                    Reading(connection, KEYRING), customer, newest_first=newest_first, beyond=beyond, limit=4
                )
                seen += [item["position"] for item in page.items]
                if (beyond := page.next) is None:
                    break
            assert seen == sorted(range(4, len(story.events) + 1), reverse=newest_first)
        assert len(of_customer(Reading(connection, KEYRING), customer, limit=None).items) == len(seen)


def test_filters_by_topic_actor_position_day_and_command(server: str) -> None:
    story, customer = a_story()
    with history_of(server, story) as connection:

        def found(**asked: Any) -> list[int]:
            page = events(Reading(connection, KEYRING), asked=Asked(**asked), newest_first=False)
            return [item["position"] for item in page.items]

        assert found(topics=["customer.owner-assigned", "opportunity.won"]) == [8, 13]
        assert found(actors=[story.actor], customer_id=customer) == list(range(4, 18))
        assert found(actors=["rule:none"]) == []
        assert found(upto=3) == [1, 2, 3]
        assert found(on=date(2026, 3, 1)) == [9, 11]
        assert found(command_id=story.events[6].command_id) == [7]
        assert found(sources=["import"]) == []
        moment = story.now
        assert len(found(recorded_from=moment, recorded_until=moment + timedelta(seconds=1))) == len(story.events)
        assert found(recorded_until=moment) == []


def test_an_import_and_a_rule_are_named_as_who_did_it(server: str) -> None:
    story = Happenings()
    batch = story.happens(
        ImportBatch.Started, uuid4(), customer_id=None, profile="maven-pipeline", file_name="sales.csv", digest="x"
    )
    story.actor, story.source = f"import:{batch}", "import"
    story.imported = ImportedRow("maven-pipeline", "row-1", "digest")
    customer = story.customer("Acme", code="C1")
    story.actor, story.imported = "rule:churn", None
    story.happens(
        Customer.LifecycleMoved, customer, lifecycle="churned", occurred_on=date(2026, 3, 1), churn_reason="价格"
    )
    with history_of(server, story) as connection:
        zh, en = sentences(connection, customer), sentences(connection, customer, "en")
        items = of_customer(Reading(connection, KEYRING), customer, newest_first=False).items
    assert zh[0] == "导入 sales.csv 登记了客户 C1 Acme"
    assert zh[1] == "规则 churn 将客户状态由「潜在客户」改为「流失客户」（2026-03-01），流失原因：价格"
    assert en[1] == "rule churn moved the customer from “potential” to “churned” (2026-03-01), reason for leaving: 价格"
    assert items[0]["imported"] == {"profile": "maven-pipeline", "key": "row-1", "digest": "digest"}
    assert items[0]["actor"] == {"id": f"import:{batch}", "name": "导入 sales.csv"}


def test_what_was_erased_is_said_to_be_erased(server: str) -> None:
    keyring = Keyring(None, bytes(32))
    story, customer = a_story()
    with history_of(server, story, keyring) as connection:
        keyring.destroy(customer)
        items = of_customer(Reading(connection, keyring), customer, newest_first=False).items
    assert items[0]["erased"]
    assert items[0]["sentence"] == "张三登记了客户 C202603001 （已删除）"
    phone = next(change for change in items[3]["changes"] if change["field"] == "phone")
    assert phone["after"] == "（已删除）"
    assert not items[1]["erased"], "a contact has a key of its own"


def test_one_event_by_its_position(server: str) -> None:
    story, _ = a_story()
    with history_of(server, story) as connection:
        found = event(Reading(connection, KEYRING), 13, lang="en")
        assert found is not None
        assert found["topic"] == "opportunity.won"
        assert event(Reading(connection, KEYRING), 999) is None


def test_a_cleared_amount_and_a_corrected_date_say_what_was_there(server: str) -> None:
    story = Happenings().on("2026-03-05")
    story.pipeline()
    customer = story.customer()
    opportunity = story.opportunity(customer, "2026-03-01", "100.50", number="OPP-1")
    story.happens(Opportunity.AmountRevised, opportunity, amount=None, currency="CNY")
    story.advanced(opportunity, "need", "2026-03-02")
    story.happens(Opportunity.StageDateCorrected, opportunity, entry=1, occurred_on=date(2026, 3, 3))
    story.happens(Opportunity.StageDateCorrected, opportunity, entry=1, occurred_on=date(2026, 3, 4))
    with history_of(server, story) as connection:
        told = sentences(connection, customer)
    assert told[2] == "未知成员将商机「OPP-1」的金额由 100.50 CNY 改为 空"
    assert told[4] == "未知成员更正了商机「OPP-1」第 2 次进入阶段的日期，由 2026-03-02 改为 2026-03-03"
    assert told[5] == "未知成员更正了商机「OPP-1」第 2 次进入阶段的日期，由 2026-03-03 改为 2026-03-04"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_kind_of_event_can_be_told(server: str, lang: Any) -> None:
    """Whatever its optional fields are, no sentence fails and none keeps a gap."""
    story, _ = a_story()
    with history_of(server, story) as connection:
        for item in events(Reading(connection, KEYRING), lang=lang, limit=None).items:
            assert not set("{}[]") & set(item["sentence"])
