"""What answers about imports look like, for the OpenAPI document."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field


class ProfileColumn(BaseModel):
    """A column that a file must or may have."""

    name: str = Field(examples=["invoiceNumber"])
    headings: list[str] = Field(description="other headings that it may stand under")
    type: str = Field(examples=["date"])
    optional: bool = Field(description="the column itself may be missing")
    needed: bool = Field(description="no cell of it may be empty")
    accepted: list[str] = Field(description="the values that are accepted; any, where there are none")
    left_out: str | None = Field(description="why it is not imported")


class ProfileFile(BaseModel):
    """A file that a profile reads."""

    part: str = Field(description="the name of the part of the form that it can be sent as", examples=["invoices"])
    name: str = Field(examples=["WA_Fn-UseC_-Accounts-Receivable.csv"])
    encoding: str | None
    columns: list[ProfileColumn]


class ImportProfile(BaseModel):
    """How the tables of one source become customers, opportunities and receivables."""

    name: str = Field(examples=["ibm-receivables"])
    title: str
    about: str
    any_name: bool = Field(description="it reads one file, whatever that is called")
    date_formats: list[str]
    files: list[ProfileFile]
    records: list[str] = Field(description="what rows become, in this order", examples=[["customers", "invoices"]])
    permissions: list[str] = Field(
        description="what asking for it needs beside `imports.run`, for everybody's records",
        examples=[["customers.register", "receivables.change", "receivables.settle"]],
    )


class ImportProfiles(BaseModel):
    """What can be imported."""

    items: list[ImportProfile]


class ImportFailure(BaseModel):
    """Why an import has failed."""

    code: str = Field(examples=["import-unreadable"])
    message: str


class ImportCount(BaseModel):
    """What became of the rows of one kind of record; `changed` ones differ from when they were imported."""

    record: str = Field(examples=["invoices"])
    rows: int
    imported: int
    unchanged: int
    changed: int
    refused: int


class RowTold(BaseModel):
    """A row, or a file, that was refused or has changed, and why."""

    file: str = Field(examples=["invoices.csv"])
    line: int | None = Field(examples=[4711])
    column: str | None = Field(examples=["InvoiceDate"])
    value: str | None = Field(examples=["2/30/2013"])
    code: str = Field(examples=["not-a-date"])
    message: str = Field(examples=["not a date; 31 January 2013 is written 01/31/2013"])


class ImportRemark(RowTold):
    """Something worth knowing about rows that were imported all the same."""

    line: int | None = Field(description="the first such line")
    count: int = Field(description="how many rows it is true of")


class ImportJob(BaseModel):
    """An import that was asked for: how far it is, and at its end how many rows became what."""

    id: UUID = Field(examples=["0192f0c1-7d5a-7cc3-a1b2-0123456789ab"])
    profile: str = Field(examples=["ibm-receivables"])
    dry_run: bool
    encoding: str | None
    files: list[str] = Field(examples=[["invoices.csv"]])
    bytes: int
    requested_by: str = Field(examples=["member:0192f0c1-7d5a-7cc3-a1b2-0123456789ab"])
    state: str = Field(description="queued, running, done, failed or cancelled", examples=["running"])
    cancel_requested: bool
    error: ImportFailure | None
    attempts: int = Field(description="above 1 when a worker was lost and another one has gone on")
    rows_done: int
    rows_total: int | None
    rows_per_second: int | None
    seconds_left: int | None
    batch: UUID | None = Field(description="the import-batch that its events name; none when nothing was written")
    position: int | None = Field(description="everything imported stands at or before this position of the ledger")
    refused_rows: int | None
    counts: list[ImportCount] | None
    total: dict[str, int] | None = Field(examples=[{"rows": 2, "imported": 2, "refused": 0}])
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ImportReport(ImportJob):
    """An import with the rows it has to tell about; they are kept for 30 days, or until somebody's data is erased."""

    refusals: list[RowTold] | None = Field(description="at most 10,000; `refused_rows` counts all")
    changed: list[RowTold] | None
    remarks: list[ImportRemark] | None


class ImportJobs(BaseModel):
    """The imports asked for, the newest first."""

    items: list[ImportJob]
    next: str | None = Field(description="the `before` of the next page; null on the last")


FORM: dict[str, Any] = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "description": "A part for each file of the profile; its file name or the part's name says which.",
                "additionalProperties": {"type": "string", "format": "binary"},
            },
            "example": {"file": "@WA_Fn-UseC_-Accounts-Receivable.csv"},
        }
    },
}
"""How the OpenAPI document shows the body of an upload."""
