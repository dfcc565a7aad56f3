"""The command that puts another master key in the place of the present one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from crm.output import AsJson, as_json, refusal, sentence


def rewrap_keys(
    old_key_file: Annotated[
        Path | None, typer.Option(help="The file of the old master key, where CRM_OLD_MASTER_KEY is not set.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Wrap the keys of personal data by the master key of the settings, in the place of an older one.

    No event is changed. Broken off, it is simply run again. docs/operations.md tells the steps.
    """
    from crm import settings, store
    from crm.keys.file import decoded
    from crm.services import services
    from ledger.rewrapping import rewrap

    chosen = settings.read()
    old = chosen.former_key
    if old_key_file is not None:
        old = decoded(old_key_file.read_text(encoding="ascii", errors="replace")) if old_key_file.is_file() else None
    if old is None:
        refusal("Name the old master key by CRM_OLD_MASTER_KEY, or its file by --old-key-file.")
        raise typer.Exit(1)
    with store.opened(replace(chosen, former_key=old)) as opened:
        opened.prepare()
        with services(opened, connections=2) as made:
            done = rewrap(made.database, old, opened.master_key)
    as_json({"rewrapped": done}) if json else sentence(f"{done} keys are wrapped by the new master key now.")
