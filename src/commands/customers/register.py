"""Entering customers, and what the master sheet says about them."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from aggregates.customer import Customer
from commands import owners
from commands.base import Changed, Command, CreatingCommand, Work
from commands.customers.contacts import NewContact
from commands.fields import (
    CategoryField,
    Code,
    Day,
    Email,
    KindField,
    Label,
    LeadSourceField,
    LifecycleField,
    Line,
    MarketField,
    Phone,
    Prose,
    TierField,
)


class Profile(BaseModel):
    """What the master sheet says about a customer, beside its name (CUS-1 to CUS-6, CUS-9, CUS-13)."""

    industry: Label | None = Field(None, description="The line of business.", examples=["互联网"])
    market: MarketField | None = Field(None, description="Whether it buys for a business or for itself.")
    tier: TierField | None = Field(None, description="How much it matters: 一般, 优质 or 超级VIP.")
    lead_source: LeadSourceField | None = Field(None, description="Where it comes from (客户来源).")
    region: Label | None = Field(None, description="The region it belongs to.", examples=["华东"])
    country: Label | None = None
    company_size: Label | None = Field(None, description="Headcount or revenue, in words.", examples=["50-100人"])
    address: Line | None = None
    distance: Line | None = Field(
        None, description="How far it is from us (与公司之间的距离), in words.", examples=["35公里"]
    )
    business_category: Label | None = Field(None, description="What it deals in (经营类别).", examples=["五金批发"])
    unsuitable_visiting_time: Line | None = Field(
        None, description="When not to visit (不宜拜访时间), in words.", examples=["周一上午例会"]
    )
    personality: Line | None = Field(None, description="What kind of person it is (性格类型).", examples=["谨慎型"])
    phone: Phone | None = Field(None, description="Mobile (11 digits), landline with area code, or foreign number.")
    email: Email | None = None
    need: Prose | None = Field(None, description="The core need (核心需求).", examples=["云服务器扩容"])
    budget: Line | None = Field(None, description="The budget, in words.", examples=["预算50万/年"])
    notes: Prose | None = None
    first_contact_on: Day | None = None


PROFILE_FIELDS = ("name", *Profile.model_fields)


class RegisterCustomer(Profile, CreatingCommand):
    """Enter a customer; it gets a code of its own."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "company",
                    "name": "ABC科技有限公司",
                    "industry": "互联网",
                    "market": "b2b",
                    "lead_source": "exhibition",
                    "need": "企业定制化办公软件",
                    "contacts": [{"name": "李经理", "title": "采购经理", "mobile": "13912345678"}],
                }
            ]
        }
    )

    name: Line = Field(description="The full name.", examples=["ABC科技有限公司"])
    kind: KindField = Field(description="Whether it is a company (企业客户) or a person (个人客户).")
    legacy_code: Code | None = Field(None, description="Its code in an older system or sheet.", examples=["A001"])
    owner_id: UUID | None = Field(None, description="The member responsible.")
    lifecycle: LifecycleField = Field("potential", description="How far you have come with it already.")  # type: ignore[assignment]
    churn_reason: Line | None = Field(None, description="Why it was lost, where the lifecycle is churned.")
    category: CategoryField | None = None
    placeholder: bool = Field(False, description="Whether it only stands for customers that are not known.")
    contacts: tuple[NewContact, ...] = Field((), max_length=50, description="The first persons to speak to.")
    tags: tuple[Label, ...] = Field((), max_length=50)

    def create(self, work: Work) -> Changed:
        """Register the customer, with its first contacts."""
        rest = self.given(*PROFILE_FIELDS, "legacy_code", "churn_reason", "category", "placeholder")
        owner_id = owners.owner_of_customer(self.owner_id, work)
        customer = Customer.register(
            work.new_id(),
            code=work.next_code(),
            kind=self.kind,
            owner_id=owner_id,
            lifecycle=self.lifecycle,
            **rest,
        )
        for contact in self.contacts:
            contact.add_to(customer, work.new_id())
        for tag in self.tags:
            customer.tag(tag)
        return (customer,)


class ReviseProfile(Profile, Command):
    """Change what is known of the customer: only what is given, null clears it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"industry": "制造业", "phone": "010-62345678", "notes": None}]}
    )

    name: Line | None = Field(None, description="The full name; it can be changed, not cleared.")

    def perform(self, to: UUID | None, work: Work) -> Changed:
        """Revise the profile of the customer."""
        customer = work.load(Customer, to)
        customer.revise_profile(**self.given(*PROFILE_FIELDS))
        return (customer,)
