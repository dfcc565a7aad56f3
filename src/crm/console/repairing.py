"""The command that repairs records which rules of today would not have made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.output import AsJson, Heading, as_columns, as_json, bar, refusal, sentence

if TYPE_CHECKING:
    from crm.repairs import Repair
    from crm.services import Services

REPAIRABLE, REPAIRED, REFUSED, NOT_REPAIRABLE = "repairable", "repaired", "refused", "not-repairable"


def repair(
    names: Annotated[list[str] | None, typer.Argument(help="Which repairs; all of them when none is named.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be repaired, and write nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Find records that the rules of today would not have made, and mend them by events with a reason.

    It may run beside a service, and again at any time. Exit code 1 if a record was refused, because it was changed
    meanwhile: run it again.
    """
    from crm.console.opening import working_services

    chosen = _chosen(names)
    with working_services() as made:
        shown = [_carried_out(each, made, dry_run=dry_run, quiet=json) for each in chosen]
    if json:
        as_json({"dry_run": dry_run, "repairs": shown})
    else:
        for each in shown:
            _show(each, dry_run=dry_run)
    if any(found["state"] == REFUSED for each in shown for found in each["findings"]):
        raise typer.Exit(1)


def _chosen(names: list[str] | None) -> list[Repair]:
    from crm.repairs import REPAIRS

    for name in names or ():
        if name not in REPAIRS:
            refusal(f"There is no repair {name}; there are {', '.join(REPAIRS)}.")
            raise typer.Exit(2)
    return [REPAIRS[name] for name in names or REPAIRS]


def _carried_out(repair: Repair, made: Services, *, dry_run: bool, quiet: bool) -> dict[str, Any]:
    """The document of one repair: every record that it found, and what became of it."""
    findings = repair.findings(made)
    documents: list[dict[str, Any]] = []
    with bar(quiet=quiet, counted=True) as progress:
        for finding in progress.track(findings, description=repair.name):
            document = {
                "record": finding.record,
                "id": finding.id,
                "version": finding.version,
                "fault": finding.fault,
                "state": REPAIRABLE if finding.is_repairable else NOT_REPAIRABLE,
                "remedy": finding.remedy,
                "obstacle": finding.obstacle,
                "position": None,
            }
            if finding.is_repairable and not dry_run:
                mended = repair.mend(finding, made)
                document["state"] = REPAIRED if mended.refusal is None else REFUSED
                document |= {"obstacle": mended.refusal, "position": mended.position}
            documents.append(document)
    return {"name": repair.name, "purpose": repair.purpose, "findings": documents}


def _show(document: dict[str, Any], *, dry_run: bool) -> None:
    findings = document["findings"]
    sentence(f"{document['name']}: {document['purpose']}.")
    if not findings:
        sentence("Nothing to repair.")
        return
    as_columns(
        [Heading(text) for text in ("record", "id", "found", "state", "given to, or why not")],
        [
            [each["record"], str(each["id"]), each["fault"], each["state"], each["obstacle"] or each["remedy"]]
            for each in findings
        ],
        wide=True,
    )
    done = REPAIRABLE if dry_run else REPAIRED
    count = sum(found["state"] == done for found in findings)
    sentence(f"{count} of {len(findings)} {'would be' if dry_run else 'were'} repaired.")
