"""Commands for tokens: who may use the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from uuid import UUID

import typer

from crm.console.opening import services
from crm.output import AsJson, as_json, as_table, refusal, sentence

if TYPE_CHECKING:
    from aggregates.base import DomainError
    from policy.identity.tokens import Token

app = typer.Typer(no_args_is_help=True, help="Tokens: who may use the API.")


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", "-n", help="Whose token it is; a new name is a new member.")],
    role: Annotated[
        list[str] | None,
        typer.Option(help="What a new member does (administrator otherwise); a known one acts in these roles alone."),
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="For how long; for ever otherwise.")] = None,
    member: Annotated[UUID | None, typer.Option(help="The id of the member, where a name is not enough.")] = None,
    json: AsJson = False,
) -> None:
    """Make a token and show it, this once."""
    from crm.members import NamesSeveral, make_token
    from policy.identity.refusals import RoleNotHeld, TokenNameTaken

    roles = _known(role or [])
    with services() as made:
        try:
            token, text = make_token(made, name, roles, days, member)
        except TokenNameTaken:
            _refuse(f"A token named {name} is in use already: revoke it first, or choose another name.")
        except RoleNotHeld as refused:
            held = ", ".join(refused.held) or "none"
            _refuse(f"The member {name} has the roles {held}: a token cannot have others.")
        except NamesSeveral as refused:
            _refuse(str(refused))
        except _unable() as refused:
            _refuse(f"The member cannot have a token ({refused.code}).")
    as_json({**asdict(token), "token": text}) if json else sentence(text)


@app.command("list")
def all_tokens(json: AsJson = False) -> None:
    """Show the tokens that were made, never their texts."""
    from policy.identity import tokens

    with services() as made:
        found = made.database.read(tokens.all_of)
    if json:
        as_json(found)
    else:
        headings = ["name", "member", "roles", "made", "used", "ends", "revoked"]
        as_table(headings, [_row(each) for each in found])


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The token's name, or its id.")],
    json: AsJson = False,
) -> None:
    """Take a token out of use; running processes notice within seconds."""
    from policy.identity import tokens

    with services() as made, made.database.connection() as connection:
        in_use = [each for each in tokens.all_of(connection) if each.revoked_at is None]
        found = [each for each in in_use if name in (each.name, str(each.id))]
        if not found:
            _refuse(f"No token named {name} is in use.")
        if len(found) > 1:
            _refuse(
                f"Several tokens are named {name}: name one by its id ({', '.join(str(each.id) for each in found)})."
            )
        tokens.revoke(connection, found[0].id)
    as_json({"name": found[0].name, "revoked": True}) if json else sentence(f"The token {name} is out of use.")


def _known(roles: list[str]) -> list[str]:
    """The roles by their keys, however they were named."""
    from aggregates.choices import Role

    found = [role for each in roles if (role := Role.meant_by(each)) is not None]
    if len(found) < len(roles):
        _refuse(f"--role must be one of {', '.join(Role)}.")
    return [str(each) for each in found]


def _unable() -> tuple[type[DomainError], ...]:
    from aggregates.member import MemberRemoved, MemberSuspended
    from ledger.errors import NotFound

    return MemberRemoved, MemberSuspended, NotFound


def _refuse(why: str) -> NoReturn:
    refusal(why)
    raise typer.Exit(1)


def _row(token: Token) -> tuple[Any, ...]:
    roles = "all" if token.roles is None else ", ".join(token.roles)
    return token.name, token.member_id, roles, token.created_at, token.last_used_at, token.expires_at, token.revoked_at
