"""What proves the ledger, and what is signed about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from api.answers.shapes.common import Position

KEY = "3n2Cz3iFDYOvfUkAq0PGk6b3qEmYbGH4u9E6Yb1b3bE="

SIGNATURE = "s+QYQNaKm8jq6fspdO869viEbxlhcDNHvK+1rdvryGkb16Xgev5T+LP8TpZweDLoZCrb6Jg7zcwN4VgwgFaTFw=="


class Anchor(BaseModel):
    """A position and its hash."""

    position: int
    chain: str


class ChainCheck(BaseModel):
    """How far the chain of hashes was checked, and the first event that does not fit it."""

    from_position: int = Field(alias="from", examples=[1])
    checked: int
    head: Anchor
    first_bad: int | None
    fault: str | None = Field(description="missing, changed, time-goes-back or cut-off")


class Disagreement(BaseModel):
    """A signed statement that does not agree with the ledger."""

    file: str = Field(examples=["20260131T013000.000000Z-checkpoint-1024.json"])
    fault: str = Field(
        description="cut-off, missing, rewritten, bad-signature, other-key, other-ledger or unreadable",
        examples=["cut-off"],
    )
    position: int | None = Field(description="the position it speaks of", examples=[1024])
    first_bad: int | None = Field(description="the first position that is not as it was signed", examples=[1001])
    agreed_upto: int | None = Field(description="an earlier statement agrees up to here", examples=[1000])


class CheckpointsCheck(BaseModel):
    """The signed statements beside the ledger."""

    visible: bool = Field(description="this process sees their folder", examples=[True])
    compared: int = Field(examples=[12])
    agreed_upto: int | None = Field(description="the highest position that was signed and agrees", examples=[1024])
    knowingly_cut: int = Field(description="those about positions that a restoration has cut", examples=[0])
    disagreeing: int = Field(examples=[0])
    disagreements: list[Disagreement] = Field(description="the first hundred", examples=[[]])


class DoubledEvent(BaseModel):
    """An event that a row of an import became."""

    position: int = Field(examples=[1024])
    event: str = Field(examples=["receivable.payment-received"])


class DoubledRecord(BaseModel):
    """The record that a row acted on."""

    kind: str = Field(examples=["receivable"])
    id: UUID = Field(examples=["0192f0c1-7d5a-7cc3-a1b2-0123456789ab"])


class Doubling(BaseModel):
    """A row of an import that was written twice."""

    profile: str = Field(examples=["ibm-receivables"])
    row: str = Field(description="the key of the row", examples=["payments/L0007"])
    record: DoubledRecord
    first: DoubledEvent
    second: list[DoubledEvent]
    remedy: str = Field(
        description="reverse-payment, remove-contact, note-it (no command takes it back) or none",
        examples=["reverse-payment"],
    )
    part_id: UUID | None = Field(description="the payment or contact that stands twice")
    mended: bool = Field(description="nothing is left to do about it")
    failure: bool = Field(description="false for one of before rows were written once")


class ClaimsCheck(BaseModel):
    """Whether the names in use are those that the events took."""

    checked: int
    differences: list[dict[str, Any]]
    unreadable: str | None = Field(description="the event that cannot be read, so that nothing was compared")
    doublings: list[Doubling] = Field(description="rows of imports that were written twice", examples=[[]])


class Verification(BaseModel):
    """Whether the ledger is as it was written."""

    position: Position
    intact: bool
    first_bad: int | None = Field(description="the first position that is not as it was, by the chain or a checkpoint")
    chain: ChainCheck
    checkpoints: CheckpointsCheck
    claims: ClaimsCheck | None


class Checkpoint(BaseModel):
    """What was signed: that the ledger reached this far with this hash, or that it was restored to here."""

    kind: str = Field(examples=["checkpoint"], description="checkpoint or restored")
    format: int = Field(examples=[1])
    ledger_id: str = Field(examples=["5d0a4c57-9a5e-4f4f-8f0b-7c116b0f3c1e"])
    position: int = Field(examples=[1024])
    chain: str = Field(examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"])
    recorded_at: str | None = Field(examples=["2026-01-31T01:29:57.120934Z"])
    signed_at: str = Field(examples=["2026-01-31T01:30:00.000000Z"])
    key: str = Field(examples=[KEY], description="the public key, base64")
    signature: str = Field(examples=[SIGNATURE], description="Ed25519 over the canonical form without it, base64")


class FiledCheckpoint(BaseModel):
    """A file in the folder of checkpoints; null when what it holds is no statement."""

    file: str = Field(examples=["20260131T013000.000000Z-checkpoint-1024.json"])
    statement: Checkpoint | None


class Checkpoints(BaseModel):
    """Signed statements about the ledger, the newest first."""

    items: list[FiledCheckpoint]
    next: str | None = Field(description="the cursor of the next page; null on the last")
    position: Position


class PublicKeys(BaseModel):
    """With what checkpoints are verified."""

    algorithm: str = Field(examples=["Ed25519"])
    key: str = Field(examples=[KEY])
    known: list[str] = Field(examples=[[KEY]], description="the same and those of former signing keys")
