"""Commands for backups: making one while the service runs, and looking after those there are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.output import AsJson, Heading, as_columns, as_json, bar, sentence

if TYPE_CHECKING:
    from crm.backups.manifest import Manifest

app = typer.Typer(no_args_is_help=True, help="Backups: those there are, whether they are sound, and keys for them.")
Trusting = Annotated[bool, typer.Option("--trust", help="Take a backup that is signed with a key not known here.")]
Identity = Annotated[
    Path | None, typer.Option("--identity", help="The file of secret keys, where the backup is encrypted.")
]


def backup(
    every: Annotated[
        float | None,
        typer.Option(
            "--every", min=0.1, max=8760, help="Go on, and make one whenever the newest is so many hours old."
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Make a backup while the service runs, bring the key copy up to date, and remove what need not be kept."""
    from crm import settings, store
    from crm.backups.errors import BackupUnusable
    from crm.backups.making import make, thin

    if every is not None:
        from crm.processes.backup import run

        run(every)
        return
    chosen = settings.read()
    try:
        with store.opened(chosen) as opened, bar(quiet=json) as shown:
            task = shown.add_task("Events", total=None)
            made = make(opened, lambda done, total: shown.update(task, completed=done, total=total))
    except OSError as failed:
        raise BackupUnusable(f"The backup or the key copy cannot be written: {failed}.") from failed
    try:
        removed = [str(each) for each in thin(opened, made.manifest.ledger_id)]
    except OSError as failed:
        raise BackupUnusable(f"{made.path} was written, and older ones cannot be removed: {failed}.") from failed
    if json:
        as_json({**_told(made.path, made.manifest), "bytes": made.size, "keys": made.keys, "removed": removed})
        return
    encrypted = ", encrypted" if made.manifest.is_encrypted else ""
    sentence(f"Wrote {made.path} ({megabytes(made.size)}{encrypted}), up to position {made.manifest.position}.")
    sentence(
        f"The key copy {chosen.backups.key_copy(chosen.schema)} has {made.keys} keys: keep it apart from the backup."
    )
    for each in removed:
        sentence(f"Removed {each}.")


@app.command("list")
def all_backups(json: AsJson = False) -> None:
    """Show the backups there are, the newest first."""
    from crm import settings
    from crm.backups.errors import BackupUnusable
    from crm.backups.file import opened
    from crm.backups.folder import Folder

    chosen = settings.read()
    found: list[dict[str, Any]] = []
    for path in Folder(chosen.backup_dir).all():
        try:
            with opened(path, ()) as each:
                found.append({**_told(path, each.manifest), "bytes": path.stat().st_size})
        except BackupUnusable as unusable:
            found.append({"file": str(path), "fault": str(unusable)})
    if json:
        as_json(found)
        return
    rows = [
        [Path(each["file"]).name, f"{each['made_at']:%Y-%m-%d %H:%M}", str(each["position"]), megabytes(each["bytes"])]
        if "position" in each
        else [Path(each["file"]).name, "UNUSABLE", "", ""]
        for each in found
    ]
    headings = [Heading("backup"), Heading("made at"), Heading("position", right=True), Heading("size", right=True)]
    as_columns(headings, rows, wide=True)


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    identity: Identity = None,
    trusting: Trusting = False,
    json: AsJson = False,
) -> None:
    """Read a whole backup and see that every byte is as it was written, and that it is signed with a key known here.

    Exit code 1 when it is not.
    """
    from crm import settings
    from crm.backups.encryption import Unlock
    from crm.backups.file import opened
    from crm.checkpoints import Checkpoints

    with opened(file, Checkpoints(settings.read()).known_keys()) as found, bar(quiet=json) as shown:
        manifest = found.manifest
        unlock = Unlock(identity) if identity else None
        task = shown.add_task("Reading", total=manifest.size)
        for table in manifest.tables:
            if unlock or not manifest.is_encrypted:
                for rows in found.rows(table, unlock):
                    shown.advance(task, len(rows) * manifest.size / max(manifest.raw_size, 1))
            else:
                for piece in table.pieces:
                    found.stored(piece)
                    shown.advance(task, piece.size)
    if json:
        as_json({**_told(file, manifest), "is_sound": True, "is_known": found.is_known})
    else:
        sentence(
            f"Every byte of {file} is as it was written at {manifest.made_at}, up to position {manifest.position}."
        )
        sentence("It is signed with a key that is known here." if found.is_known else unknown_signer(file, manifest))
    if not (found.is_known or trusting):
        raise typer.Exit(1)
    if manifest.is_encrypted and not identity and not json:
        sentence(
            "It is encrypted; that it can be decrypted was not tried: name the file of secret keys with --identity."
        )


@app.command()
def keygen(
    out: Annotated[Path, typer.Option("--out", help="Where to write the secret key; keep it away from this machine.")],
) -> None:
    """Make a secret key for encrypted backups, and print the recipient for CRM_BACKUP_RECIPIENTS."""
    from crm.backups.encryption import new_secret
    from crm.console.asking import Refused
    from ledger.placing import Taken, placed

    secret, recipient = new_secret()
    try:
        with placed(out, mode=0o600) as file:
            file.write(f"# public key: {recipient}\n{secret}\n".encode())
    except Taken:
        raise Refused(f"{out} is there already: choose another name.") from None
    except OSError as failed:
        raise Refused(f"{out} cannot be written: {failed.strerror or failed}.") from failed
    sentence(recipient)


def unknown_signer(file: Path, manifest: Manifest) -> str:
    """What to do about a backup that anybody may have made."""
    return (
        f"{file} is signed with {_key(manifest)}, which is not known here. Compare it with what `crm checkpoints key` "
        f"says on the machine that made it; only if it is the same, bring its signing.key here, or name the key in "
        f"CRM_TRUSTED_KEYS. --trust takes the backup as it is: then nobody vouches for its passwords and tokens."
    )


def said(manifest: Manifest) -> str:
    """Of when a backup is, and how far its ledger goes."""
    return f"{manifest.made_at:%Y-%m-%d %H:%M:%S} UTC, up to position {manifest.position}"


def megabytes(size: int) -> str:
    """A size to be read."""
    return f"{size / 1e6:,.1f} MB"


def _told(path: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "file": str(path),
        "made_at": manifest.made_at,
        "genjin": manifest.genjin,
        "schema": manifest.schema,
        "ledger_id": manifest.ledger_id,
        "position": manifest.position,
        "is_encrypted": manifest.is_encrypted,
        "signed_with": _key(manifest),
    }


def _key(manifest: Manifest) -> str:
    from base64 import b64encode

    return b64encode(manifest.signed_with).decode()
