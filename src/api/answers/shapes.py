"""What answers look like, for the OpenAPI document; a list's rows are described by the list itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, create_model

from projections.engine.lists.listing import Listing
from projections.engine.lists.values import Kind

Amount = Annotated[str, Field(description="a decimal string", examples=["1200.50"])]
Position = Annotated[int, Field(description="the last position of the ledger that this answer knows", examples=[1024])]
Key = Annotated[dict[str, str | None], Field(examples=[{"region": "West", "currency": "CNY"}])]

_TYPES: dict[Kind, Any] = {
    "text": str,
    "enum": str,
    "number": int,
    "decimal": Amount,
    "date": date,
    "instant": datetime,
    "uuid": UUID,
    "bool": bool,
    "tags": list[str],
}


def row_of(name: str, listing: Listing) -> type[BaseModel]:
    """The shape of a list's rows."""
    fields: dict[str, Any] = {}
    for column_name, column in listing.columns.items():
        if column.shown:
            kind = dict[str, str] if "jsonb" in column.sql else _TYPES[column.kind]
            kind = Annotated[kind, Field(examples=[column.choices[0]])] if column.choices else kind
            fields[column_name] = (kind | None if column.nullable else kind, ...)
    made: type[BaseModel] = create_model(name, **fields)
    return made


def page_of(name: str, listing: Listing, **more: Any) -> type[BaseModel]:
    """The shape of a page of a list, whose rows have what is given beside the list's own columns."""
    row = create_model(name, __base__=row_of(f"{name}Row", listing), **more)
    made: type[BaseModel] = create_model(
        f"{name}Page",
        items=(list[row], ...),
        next=(str | None, Field(description="the cursor of the next page; null on the last")),
        total=(int | None, Field(default=None, description="only with include_total=true")),
        position=(Position, ...),
        on=(date | None, Field(description="the business day it is true of")),
    )
    return made


class Days(BaseModel):
    """So many days on average, and in the middle."""

    mean: float | None
    median: float | None


class FunnelStage(BaseModel):
    """What stands in one stage."""

    stage: str = Field(examples=["proposal"])
    count: int
    share: float | None
    amount: Amount | None


class FunnelGroup(BaseModel):
    """The funnel of one group."""

    key: Key
    stages: list[FunnelStage]
    won: int
    lost: int
    win_rate: float | None = Field(examples=[0.6315])
    won_amount: Amount | None
    cycle_days: Days


class Funnel(BaseModel):
    """The conversion funnel on a day."""

    on: date
    position: Position
    groups: list[FunnelGroup]


class Passage(BaseModel):
    """How many entered a stage, and what became of them."""

    stage: str
    entered: int
    went_on: int
    lost: int
    rate: float | None
    days: Days


class PassageGroup(BaseModel):
    """The passages of one group."""

    key: Key
    stages: list[Passage]


class Conversion(BaseModel):
    """How many went on from each stage up to a day."""

    on: date
    position: Position
    groups: list[PassageGroup]


class SourceGroup(BaseModel):
    """The customers that came from one source."""

    key: Key
    customers: int
    share: float
    won: int
    conversion: float


class Sources(BaseModel):
    """Where customers came from, and how many of them were won."""

    on: date
    from_on: date | None
    until_on: date | None
    position: Position
    groups: list[SourceGroup]


class Counted(BaseModel):
    """So many, together so much."""

    count: int
    amount: Amount


class Collected(BaseModel):
    """What came in."""

    amount: Amount


class OverdueSum(Counted):
    """What is past due, and by how many days at most."""

    max_days_past_due: int | None


class Bucket(Counted):
    """What is open, by days past due."""

    bucket: str = Field(examples=["1-30"])


class AgingGroup(BaseModel):
    """The receivables of one group."""

    key: Key
    invoiced: Counted
    collected: Collected
    open: Counted
    overdue: OverdueSum
    buckets: list[Bucket]


class Aging(BaseModel):
    """What is open and how long it has been due, at the end of a day."""

    on: date
    position: Position
    groups: list[AgingGroup]


class StatusGroup(BaseModel):
    """The receivables of one payment status."""

    key: Key
    customers: int
    receivables: int
    amount: Amount
    collected: Amount
    open: Amount
    partly_paid: int


