"""Commands for tokens: who may use the API."""

from __future__ import annotations

from typing import Annotated

import typer

from crm.console.opening import services
from crm.output import AsJson, as_json, as_table, refusal, sentence

app = typer.Typer(no_args_is_help=True, help="Tokens: who may use the API.")


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", "-n", help="Whose token it is; a new name is a new member.")],
    json: AsJson = False,
) -> None:
    """Make a token and show it, this once."""
    from crm.members import make_token
    from crm.tokens import TokenNameTaken

    with services() as made:
        try:
            token = make_token(made, name)
        except TokenNameTaken:
            refusal(f"A token named {name} is in use already: revoke it first, or choose another name.")
            raise typer.Exit(1) from None
    as_json({"name": name, "token": token}) if json else sentence(token)


@app.command("list")
def all_tokens(json: AsJson = False) -> None:
    """Show the tokens that were made, never their texts."""
    from crm import tokens

    with services() as made:
        found = made.database.read(tokens.all_of)
    if json:
        as_json(found)
    else:
        as_table(
            ["name", "member", "made", "revoked"],
            [(each.name, each.member_id, each.created_at, each.revoked_at) for each in found],
        )


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The token's name.")],
    json: AsJson = False,
) -> None:
    """Take a token out of use; running processes notice within seconds."""
    from crm import tokens

    with services() as made, made.database.connection() as connection:
        done = tokens.revoke(connection, name)
    if not done:
        refusal(f"No token named {name} is in use.")
        raise typer.Exit(1)
    as_json({"name": name, "revoked": True}) if json else sentence(f"The token {name} is out of use.")
