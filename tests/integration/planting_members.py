"""A member who did and owned something and left again, in words that stand nowhere else, and where these are found."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from integration.planting import LISTS
from integration.serving import Api
from policy import Actor
from policy.identity import tokens

FORMER_NAME, NAME = "慕容白露", "慕容霜降"
FORMER_ADDRESS, ADDRESS = "bailu@murong.example", "shuangjiang@murong.example"
TOKEN_NAME = "霜降的周报"
PLACE = "198.51.100.7"
WORDS = {FORMER_NAME, NAME, FORMER_ADDRESS, ADDRESS, TOKEN_NAME, "慕容", "霜降", "murong"}
"""What is looked for afterwards: words that stand nowhere else."""
ALIVE = (
    "/members",
    "/teams",
    "/tracking/won",
    "/tracking/due",
    "/receivables/statuses",
    "/receivables/punctuality",
    "/funnel",
    "/funnel/conversion",
)
BY_OWNER = ("/funnel", "/funnel/conversion", "/receivables/aging", "/receivables/punctuality")
SIGNED_IN_WITH = ("member_addresses", "passwords", "sessions", "one_time_codes", "sign_in_places")


class PlantedMember:
    """A member under a second name and address, who signed in, worked, was handed over from, and was removed."""

    def __init__(self, api: Api) -> None:
        self.api = api
        team = api.done("/teams", {"name": "三部", "region": "华东"})["id"]
        body = {"name": FORMER_NAME, "email": FORMER_ADDRESS, "team_id": team, "roles": ["sales", "manager"]}
        self.id = str(api.done("/members", body)["id"])
        api.done(f"/members/{self.id}", {"name": NAME}, "PATCH")
        api.done(f"/members/{self.id}/invitation", {"email": ADDRESS})
        self.let_in()
        self.customer, self.deal, self.owed = self._work()
        self.known_at = api.services.ledger.recorded_at(api.head()).isoformat()

    @property
    def actor(self) -> str:
        """Who it is in the history."""
        return f"member:{self.id}"

    def let_in(self) -> None:
        """It has everything that one signs in with: a password, a session, a code that was not used, tokens."""
        entrance, member_id = self.api.services.identity.entrance, UUID(self.id)
        password = secrets.token_urlsafe(18)
        code = entrance.make_code("invitation", member_id, "rule:test")
        entrance.by_code(code.text, "invitation", password)
        entrance.by_password(ADDRESS, password, PLACE)
        entrance.make_code("password-reset", member_id, "rule:test")
        with self.api.services.database.connection() as connection:
            tokens.create(connection, TOKEN_NAME, member_id)
            former, _ = tokens.create(connection, NAME, member_id)
            tokens.revoke(connection, former.id)

    def _work(self) -> tuple[str, str, str]:
        api, member_id = self.api, UUID(self.id)
        token = secrets.token_urlsafe(16)
        roles = frozenset({"sales", "manager"})
        api.actors[token] = Actor(self.actor, member_id, NAME, "api", roles)
        own = replace(api, member_id=member_id, headers={"Authorization": f"Bearer {token}"})
        customer = own.customer("海棠器械", owner_id=self.id)
        deal_on = {"result": "won", "deal_on": "2026-02-03", "occurred_at": "2026-02-03T10:00:00+08:00"}
        own.done(f"/customers/{customer}/follow-ups", {"method": "phone", "follower_id": self.id, **deal_on})
        deal = own.opportunity(customer, owner_id=self.id, amount="500.00")
        won = own.opportunity(customer, "旧项目", owner_id=self.id)
        own.done(f"/opportunities/{won}/win", {"amount": "900.00"})
        owed = own.receivable(customer, opportunity_id=deal)
        own.done(f"/receivables/{owed}/payments", {"amount": "10.00"}, headers=api.headers)
        assert own.request("POST", f"/members/{self.id}/removal", json={}).status_code == 403
        api.position = max(api.position, own.position)
        return customer, deal, owed

    def leave(self) -> None:
        """Hand everything over, and go."""
        self.api.done(f"/members/{self.id}/handover", {"member_id": str(self.api.member_id)})
        self.api.done(f"/members/{self.id}/removal")

    def answers(self) -> Iterator[tuple[str, str]]:
        """Everything that can be read that could show its name, now and as it was known before it left."""
        records = (f"/customers/{self.customer}", f"/customers/{self.customer}/history", f"/members/{self.id}")
        more = (f"/opportunities/{self.deal}", f"/receivables/{self.owed}")
        moments: tuple[dict[str, Any], ...] = ({}, {"as_of": self.known_at})
        for moment in moments:
            for path in (*LISTS, *ALIVE, *records, *more):
                yield f"{path} {moment}", self._text(path, **moment, **_asked(path))
            for path in BY_OWNER:
                yield f"{path} by owner {moment}", self._text(path, by="owner", **moment)
            for lang in ("zh", "en"):
                asked: dict[str, Any] = {"aggregate_id": self.id, "lang": lang}
                yield f"/audit/events {asked} {moment}", self._text("/audit/events", **asked, **moment)
        for version in range(1, 4):
            yield f"version {version}", self._text(f"/members/{self.id}", version=version)
        yield "/events", self._text("/events", is_ledger=True, limit=1000)
        yield "/audit/accesses", self._text("/audit/accesses", is_ledger=True)
        yield "tokens", self._text(f"/members/{self.id}/tokens", is_ledger=True)

    def found_by(self, word: str, **moment: Any) -> list[Any]:
        """Where searching and filtering by a name leads."""
        found: list[Any] = []
        for path, asked in (
            ("/members", {"q": word}),
            ("/members", {"name[eq]": word}),
            ("/tracking", {"owner[contains]": word}),
            ("/tracking", {"q": word}),
            ("/opportunities", {"owner[contains]": word}),
        ):
            found += self.api.read(path, **asked, **moment)["items"]
        return found

    def kept(self) -> dict[str, int]:
        """How many rows are kept of what it signed in with, by table; those where there are any."""
        with self.api.services.database.connection() as connection:
            counted = {}
            for table in SIGNED_IN_WITH:
                query = f"SELECT count(*) FROM {table} WHERE member_id = %s"
                row = connection.execute(query.encode(), [self.id]).fetchone()
                counted[table] = row[0] if row else 0
        return {table: rows for table, rows in counted.items() if rows}

    def tokens(self) -> list[tuple[str, bool]]:
        """The names of its tokens, each with whether it was revoked."""
        with self.api.services.database.connection() as connection:
            found = tokens.all_of(connection, UUID(self.id))
        return [(each.name, each.revoked_at is not None) for each in found]

    def _text(self, path: str, *, is_ledger: bool = False, **asked: Any) -> str:
        after = {} if is_ledger or "as_of" in asked or "version" in asked else {"after": self.api.position}
        for _ in range(10):
            answer = self.api.get(path, **after, **asked)
            if answer.status_code != 202:
                break
        assert answer.status_code == 200, (path, asked, answer.text)
        return str(answer.text)


def _asked(path: str) -> dict[str, Any]:
    return {"from_on": "2026-01-01", "until_on": "2099-12-31"} if path == "/tracking/won" else {}
