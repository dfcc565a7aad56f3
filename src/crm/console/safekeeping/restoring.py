"""Commands that put a workspace back, and see that nothing is missing from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.console.safekeeping.backups import Identity, Trusting, said, unknown_signer
from crm.output import AsJson, as_json, bar, refusal, sentence

if TYPE_CHECKING:
    from rich.progress import Progress

    from crm.backups.file import Backup, Changed
    from crm.backups.manifest import Manifest
    from crm.settings import Settings
    from crm.store import Store


def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    keys: Annotated[Path | None, typer.Option("--keys", help="The key copy; that of the settings if left out.")] = None,
    identity: Identity = None,
    trusting: Trusting = False,
    json: AsJson = False,
) -> None:
    """Restore a backup into an empty store, prove it, sign that it was restored, and build its read models.

    It is there as a whole or not at all. The master key is the one that the keys of the copy are wrapped by.
    """
    from crm import settings, store
    from crm.backups.errors import BackupUnusable
    from crm.backups.file import opened
    from crm.backups.restoring import check, keys_for, registered
    from crm.backups.restoring import restore as fill
    from crm.checkpoints import Checkpoints
    from ledger.erasing.key_copy import KeyCopy

    chosen = settings.read()
    with opened(file, Checkpoints(chosen).known_keys()) as found:
        _admit(file, found, trusting=trusting)
        _require_signing(chosen)
        check(found.manifest)
        unlock = _unlock(file, found.manifest, identity)
        copy = KeyCopy(keys or chosen.backups.key_copy(chosen.schema))
        try:
            erased = registered(chosen)
            wanted = keys_for(found.manifest, chosen, copy, erased)
        except OSError as failed:
            raise BackupUnusable(f"The key copy or the register of erasures cannot be read: {failed}.") from failed
        if not json:
            sentence(f"The backup is of {said(found.manifest)}. Erased persons in the registers here: {len(erased)}.")
        with store.opened(chosen) as filled, bar(quiet=json) as shown:
            task = shown.add_task("Restoring", total=None)
            fill(filled, found, wanted, unlock, lambda done, of: shown.update(task, completed=done, total=of))
            told = _confirmed(filled, shown)
    _say({**told, "made_at": found.manifest.made_at, "erased_considered": len(erased)}, json=json)


def _admit(file: Path, backup: Backup, *, trusting: bool) -> None:
    """Refuse what may be somebody else's, or another backup under this one's name."""
    from crm.backups.errors import BackupUnusable
    from crm.backups.folder import moment_of

    if trusting:
        return
    if not backup.is_known:
        raise BackupUnusable(unknown_signer(file, backup.manifest))
    named = moment_of(file)
    if named is not None and named != backup.manifest.made_at:
        raise BackupUnusable(
            f"{file} is named as one of {named:%Y-%m-%d %H:%M:%S} UTC and is of {said(backup.manifest)}: somebody has "
            f"put another backup in its place. --trust takes it all the same."
        )


def _require_signing(chosen: Settings) -> None:
    """The restoration is signed in the end: better to know before whether that can be done."""
    from crm.backups.errors import BackupUnusable
    from crm.checkpoints import Checkpoints

    checkpoints = Checkpoints(chosen)
    if not checkpoints.can_sign():
        raise BackupUnusable(
            f"The checkpoints in {checkpoints.folder.path} were signed with a key that is not at hand: copy its "
            f"signing.key to {chosen.data_dir}, or name its public.key in CRM_TRUSTED_KEYS and give CRM_SIGNING_KEY."
        )


def _unlock(file: Path, manifest: Manifest, identity: Path | None) -> Changed | None:
    from crm.backups.encryption import Unlock
    from crm.backups.errors import BackupUnusable

    if not manifest.is_encrypted:
        return None
    if identity is None:
        raise BackupUnusable(f"{file} is encrypted: name the file of secret keys with --identity.")
    return Unlock(identity)


def restored(json: AsJson = False) -> None:
    """After the database was put back by other means: apply erasures, prove it, sign that, build its read models."""
    from crm import settings, store

    with store.opened(settings.read()) as opened, bar(quiet=json) as shown:
        told = _confirmed(opened, shown)
    _say(told, json=json)


def _confirmed(opened: Store, shown: Progress) -> dict[str, Any]:
    from crm.backups.confirming import confirm
    from crm.console.proving import followed, requested
    from crm.processes.work import working
    from crm.services import services
    from projections import ALL

    opened.prepare()
    with services(opened, connections=4) as made:
        head = made.ledger.head()
        task = shown.add_task("Proving the ledger", total=head)
        confirmed = confirm(made, lambda checked: shown.update(task, completed=checked))
        shown.update(task, completed=head)
        jobs = requested(made, ALL)  # before anybody works, so that nothing is built twice
        with working(opened):
            built = followed(made, jobs, shown)
    return {
        "is_sound": confirmed.signed is not None,
        "position": head,
        "agreed_upto": confirmed.agreed_upto,
        "known_upto": confirmed.known_upto,
        "keys_destroyed": confirmed.destroyed,
        "statement": confirmed.signed.document if confirmed.signed else None,
        "read_models": {job.projection: job.state for job in built},
        **confirmed.found,
    }


def _say(told: dict[str, Any], *, json: bool) -> None:
    failed = [name for name, state in told["read_models"].items() if state != "done"]
    if json:
        as_json(told)
    elif told["is_sound"]:
        for each in _sentences(told):
            sentence(each)
        if not failed:
            sentence(f"Built: {', '.join(told['read_models'])}.")
    else:
        refusal(
            f"The ledger was restored to position {told['position']} and does not hold: crm verify says where. Nothing "
            f"was signed."
        )
    if failed and not json:
        refusal(f"Not built: {', '.join(failed)}; crm rebuild tries again.")
    if failed or not told["is_sound"]:
        raise typer.Exit(1)


def _sentences(told: dict[str, Any]) -> Iterator[str]:
    yield f"Restored to position {told['position']}: the chain and the claims hold, and that is signed."
    if told["agreed_upto"] is None and told["known_upto"] is None:
        yield "There were no signed checkpoints here to compare with: a missing end would not be noticed."
    elif told["agreed_upto"] is not None:
        yield f"Signed checkpoints agree up to position {told['agreed_upto']}."
    if told["known_upto"] is not None:
        missing = told["known_upto"] - told["position"]
        yield f"MISSING: checkpoints know of position {told['known_upto']}, so that {missing} later events are lost."
    if told["keys_destroyed"]:
        yield f"Keys of persons who were erased had come back and are destroyed: {told['keys_destroyed']}."
