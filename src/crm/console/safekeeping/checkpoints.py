"""Commands for checkpoints: what was signed about the ledger, kept outside the database."""

from __future__ import annotations

from base64 import b64encode
from typing import Annotated, Any

import typer

from crm.output import AsJson, as_json, as_table, refusal, sentence

app = typer.Typer(no_args_is_help=True, help="Checkpoints: signed statements of how far the ledger was.")


@app.command("list")
def all_checkpoints(
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest.")] = 50,
    json: AsJson = False,
) -> None:
    """Show the newest checkpoints, the newest first."""
    from crm import settings
    from crm.checkpoints import Checkpoints
    from ledger.proof.statements import Unreadable, parsed

    folder = Checkpoints(settings.read()).folder
    if not folder.is_there:
        refusal(f"There is no folder of checkpoints here: {folder.path}.")
        raise typer.Exit(1)
    found: list[tuple[str, dict[str, Any] | None]] = []
    for name in folder.names()[: -limit - 1 : -1]:
        try:
            found.append((name, parsed(folder.read(name) or b"").document))
        except Unreadable:
            found.append((name, None))
    if json:
        as_json([{"file": name, "statement": statement} for name, statement in found])
    else:
        rows = [(each["position"], each["kind"], each["signed_at"]) if each else (name,) for name, each in found]
        as_table(["position", "kind", "signed at"], rows)


@app.command()
def write(json: AsJson = False) -> None:
    """Check what came since the last checkpoint, and sign how far the ledger is now."""
    from crm.console.opening import services
    from ledger.proof.checkpointing import NotVouchedFor

    with services() as made:
        try:
            signed = made.checkpoints.write(made.database, waiting=True)
        except NotVouchedFor as refused:
            refusal(f"Nothing was signed, since the ledger is not as it was ({refused}): see crm verify.")
            raise typer.Exit(1) from None
    if json:
        as_json(signed.document if signed else None)
    elif signed is None:
        sentence("Nothing was recorded since the last checkpoint.")
    else:
        sentence(f"Signed position {signed.statement.position} in {made.checkpoints.folder.path}.")


@app.command()
def key(json: AsJson = False) -> None:
    """Show the public key that checkpoints are verified with."""
    from crm import settings
    from crm.checkpoints import Checkpoints

    keys = [b64encode(each).decode() for each in Checkpoints(settings.read()).known_keys()]
    if not keys:
        refusal("No key is known here: it is made with the first checkpoint, where the worker runs.")
        raise typer.Exit(1)
    as_json({"algorithm": "Ed25519", "key": keys[0], "known": keys}) if json else sentence(keys[0])
