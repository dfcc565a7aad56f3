"""A made-up sales company of any size: its whole history as ledger rows, sealed and chained like any other."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from struct import pack
from typing import Any, cast
from uuid import UUID, uuid5

import psycopg
from eventsourcing.utils import get_topic
from psycopg import sql

from aggregates.base import Acting, Aggregate, Event, acting
from aggregates.customer import Customer
from aggregates.member import Member
from aggregates.opportunity import Opportunity
from aggregates.pipeline import DEFAULT_PIPELINE_ID, Pipeline
from aggregates.product import Product
from aggregates.receivable import Receivable
from aggregates.team import Team
from ledger.encoded.codec import encode
from ledger.new_keys import NewKeys
from ledger.sealing import Keyring

NAMESPACE = UUID("5f0e6a52-0d7b-5c43-9f5e-2b1f4d7a9c10")
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
BEGUN = datetime(2024, 1, 1, 1, tzinfo=UTC)
PLACES = (
    "北京",
    "上海",
    "广州",
    "深圳",
    "杭州",
    "苏州",
    "南京",
    "武汉",
    "成都",
    "西安",
    "青岛",
    "厦门",
    "长沙",
    "宁波",
    "天津",
    "重庆",
)
WORDS = (
    "华信",
    "远景",
    "恒达",
    "金石",
    "天成",
    "博雅",
    "瑞丰",
    "鼎盛",
    "宏图",
    "卓越",
    "启明",
    "德润",
    "嘉禾",
    "万通",
    "新源",
    "立方",
    "云帆",
    "东升",
    "泰和",
    "星河",
)
TRADES = (
    "云计算",
    "物流",
    "医疗器械",
    "软件",
    "机械制造",
    "食品",
    "建材",
    "电子商务",
    "教育咨询",
    "环保科技",
    "新能源",
    "贸易",
)
SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡林郭何高罗"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚"
METHODS = ("phone", "wechat", "on_site", "email", "video")
STAGES = ("lead", "need", "proposal", "negotiation")
CUSTOMER_EVENTS = 10
"""How many events each customer has."""


def company_name(number: int) -> str:
    """A distinct Chinese company name."""
    place, rest = number % len(PLACES), number // len(PLACES)
    word, rest = rest % len(WORDS), rest // len(WORDS)
    trade, rest = rest % len(TRADES), rest // len(TRADES)
    tail = "".join(WORDS[(rest // len(WORDS) ** k) % len(WORDS)][0] for k in range(2)) if rest else ""
    return f"{PLACES[place]}{WORDS[word]}{tail}{TRADES[trade]}有限公司"


def made(kind: str, number: int) -> UUID:
    """The id of the so-manieth thing of a kind."""
    return uuid5(NAMESPACE, f"{kind}/{number}")


@dataclass
class Row:
    """One row of the ledger's table, in the order of its columns."""

    position: int
    event: Event
    topic: str
    state: bytes
    recorded_at: datetime


def _workspace() -> Iterator[Aggregate]:
    regions = ("华东", "华南", "华北", "西部")
    for number in range(8):
        yield Team.form(made("team", number), name=f"{number + 1}组", region=regions[number % 4])
    for number in range(40):
        yield Member.register(made("member", number), name=_person(number), team_id=made("team", number % 8))
    for number in range(12):
        price = Decimal(100 * (number + 1))
        yield Product.add(
            made("product", number), name=f"产品{number + 1}", code=None, series=None, price=price, currency="CNY"
        )
    yield Pipeline.default()


