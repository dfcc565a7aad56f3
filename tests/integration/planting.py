"""A customer with everything that can be said of one, in words that stand nowhere else, and where these are found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
from psycopg import sql

from integration.serving import Api

PERSON = {
    "name": "欧阳琉璃",
    "title": "采购",
    "mobile": "13987650001",
    "phone": "021-87650002",
    "email": "liuli@qx.example",
}
FORMER = {"name": "司徒墨", "mobile": "13987650003"}
STAYS = {"name": "端木岚", "mobile": "13987650004"}
PROFILE = {
    "name": "琥珀星辰贸易行",
    "phone": "021-87650005",
    "email": "office@hupo.example",
    "address": "琥珀路八十八号",
    "need": "需求暗号甲",
    "budget": "预算暗号乙",
    "notes": "备注暗号丙",
    "personality": "性格暗号丁",
}
SAID = {
    "content": "内容暗号戊",
    "feedback": "反馈暗号己",
    "subject": "主题暗号庚",
    "participants": "参与暗号辛",
    "next_action": "行动暗号壬",
}
DEAL = {
    "name": "商机暗号子",
    "decision_maker": "决策暗号丑",
    "risks": "风险暗号寅",
    "plan": "计划暗号卯",
    "competitors": "对手暗号辰",
}
"""What is looked for afterwards: words and numbers that stand nowhere else."""


class Planted:
    """A customer with everything that can be said of one, and three contacts of which one has left."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.id = api.customer(**PROFILE)
        for contact in (PERSON, FORMER, STAYS):
            api.done(f"/customers/{self.id}/contacts", contact)
        shown = api.get(f"/customers/{self.id}").json()["contacts"]
        self.person, self.former, self.stays = (each["contact_id"] for each in shown)
        api.done(f"/customers/{self.id}/contacts/{self.former}", method="DELETE")
        api.done(f"/customers/{self.id}/follow-ups", {"method": "phone", "contact_id": self.person, **SAID})
        self.deal = api.opportunity(self.id, **DEAL)
        self.owed = api.receivable(self.id, description="应收暗号巳")
        api.done(f"/receivables/{self.owed}/reminders", {"channel": "phone", "note": "提醒暗号午"})
        api.done(f"/receivables/{self.owed}/dispute", {"note": "争议暗号未"})
        api.done(f"/receivables/{self.owed}/dispute/settlement", {"note": "解决暗号申"})
        api.done(f"/receivables/{self.owed}/payments", {"amount": "10.00", "note": "回款暗号酉"})
        self.known_at = api.services.ledger.recorded_at(api.head()).isoformat()
        self.words = {*PERSON.values(), *FORMER.values(), *STAYS.values(), *PROFILE.values(), *SAID.values()} - {"采购"}
        self.words |= {*DEAL.values(), "应收暗号巳", "提醒暗号午", "争议暗号未", "解决暗号申", "回款暗号酉"}
        self.words |= {"87650001", "87650002", "87650003", "87650005"}

    def answers(self) -> Iterator[tuple[str, str]]:
        """Everything that can be read that could show something of it, now and as it was known before."""
        for moment in ({}, {"as_of": self.known_at}):
            for path in LISTS:
                yield path, self._text(path, **moment)
            for path in (
                f"/customers/{self.id}",
                f"/customers/{self.id}/history",
                f"/opportunities/{self.deal}",
                f"/receivables/{self.owed}",
            ):
                yield path, self._text(path, **moment)
        for version in range(1, 5):
            yield f"version {version}", self._text(f"/customers/{self.id}", version=version)
        yield "/events", self._text("/events", limit=1000)

    def found_by(self, word: str) -> list[Any]:
        """Where a search for it leads."""
        items: list[Any] = self.api.read("/tracking", q=word)["items"]
        return items

    def _text(self, path: str, **asked: Any) -> str:
        after = {} if "as_of" in asked or path == "/events" else {"after": self.api.position}
        for _ in range(10):
            answer = self.api.get(path, **after, **asked)
            if answer.status_code != 202:
                break
        assert answer.status_code == 200, (path, asked, answer.text)
        return str(answer.text)


LISTS = (
    "/tracking",
    "/customers",
    "/opportunities",
    "/receivables",
    "/receivables/overdue",
    "/receivables/aging",
    "/funnel/sources",
    "/audit/events",
)


def tables_with(server: str, schema: str, words: set[str]) -> dict[str, set[str]]:
    """By table of the workspace and all its read models: which of the words stand in it."""
    found: dict[str, set[str]] = {}
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        tables = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = %s OR starts_with(schemaname, %s)",
            [schema, f"{schema}_"],
        ).fetchall()
        for name, table in tables:
            rows = connection.execute(sql.SQL("SELECT to_jsonb(t)::text FROM {} t").format(sql.Identifier(name, table)))
            text = "\n".join(row for (row,) in rows)
            if here := {word for word in words if word in text}:
                found[f"{name}.{table}"] = here
    return found
