"""The table of permissions: what is in it, how it is read, and how far it lets each role reach."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregates.choices import Role
from commands import ALL
from policy import EVERYBODY, NOBODY, Actor, Forbidden, Policy, Reach
from policy.actions import NEEDED_BY, PERMISSION_FOR
from policy.masking import masked
from policy.page import page as page_of_permissions
from policy.table import GRANTS, Scope, read
from projections import ALL as PROJECTIONS

ME, COLLEAGUE, STRANGER = uuid4(), uuid4(), uuid4()
TABLE = """
# A comment.
      sales supervisor manager finance service auditor administrator
a.do  own   team       all     -       -       -       -
"""


class Team:
    """Two who sit together."""

    def led_by(self, member_id: UUID) -> frozenset[UUID]:
        """Both of them."""
        return frozenset((ME, COLLEAGUE)) if member_id in (ME, COLLEAGUE) else frozenset((member_id,))


def somebody(*roles: str, source: str = "api", member_id: UUID | None = ME) -> Actor:
    return Actor(f"member:{member_id}", member_id, "", source, frozenset(roles))


POLICY = Policy(Team())


def test_every_command_needs_a_permission_and_every_permission_is_in_the_table() -> None:
    assert {command.action for command in ALL} <= PERMISSION_FOR.keys()
    assert NEEDED_BY.keys() == GRANTS.keys()
    assert sum(map(len, NEEDED_BY.values())) == len(PERMISSION_FOR), "an action stands under two permissions"


def test_a_table_that_is_not_whole_is_no_table() -> None:
    assert read(TABLE)["a.do"][Role.SUPERVISOR] is Scope.TEAM
    for broken in (
        TABLE.replace("auditor ", ""),
        TABLE.replace("own   team", "own"),
        TABLE.replace("team   ", "many   "),
        TABLE + "a.do - - - - - - -\n",
        TABLE.replace("sales ", "seller "),
    ):
        with pytest.raises(ValueError):  # noqa: PT011 - several sentences
            read(broken)


@pytest.mark.parametrize(
    ("roles", "reach"),
    [
        ((), NOBODY),
        (("finance",), NOBODY),
        (("sales",), Reach(frozenset((ME,)))),
        (("supervisor",), Reach(frozenset((ME, COLLEAGUE)))),
        (("sales", "supervisor"), Reach(frozenset((ME, COLLEAGUE)))),
        (("sales", "manager"), EVERYBODY),
        (("king",), NOBODY),
    ],
)
def test_somebody_in_several_roles_reaches_as_far_as_any_of_them(roles: tuple[str, ...], reach: Reach) -> None:
    assert Policy(Team(), read(TABLE)).reach(somebody(*roles), "a.do") == reach


def test_who_may_not_is_told_who_may() -> None:
    with pytest.raises(Forbidden) as refused:
        POLICY.require(somebody("sales"), "receive-payment")
    assert refused.value.values == {"action": "receive-payment", "roles": ("finance", "administrator")}


def test_what_nobody_thought_of_is_allowed_to_nobody() -> None:
    assert not POLICY.allows(somebody(*Role), "launch-rocket")
    assert not POLICY.allows(Actor("", None, "", "rule"), "read-tracking")
    assert POLICY.allows(somebody("administrator", member_id=None), "tag") is not False
    assert POLICY.allows(Actor("rule:x", None, "", "rule"), "launch-rocket")


def test_a_member_never_acts_as_the_service_itself() -> None:
    assert not somebody(source="import").is_ourselves
    assert not somebody(source="rule").is_ourselves
    assert not POLICY.allows(somebody(source="import"), "tag")


@given(
    st.frozensets(st.sampled_from([ME, COLLEAGUE, STRANGER])) | st.none(),
    st.frozensets(st.sampled_from([ME, COLLEAGUE, STRANGER])) | st.none(),
    st.lists(st.sampled_from([ME, COLLEAGUE, STRANGER, None]), max_size=3),
)
def test_two_reaches_together_cover_what_either_covers(
    one: frozenset[UUID] | None, other: frozenset[UUID] | None, owners: list[UUID | None]
) -> None:
    together = Reach(one) | Reach(other)
    assert together.covers(*owners) == (Reach(one).covers(*owners) or Reach(other).covers(*owners))
    assert together.includes(Reach(one))
    assert together.includes(Reach(other))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("13812345678", "138****5678"),
        ("+8613812345678", "+86****5678"),
        ("010-62345678", "010****5678"),
        ("62345678", "62****"),
        ("110", "****"),
        ("wang@example.com", "wan****.com"),
        ("", ""),
        (None, None),
    ],
)
def test_the_middle_of_a_number_is_hidden(text: str | None, shown: str | None) -> None:
    assert masked(text) == shown


def test_every_table_that_holds_what_belongs_to_a_customer_says_so() -> None:
    """A new table of a read model is seen by everybody only where that was thought of."""
    for projection in PROJECTIONS:
        for table in projection.tables.values():
            belongs = {"customer_id", "opportunity_id"} & set(table.column_names)
            assert not belongs or table.seen_by, f"{projection.name}.{table.name} is seen by everybody"


def test_the_page_on_permissions_says_what_the_table_says() -> None:
    page = Path(__file__).parents[2] / "docs" / "permissions.md"
    assert page.read_text(encoding="utf-8") == page_of_permissions(), "run: PYTHONPATH=src python -m policy.page"
