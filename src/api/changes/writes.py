"""Every command and its route: one line each, so that all that can be changed is seen at a glance."""

from __future__ import annotations

from fastapi import APIRouter

from api.changes.writing import Write, add_write
from commands import customers as c
from commands import members as m
from commands import opportunities as o
from commands import products as p
from commands import receivables as r
from commands import settings as s

WRITES = (
    Write("POST", "/customers", c.RegisterCustomer, 201),
    Write("PATCH", "/customers/{id}", c.ReviseProfile),
    Write("POST", "/customers/{id}/follow-ups", c.LogFollowUp, 201),
    Write("POST", "/customers/{id}/contacts", c.AddContact, 201),
    Write("PATCH", "/customers/{id}/contacts/{contact_id}", c.ReviseContact),
    Write("DELETE", "/customers/{id}/contacts/{contact_id}", c.RemoveContact),
    Write("POST", "/customers/{id}/owner", c.AssignOwner),
    Write("POST", "/customers/{id}/category", c.Categorise),
    Write("POST", "/customers/{id}/lifecycle", c.MoveLifecycle),
    Write("POST", "/customers/{id}/intent", c.SetIntent),
    Write("POST", "/customers/{id}/tags", c.Tag),
    Write("DELETE", "/customers/{id}/tags/{tag}", c.Untag),
    Write("POST", "/customers/{id}/archive", c.ArchiveCustomer),
    Write("POST", "/customers/{id}/reopen", c.ReopenCustomer),
    Write("POST", "/customers/{id}/contacts/{contact_id}/erasure", c.EraseContact),
    Write("POST", "/customers/{id}/erasure", c.EraseCustomer),
    Write("POST", "/customers/{id}/opportunities", o.OpenOpportunity, 201, makes="/opportunities"),
    Write("POST", "/customers/{id}/receivables", r.IssueReceivable, 201, makes="/receivables"),
    Write("POST", "/opportunities", o.OpenOpportunity, 201),
    Write("PATCH", "/opportunities/{id}", o.ReviseDetails),
    Write("POST", "/opportunities/{id}/stage", o.AdvanceStage),
    Write("POST", "/opportunities/{id}/stage/back", o.MoveStageBack),
    Write("PATCH", "/opportunities/{id}/stages/{entry}", o.CorrectStageDate),
    Write("POST", "/opportunities/{id}/amount", o.ReviseAmount),
    Write("POST", "/opportunities/{id}/expected-close", o.ReviseExpectedClose),
    Write("POST", "/opportunities/{id}/owner", o.AssignOpportunityOwner),
    Write("POST", "/opportunities/{id}/win", o.WinOpportunity),
    Write("POST", "/opportunities/{id}/loss", o.LoseOpportunity),
    Write("POST", "/opportunities/{id}/reopen", o.ReopenOpportunity),
    Write("POST", "/receivables", r.IssueReceivable, 201),
    Write("POST", "/receivables/{id}/payments", r.ReceivePayment, 201),
    Write("POST", "/receivables/{id}/payments/{payment_id}/reversal", r.ReversePayment),
    Write("POST", "/receivables/{id}/due-date", r.MoveDueDate),
    Write("POST", "/receivables/{id}/reminders", r.RecordReminder, 201),
    Write("POST", "/receivables/{id}/dispute", r.DisputeReceivable),
    Write("POST", "/receivables/{id}/dispute/settlement", r.SettleDispute),
    Write("POST", "/receivables/{id}/write-off", r.WriteOff),
    Write("POST", "/teams", m.FormTeam, 201),
    Write("PATCH", "/teams/{id}", m.RenameTeam),
    Write("POST", "/teams/{id}/region", m.AssignRegion),
    Write("POST", "/teams/{id}/parent", m.PlaceTeam),
    Write("POST", "/members", m.RegisterMember, 201),
    Write("PATCH", "/members/{id}", m.RenameMember),
    Write("POST", "/members/{id}/team", m.AssignTeam),
    Write("POST", "/members/{id}/invitation", m.InviteMember),
    Write("POST", "/members/{id}/roles", m.GiveRoles),
    Write("POST", "/members/{id}/suspension", m.SuspendMember),
    Write("DELETE", "/members/{id}/suspension", m.ResumeMember),
    Write("POST", "/members/{id}/removal", m.RemoveMember, awaits_reads=True),
    Write("POST", "/members/{id}/erasure", m.EraseMember),
    Write("POST", "/members/{id}/handover", m.HandOver, awaits_reads=True),
    Write("POST", "/products", p.AddProduct, 201),
    Write("PATCH", "/products/{id}", p.ReviseProduct),
    Write("POST", "/pipelines", s.DefinePipeline, 201),
    Write("POST", "/pipelines/{id}/stages", s.ReviseStages),
    Write("PATCH", "/workspace", s.ConfigureWorkspace),
)
"""A command that makes something answers 201; names in a path other than `id` are fields of the command."""


def add_writes(router: APIRouter) -> None:
    """Puts all of them on the router."""
    for write in WRITES:
        add_write(router, write)
