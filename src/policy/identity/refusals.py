"""What is refused to whoever wants to show who it is."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from aggregates.base import DomainError


class SignInRefused(DomainError):
    """Address and password do not belong together; which of them is wrong is not told."""

    code = "sign-in-refused"


class SignInSlowed(DomainError):
    """There were too many wrong passwords; the right one is looked at again after so many seconds."""

    code = "sign-in-slowed"
    seconds: int


class PasswordTooShort(DomainError):
    """A password needs more characters."""

    code = "password-too-short"
    field: str
    least: int


class PasswordTooLong(DomainError):
    """A password may not have that many characters."""

    code = "password-too-long"
    field: str
    most: int


class PasswordTooPlain(DomainError):
    """A password is one of those that are tried first: a common one, a row of keys, the same thing repeated."""

    code = "password-too-plain"
    field: str


class PasswordNamesMember(DomainError):
    """A password is the name or the address of whom it is for."""

    code = "password-names-member"
    field: str


class PasswordWrong(DomainError):
    """The present password is another one."""

    code = "password-wrong"
    at = "current_password"


class CodeUnusable(DomainError):
    """A code for one time is unknown, too old, used already or no longer meant for anybody."""

    code = "code-unusable"
    at = "code"


class AddressMissing(DomainError):
    """The member has no e-mail address to sign in with; an invitation gives it one."""

    code = "address-missing"
    id: UUID


class AddressTaken(DomainError):
    """Another member signs in with this e-mail address."""

    code = "address-taken"
    id: UUID


class TokenNameTaken(DomainError):
    """A token of this name is in use already."""

    code = "token-name-taken"
    at = "name"
    name: str


class TooManyTokens(DomainError):
    """The member has as many tokens in use as a member may have."""

    code = "too-many-tokens"
    most: int


class RoleNotHeld(DomainError):
    """A token cannot act in a role that the member, or the token that makes it, does not have."""

    code = "role-not-held"
    at = "roles"
    given: tuple[str, ...]
    held: tuple[str, ...]


class LimitedToken(DomainError):
    """A token for some roles reaches no tokens of other members, no codes, and not its own member's address."""

    code = "limited-token"


class OutlivesItsMaker(DomainError):
    """A token that is made with a token ends no later than that one."""

    code = "outlives-its-maker"
    at = "days"
    expires_at: datetime


class OpenIdOff(DomainError):
    """No OpenID provider is set up."""

    code = "openid-off"


class OpenIdRefused(DomainError):
    """The provider's answer does not let anybody in; why is for the log."""

    code = "openid-refused"


class OpenIdAway(DomainError):
    """The provider cannot be reached, or answers something that it should not."""

    code = "openid-away"