class Statuses(BaseModel):
    """How much has which payment status, at the end of a day."""

    on: date
    position: Position
    groups: list[StatusGroup]


class PunctualityGroup(BaseModel):
    """How punctually one group pays."""

    key: Key
    paid: Counted
    late: int
    late_share: float
    mean_days_late: float | None
    mean_days_to_pay: float


class Punctuality(BaseModel):
    """Of what was paid by a day: how much was late, and how late."""

    on: date
    position: Position
    groups: list[PunctualityGroup]


class Entry(BaseModel):
    """One line of a statement; `change` is positive for what is owed."""

    occurred_on: date
    kind: str = Field(examples=["invoice"])
    change: Amount
    receivable_id: UUID
    invoice_no: str | None
    order_no: str | None
    instalment: int
    balance: Amount


class Account(BaseModel):
    """A customer's account in one currency."""

    currency: str = Field(examples=["CNY"])
    opening: Amount
    entries: list[Entry]
    charged: Amount
    credited: Amount
    closing: Amount


class Statement(BaseModel):
    """A customer's statement of account."""

    customer_id: UUID
    customer: str | None
    customer_code: str | None
    from_on: date
    until_on: date
    position: Position
    accounts: list[Account]


class WonCustomers(BaseModel):
    """The customers with whom a deal was made in a period."""

    from_on: date = Field(alias="from")
    until_on: date = Field(alias="until")
    position: Position
    count: int
    customers: list[dict[str, Any]]


class AnyObject(BaseModel, extra="allow"):
    """A record with its fields."""

    position: Position


class RecordedEvent(BaseModel):
    """An event as the ledger holds it, personal fields opened."""

    position: int
    id: UUID = Field(description="what it happened to")
    version: int
    topic: str = Field(examples=["customer.follow-up-logged"])
    recorded_at: datetime
    customer_id: UUID | None
    actor: str = Field(examples=["member:0192f0c1-7d5a-7cc3-a1b2-0123456789ab"])
    command_id: UUID
    source: str = Field(examples=["api"])
    reason: str | None
    data: dict[str, Any]


class Events(BaseModel):
    """A part of the ledger, in order and without gaps."""

    items: list[RecordedEvent]
    next: int = Field(description="give this as `after` to go on")
    more: bool = Field(description="there is more already")
    position: Position


class RebuildJob(BaseModel):
    """Something a worker builds, and how far it is."""

    job_id: UUID
    kind: str
    projection: str
    version: int
    as_of: int | None
    state: str = Field(examples=["running"])
    phase: str | None
    events_done: int
    events_total: int | None
    events_per_second: int | None
    seconds_left: int | None
    error: str | None
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Jobs(BaseModel):
    """The jobs asked for last."""

    items: list[RebuildJob]


class Failure(BaseModel):
    """The event at which a read model stopped."""

    position: int
    topic: str
    aggregate: UUID
    error: str
    at: datetime


class ProjectionStatus(BaseModel):
    """How one read model is doing."""

    projection: str = Field(examples=["tracking"])
    version: int
    state: str = Field(examples=["running"])
    schema_name: str | None
    position: int | None
    head: int
    events_behind: int
    seconds_behind: float
    leader: str | None
    led_since: datetime | None
    failure: Failure | None


class ProjectionStatuses(BaseModel):
    """How the read models are doing."""

    items: list[ProjectionStatus]
    position: Position


class History(BaseModel):
    """Events as sentences, with what they changed."""

    items: list[dict[str, Any]]
    next: str | None = Field(description="the cursor of the next page; null on the last")
    position: Position


class Anchor(BaseModel):
    """A position and its hash: note it somewhere else, and nobody can cut the ledger short unnoticed."""

    position: int
    chain: str


class ChainCheck(BaseModel):
    """How far the chain of hashes was checked, and the first event that does not fit it."""

    from_position: int = Field(alias="from", examples=[1])
    checked: int
    head: Anchor
    first_bad: int | None
    fault: str | None


class ClaimsCheck(BaseModel):
    """Whether the names in use are those that the events took."""

    checked: int
    differences: list[dict[str, Any]]


class Verification(BaseModel):
    """Whether the ledger is as it was written."""

    position: Position
    intact: bool
    chain: ChainCheck
    claims: ClaimsCheck | None
