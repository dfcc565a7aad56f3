"""The command `crm`: runs the service, and answers on a terminal what the API answers over HTTP."""

from __future__ import annotations

import sys

import typer

from crm.console import disclosing, export, importing, proving, repairing, replaying, reports, running, sample, tokens
from crm.console.safekeeping import archive, backups, checkpoints, erasures, restoring, rewrapping
from crm.output import refusal

app = typer.Typer(
    name="crm",
    help="Genjin, an event-sourced CRM. Settings come from the environment: see docs/operations.md.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(running.serve)
app.command()(running.work)
app.command()(running.migrate)
app.command()(sample.sample)
app.command("import")(importing.import_)
app.command()(export.export)
app.command()(reports.report)
app.command()(replaying.replay)
app.command()(proving.rebuild)
app.command()(proving.verify)
app.command()(repairing.repair)
app.command()(backups.backup)
app.command()(restoring.restore)
app.command()(restoring.restored)
app.command()(disclosing.disclose)
app.command()(archive.recover)
app.command("rewrap-keys")(rewrapping.rewrap_keys)
app.add_typer(archive.app, name="archive")
app.add_typer(backups.app, name="backups")
app.add_typer(checkpoints.app, name="checkpoints")
app.add_typer(erasures.app, name="erasures")
app.add_typer(tokens.app, name="token")


def main() -> None:
    """Run the command, and turn what stands in its way into one sentence and exit code 1."""
    try:
        app()
    except Exception as error:
        if not isinstance(error, _sentences()):
            raise
        refusal(str(error).strip())
        sys.exit(1)


def _sentences() -> tuple[type[Exception], ...]:
    """What is meant for the person at the terminal; anything else is a defect and shows where it happened.

    Asked for only where something has gone wrong: to read all these files takes longer than most commands.
    """
    from crm.backups.errors import BackupUnusable
    from crm.console.asking import Refused
    from crm.database.errors import DatabaseUnusable
    from crm.keys.master import MasterKeyUnusable
    from crm.keys.signing import SigningKeyUnusable
    from crm.settings import SettingRefused
    from ledger.erasing.register import Unreadable
    from ledger.errors import DatabaseAway, WrongMasterKey
    from ledger.proof.checkpointing import NotVouchedFor
    from ledger.proof.stretches import StretchFailed

    keys = MasterKeyUnusable, SigningKeyUnusable, WrongMasterKey
    files = BackupUnusable, NotVouchedFor, Unreadable
    return Refused, DatabaseUnusable, *keys, SettingRefused, DatabaseAway, StretchFailed, *files
