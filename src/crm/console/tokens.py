"""Commands for tokens: who may use the API."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from uuid import UUID

import typer

from crm.console.opening import services
from crm.members import DEFAULT_DAYS
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
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help=f"For how long; {DEFAULT_DAYS} otherwise.")
    ] = None,
    never_ends: Annotated[bool, typer.Option("--never-ends", help="Until it is revoked.")] = False,
    member: Annotated[UUID | None, typer.Option(help="The id of the member, where a name is not enough.")] = None,
    json: AsJson = False,
) -> None:
    """Make a token and show it, this once."""
    from crm.members import NamesSeveral, make_token
    from policy.identity.refusals import RoleNotHeld, TokenNameTaken, TooManyTokens

    if never_ends and days is not None:
        _refuse("Give --days or --never-ends, not both.")
    roles = _known(role or [])
    with services() as made:
        try:
            token, text = make_token(made, name, roles, None if never_ends else days or DEFAULT_DAYS, member)
        except TooManyTokens as refused:
            whose = member or name
            _refuse(
                f"The member {whose} has {refused.most} tokens in use, which is the most: revoke one first, or all "
                f"with crm token revoke --all --member {whose}."
            )
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
    name: Annotated[str | None, typer.Argument(help="The token's name, or its id.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All tokens of the member that --member names.")] = False,
    member: Annotated[str | None, typer.Option(help="The member's id or name, with --all.")] = None,
    json: AsJson = False,
) -> None:
    """Revoke a token, or all of a member, with those made with them: they write nothing from then on.

    Running processes let them read for some seconds more.
    """
    if every:
        if name is not None or member is None:
            _refuse("With --all, name the member with --member and no token.")
        _revoke_all(member, json)
        return
    if name is None or member is not None:
        _refuse("Name a token, or give --all with --member.")
    _revoke_one(name, json)


def _revoke_all(member: str, json: bool) -> None:
    from crm.members import NamesSeveral, NoMemberNamed, revoke_tokens

    with services() as made:
        try:
            member_id, revoked = revoke_tokens(made, member)
        except (NamesSeveral, NoMemberNamed) as refused:
            _refuse(str(refused))
        except _unable() as refused:
            _refuse(f"There is no member with the id {member} ({refused.code}).")
    as_json({"member_id": member_id, "revoked": revoked}) if json else sentence(f"Tokens out of use: {revoked}.")


def _revoke_one(name: str, json: bool) -> None:
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
