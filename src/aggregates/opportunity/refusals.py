"""What an opportunity's rules refuse."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from aggregates.base import DomainError


class OpportunityClosed(DomainError):
    """It was won or lost: nothing changes until it is reopened."""

    code = "opportunity-closed"
    status: str


class OpportunityNotClosed(DomainError):
    """Only an opportunity that was won or lost can be reopened."""

    code = "opportunity-not-closed"


class StageNotAhead(DomainError):
    """Advancing goes to a later stage; to an earlier one it is moved back, with a reason."""

    code = "stage-not-ahead"
    at = "stage"
    stage: str
    current: str


class StageNotBehind(DomainError):
    """Moving back goes to an earlier stage; to a later one it is advanced."""

    code = "stage-not-behind"
    at = "stage"
    stage: str
    current: str


class BeforeStageEntered(DomainError):
    """It cannot leave a stage before it entered it: correct the date of that stage first, or give a later one."""

    code = "before-stage-entered"
    at = "occurred_on"
    occurred_on: date
    earliest: date


class EntryUnknown(DomainError):
    """It has entered fewer stages than that; entries count from 0."""

    code = "entry-unknown"
    at = "entry"
    entry: int
    entries: int


class StageDateOutOfOrder(DomainError):
    """A stage is entered after the one before it and before what came next."""

    code = "stage-date-out-of-order"
    at = "occurred_on"
    occurred_on: date
    earliest: date | None
    latest: date


class LossReasonMissing(DomainError):
    """Why a deal was lost is what there is to learn from it: say why."""

    code = "loss-reason-missing"
    at = "loss_reason"


class CustomerUnclear(DomainError):
    """It must be clear whose it is: say one customer."""

    code = "customer-unclear"
    at = "customer_id"


class OfAnotherCustomer(DomainError):
    """The opportunity belongs to another customer."""

    code = "of-another-customer"
    at = "opportunity_id"


class OpportunityOwnerMissing(DomainError):
    """An opportunity belongs to a member: it is assigned to another one, not to nobody."""

    code = "opportunity-owner-missing"
    at = "owner_id"


class OpportunityOwnedByAnother(DomainError):
    """The opportunity belongs to another member, from whom this actor may not take it."""

    code = "opportunity-owned-by-another"
    owner_id: UUID


class OpportunityNameMissing(DomainError):
    """An opportunity has a name: it can be changed, not cleared."""

    code = "opportunity-name-missing"
    at = "name"