def _person(number: int) -> str:
    return SURNAMES[number % len(SURNAMES)] + GIVEN[number // 20 % len(GIVEN)] + GIVEN[number // 7 % len(GIVEN)]


def _as_happened(event_class: type[Event]) -> Callable[..., Event]:
    """The event itself, made without asking an aggregate."""
    return event_class


def _envelope(originator: UUID, version: int, customer: UUID, recorded_at: datetime) -> dict[str, Any]:
    return {
        "originator_id": originator,
        "originator_version": version,
        "timestamp": recorded_at,
        "customer_id": customer,
    }


def _customer_event(number: int, step: int, recorded_at: datetime, chance: random.Random) -> Event:
    """What happens to a customer in a step: registered, spoken with, an opportunity won or lost, an invoice paid."""
    customer, deal, invoice = made("customer", number), made("opportunity", number), made("receivable", number)
    owner, day = made("member", number % 40), recorded_at.date()
    amount = Decimal(1000 + number % 9000)
    if step == 0:
        return _as_happened(Customer.Registered)(
            **_envelope(customer, 1, customer, recorded_at),
            originator_topic="customer",
            name=company_name(number),
            code=f"C2024{number:06d}",
            kind="company",
            owner_id=owner,
            industry=TRADES[number // (len(PLACES) * len(WORDS)) % len(TRADES)],
            lead_source=("exhibition", "referral", "online_ads")[number % 3],
            region=PLACES[number % len(PLACES)],
            need="需要报价",
        )
    if step == 1:
        return _as_happened(Customer.ContactAdded)(
            **_envelope(customer, 2, customer, recorded_at),
            contact_id=made("contact", number),
            name=_person(number),
            title="采购经理",
            mobile=f"138{number:08d}",
            is_main=True,
            is_decision_maker=number % 2 == 0,
        )
    if step in (2, 4, 6, 9):
        return _as_happened(Customer.FollowUpLogged)(
            **_envelope(customer, {2: 3, 4: 4, 6: 5, 9: 6}[step], customer, recorded_at),
            follow_up_id=made(f"follow-up-{step}", number),
            occurred_at=recorded_at - timedelta(hours=chance.randrange(40)),
            method=METHODS[(number + step) % 5],
            content="客户对方案感兴趣, 下周确认细节, 需要一份新的报价单",
            attitude="positive",
            progress=step * 10,
            answered=(number + step) % 4 != 0,
            next_contact_on=day + timedelta(days=number % 30),
        )
    if step == 3:
        return _as_happened(Opportunity.Opened)(
            **_envelope(deal, 1, customer, recorded_at),
            originator_topic="opportunity",
            pipeline_id=DEFAULT_PIPELINE_ID,
            stage="lead",
            currency="CNY",
            name="扩容项目",
            amount=amount,
            owner_id=owner,
            product_id=made("product", number % 12),
            occurred_on=day,
        )
    if step == 5:
        return _as_happened(Opportunity.StageAdvanced)(
            **_envelope(deal, 2, customer, recorded_at), stage=STAGES[1 + number % 3], occurred_on=day
        )
    if step == 7 and number % 5 == 0:
        return _as_happened(Opportunity.Lost)(
            **_envelope(deal, 3, customer, recorded_at), loss_reason="price", occurred_on=day
        )
    if step == 7:
        return _as_happened(Opportunity.Won)(
            **_envelope(deal, 3, customer, recorded_at), amount=amount, currency="CNY", occurred_on=day
        )
    return _as_happened(Receivable.Issued)(
        **_envelope(invoice, 1, customer, recorded_at),
        originator_topic="receivable",
        amount=amount,
        currency="CNY",
        issued_on=day,
        due_on=day + timedelta(days=30),
        opportunity_id=deal,
        invoice_no=f"INV{number:08d}",
    )


def history(customers: int, keyring: Keyring, new: NewKeys, *, seed: int = 7) -> Iterator[Row]:
    """Everything that happened, step by step over all customers, in the order of positions."""
    chance = random.Random(seed)
    order = list(range(customers))
    tick = timedelta(seconds=365 * 86400 / (customers * CUSTOMER_EVENTS))
    position, now = 0, BEGUN
    who = Acting(actor=f"member:{made('member', 0)}", command_id=made("command", 0), source="api", now=BEGUN)

    def row(event: Event) -> Row:
        nonlocal position
        position += 1
        return Row(position, event, get_topic(type(event)), encode(event, keyring, new), now)

    with acting(who):
        for aggregate in _workspace():
            for event in aggregate.pending_events:
                yield row(cast(Event, event))
        for step in range(CUSTOMER_EVENTS):
            chance.shuffle(order)
            for number in order:
                now += tick
                yield row(_customer_event(number, step, now, chance))


def chained(link: bytes, row: Row) -> bytes:
    """The hash of a row: what its columns are on the wire, each after its length."""
    event, topic = row.event, row.topic.encode()
    micros = (row.recorded_at - EPOCH) // timedelta(microseconds=1)
    customer = event.customer_id
    return sha256(
        link
        + pack(">iq", 8, row.position)
        + pack(">i", 16)
        + event.originator_id.bytes
        + pack(">iq", 8, event.originator_version)
        + pack(">i", len(topic))
        + topic
        + pack(">iq", 8, micros)
        + (b"\xff\xff\xff\xff" if customer is None else pack(">i", 16) + customer.bytes)
        + pack(">i", len(row.state))
        + row.state
    ).digest()


def fill(conninfo: str, schema: str, customers: int, keyring: Keyring) -> int:
    """Write the company's history into an empty ledger as its owner, with chain, claims and keys; how many events."""
    claims: list[tuple[str, str, UUID, str | None, int]] = []
    subjects: set[UUID] = set()
    row, new = None, NewKeys()
    with psycopg.connect(conninfo) as connection:
        connection.execute(sql.SQL("SET search_path = {}, public").format(sql.Identifier(schema)))
        link = connection.execute("SELECT uuid_send(ledger_id) FROM meta").fetchone()[0]  # type: ignore[index]
        with connection.cursor().copy("COPY events FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["int8", "uuid", "int8", "text", "bytea", "timestamptz", "uuid", "bytea"])
            for row in history(customers, keyring, new):
                event = row.event
                link = chained(link, row)
                copy.write_row(
                    (
                        row.position,
                        event.originator_id,
                        event.originator_version,
                        row.topic,
                        row.state,
                        row.recorded_at,
                        event.customer_id,
                        link,
                    )
                )
                if b'"sealed"' in row.state:
                    subjects.add(getattr(event, type(event).SUBJECT))
                claims.extend((c.kind, c.value, event.originator_id, c.detail, row.position) for c in event.claims())
        with connection.cursor().copy("COPY claims FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["text", "text", "uuid", "text", "int8"])
            for claim in claims:
                copy.write_row(claim)
        with connection.cursor().copy(
            "COPY sealing_keys (subject, wrapped, master) FROM STDIN (FORMAT binary)"
        ) as copy:
            copy.set_types(["uuid", "bytea", "text"])
            for subject in subjects:
                copy.write_row((subject, new.wrapped(subject), keyring.master_id))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE events")
        connection.execute("ANALYZE claims")
        connection.execute("ANALYZE sealing_keys")
    return 0 if row is None else row.position


def distinct_names(customers: int) -> bool:
    """The generator's names do not repeat."""
    return len({company_name(number) for number in range(customers)}) == customers


__all__ = ["company_name", "distinct_names", "fill", "history", "made"]
