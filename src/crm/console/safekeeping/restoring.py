"""Commands that put a workspace back, and see that nothing is missing from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.console.safekeeping.backups import Identity, bar
from crm.output import AsJson, as_json, refusal, sentence

if TYPE_CHECKING:
    from rich.progress import Progress

    from crm.services import Services
    from crm.store import Store


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    keys: Annotated[Path | None, typer.Option("--keys", help="The key copy; that of the settings if left out.")] = None,
    identity: Identity = None,
    trusting: Annotated[
        bool, typer.Option("--trust", help="Take a backup that is signed with a key that is not known here.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Restore a backup into an empty store, prove it, sign that it was restored, and build its read models.

    It is there as a whole or not at all. The master key is the one that the keys of the copy are wrapped by.
    """
    from crm import settings, store
    from crm.backups.encryption import Unlock
    from crm.backups.errors import BackupUnusable
    from crm.backups.file import opened
    from crm.backups.restoring import check, keys_for
    from crm.backups.restoring import restore as fill
    from crm.checkpoints import Checkpoints
    from ledger.erasing.key_copy import KeyCopy
    from ledger.erasing.register import Register

    chosen = settings.read()
    with opened(file, Checkpoints(chosen).known_keys()) as found:
        manifest = found.manifest
        if not (found.is_known or trusting):
            from base64 import b64encode

            raise BackupUnusable(
                f"{file} is signed with {b64encode(manifest.signed_with).decode()}, which is not known here: copy its "
                f"signing.key to {chosen.data_dir}, name it in CRM_TRUSTED_KEYS, or take the backup with --trust."
            )
        if manifest.is_encrypted and identity is None:
            raise BackupUnusable(f"{file} is encrypted: name the file of secret keys with --identity.")
        unlock = Unlock(identity) if manifest.is_encrypted and identity else None
        check(manifest)
        copy = KeyCopy(keys or chosen.backups.key_copy(chosen.schema))
        try:
            wanted = keys_for(manifest, chosen, copy, Register(chosen.erasures).subjects())
        except OSError as failed:
            raise BackupUnusable(f"The key copy or the register of erasures cannot be read: {failed}.") from failed
        with store.opened(chosen) as opened_store, bar(quiet=json) as shown:
            task = shown.add_task("Restoring", total=None)
            fill(opened_store, found, wanted, unlock, lambda done, of: shown.update(task, completed=done, total=of))
            told = _confirmed(opened_store, shown)
    _say(told, json=json)


def restored(json: AsJson = False) -> None:
    """After the database was put back by other means: apply erasures, prove it, sign that, build its read models."""
    from crm import settings, store

    with store.opened(settings.read()) as opened, bar(quiet=json) as shown:
        told = _confirmed(opened, shown)
    _say(told, json=json)


def _confirmed(opened: Store, shown: Progress) -> dict[str, Any]:
    from crm.backups.confirming import confirm
    from crm.processes.work import working
    from crm.services import services

    opened.prepare()
    with services(opened, connections=4) as made:
        head = made.ledger.head()
        task = shown.add_task("Proving the ledger", total=head)
        confirmed = confirm(made, lambda checked: shown.update(task, completed=checked))
        shown.update(task, completed=head)
        with working(opened):
            models = _built(made, shown)
    return {
        "is_sound": confirmed.signed is not None,
        "position": head,
        "keys_destroyed": confirmed.destroyed,
        "statement": confirmed.signed.document if confirmed.signed else None,
        "read_models": models,
        **confirmed.found,
    }


def _built(made: Services, shown: Progress) -> dict[str, str]:
    from crm.console.proving import rebuilt
    from projections import ALL

    return {job.projection: job.state for job in rebuilt(made, ALL, shown)}


def _agreeing(signed: int) -> str:
    return f"{signed} signed checkpoints agree" if signed else "there are no signed checkpoints here to compare with"


def _say(told: dict[str, Any], *, json: bool) -> None:
    failed = [name for name, state in told["read_models"].items() if state != "done"]
    if json:
        as_json(told)
    elif told["is_sound"]:
        signed = told["checkpoints"]["compared"] - told["checkpoints"]["knowingly_cut"]
        sentence(f"Restored to position {told['position']}: the chain and the claims hold; {_agreeing(signed)}.")
        if told["keys_destroyed"]:
            sentence(f"Keys of persons who were erased had come back and are destroyed: {told['keys_destroyed']}.")
        if not failed:
            sentence(f"Built: {', '.join(told['read_models'])}.")
    if not told["is_sound"] and not json:
        refusal(
            f"The ledger was restored to position {told['position']} and does not hold: crm verify says where. Nothing "
            f"was signed."
        )
    if failed and not json:
        refusal(f"Not built: {', '.join(failed)}; crm rebuild tries again.")
    if failed or not told["is_sound"]:
        raise typer.Exit(1)
