"""Commands for erasures: who was erased, by the register outside the database, and doing it once more."""

from __future__ import annotations

import typer

from crm.output import AsJson, as_json, as_table, sentence

app = typer.Typer(no_args_is_help=True, help="Erasures: whose personal data was made unreadable for good.")


@app.command("list")
def all_erasures(json: AsJson = False) -> None:
    """Show the register, the oldest first; it holds ids and no names."""
    from crm import settings
    from ledger.erasing.register import Register

    found = Register(settings.read().erasures).all()
    if json:
        as_json([vars(each) for each in found])
    else:
        rows = [
            (each.recorded_at, each.position, each.customer_id, *each.subjects[:1], len(each.subjects))
            for each in found
        ]
        as_table(["recorded", "position", "customer", "subject", "subjects"], rows)


@app.command()
def apply(json: AsJson = False) -> None:
    """Erase once more whoever came back with a restored database; a worker does the same at its start."""
    from crm.console.opening import services
    from ledger.erasing.applying import apply as applied_to

    with services() as made:
        applied = applied_to(made.database, made.keyring, made.erasures)
        forgotten = made.key_copy.forget(made.erasures.subjects())
    if json:
        as_json({"destroyed": applied.destroyed, "registered": applied.registered, "forgotten": forgotten})
    else:
        sentence(
            f"Keys destroyed once more: {len(applied.destroyed)}; erasures added to the register: "
            f"{applied.registered}; keys taken out of the key copy: {forgotten}."
        )
