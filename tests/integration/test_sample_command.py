"""`crm sample` and `crm export`: a company is loaded, every table of it is proven, and taken along whole."""

from __future__ import annotations

import csv
import io
import json
import secrets
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
from psycopg import sql
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner, Result

from crm import settings, store
from crm.cli import app
from crm.console.asking import answer
from crm.exporting import Unanswerable, asked_of
from crm.services import Services
from crm.services import services as made_for
from keys import MASTER_KEY, as_setting
from projections import ALL
from projections.engine.verifying import verify

CUSTOMERS = 25
PATHS = {
    "tracking": "/tracking",
    "opportunities": "/opportunities",
    "receivables": "/receivables",
    "overdue": "/receivables/overdue",
    "history": "/audit/events",
}


@dataclass(frozen=True)
class Loaded:
    """A workspace that `crm sample` has filled, what it said, and the services on it."""

    environment: dict[str, str]
    said: dict[str, Any]
    services: Services

    def run(self, *words: str | Path) -> Result:
        """Run a command there."""
        with patch.dict("os.environ", self.environment):
            return CliRunner().invoke(app, [str(word) for word in words])

    def rows(self, table: str, *asked: tuple[str, str]) -> list[dict[str, Any]]:
        """What the API answers, page after page."""
        items: list[dict[str, Any]] = []
        more: list[tuple[str, str]] = [("limit", "100"), *asked]
        page: dict[str, Any] = {"next": "first"}
        while page["next"]:
            page = answer(self.services, PATHS[table], more)
            items += page["items"]
            more = [("limit", "100"), *asked, ("cursor", page["next"] or "")]
        return items


@pytest.fixture(scope="module")
def loaded(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """A company of a few customers in a schema of its own."""

    schema = f"t_{secrets.token_hex(4)}"
    environment = {
        "CRM_DATABASE_URL": server,
        "CRM_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "CRM_MASTER_KEY": as_setting(MASTER_KEY),
        "CRM_SCHEMA": schema,
    }
    with patch.dict("os.environ", environment):
        done = CliRunner().invoke(app, ["sample", "--schema", schema, "--customers", str(CUSTOMERS), "--json"])
    assert done.exit_code == 0, done.output
    with store.opened(settings.read(environment)) as opened, made_for(opened, connections=6) as made:
        yield Loaded(environment, json.loads(done.stdout), made)
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute("SET client_min_messages = warning")
        for (name,) in connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname = %s OR starts_with(nspname, %s)", [schema, f"{schema}_"]
        ).fetchall():
            connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


def test_a_company_is_loaded_and_all_its_tables_are_proven(loaded: Loaded) -> None:
    assert loaded.said["counts"]["customers"] == CUSTOMERS
    assert loaded.said["events"] == loaded.services.ledger.head()
    for each in ALL:
        assert verify(loaded.services.ground, each).is_clean, each.name


def test_its_token_belongs_to_somebody_who_works_there(loaded: Loaded) -> None:
    actor = loaded.services.tokens.actor_of(loaded.said["token"])
    assert actor is not None
    assert actor.name == loaded.said["member"]
    assert actor.id in {each["actor"]["id"] for each in loaded.rows("history")}


def test_no_conversation_is_marked_as_entered_late(loaded: Loaded) -> None:
    assert not any("entered_late" in row["flags"] for row in loaded.rows("tracking"))


def test_a_schema_with_a_history_is_left_alone(loaded: Loaded) -> None:
    before = loaded.services.ledger.head()
    again = loaded.run("sample", "--schema", loaded.said["schema"])
    assert (again.exit_code, again.stdout) == (2, "")
    assert f"has {before} events already: name another one with --schema" in again.stderr
    assert loaded.services.ledger.head() == before


def test_a_name_that_is_no_schema_is_refused(loaded: Loaded) -> None:
    refused = loaded.run("sample", "--schema", "Not A Schema")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("crm: --schema must be")


@pytest.mark.parametrize("table", PATHS)
def test_an_export_has_the_rows_that_the_api_lists(loaded: Loaded, table: str, tmp_path: Path) -> None:
    with patch("crm.exporting.reading.PAGE", 4), patch("crm.exporting.reading.EVENTS_A_PAGE", 50):
        done = loaded.run("export", table, tmp_path / "out.json", "--lang", "en", "--json")
    assert done.exit_code == 0, done.output
    expected = loaded.rows(table, *([("order", "oldest")] if table == "history" else []))
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8")) == expected
    assert json.loads(done.stdout)["rows"] == len(expected) > 0


def test_filters_sorts_days_and_searches_are_those_of_the_api(loaded: Loaded) -> None:
    name = str(loaded.rows("tracking")[0]["name"])
    cases: list[tuple[str, list[str], list[tuple[str, str]]]] = [
        ("tracking", ["--q", name[2:4], "--sort", "-name"], [("q", name[2:4]), ("sort", "-name")]),
        (
            "receivables",
            ["--filter", "status[eq]=paid", "--sort", "amount"],
            [("status[eq]", "paid"), ("sort", "amount")],
        ),
        ("opportunities", ["--on", "2026-01-01"], [("on", "2026-01-01")]),
        ("history", ["--filter", "topic=member.registered", "--sort", "-position"], [("topic", "member.registered")]),
    ]
    for table, words, asked in cases:
        done = loaded.run("export", table, "-", "--format", "jsonl", "--lang", "en", *words)
        assert done.exit_code == 0, done.output
        assert [json.loads(line) for line in done.stdout_bytes.splitlines()] == loaded.rows(table, *asked), table


def test_what_was_known_then_is_exported_as_it_was_known(loaded: Loaded, tmp_path: Path) -> None:
    then = loaded.services.ledger.recorded_at(200)
    done = loaded.run(
        "export", "history", tmp_path / "then.jsonl", "--as-of", then.astimezone(UTC).isoformat(), "--json"
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["position"] == told["rows"] >= 200
    late = loaded.run("export", "history", tmp_path / "late.jsonl", "--as-of", "2190-01-01T00:00:00Z")
    assert (late.exit_code, (tmp_path / "late.jsonl").exists()) == (2, False)
    assert late.stderr.startswith("crm: as_of: ")


def test_a_workbook_and_a_csv_say_the_same(loaded: Loaded, tmp_path: Path) -> None:
    for name in ("receivables.xlsx", "receivables.csv"):
        assert loaded.run("export", "receivables", tmp_path / name).exit_code == 0
    book = CalamineWorkbook.from_path(tmp_path / "receivables.xlsx")
    assert book.sheet_names == ["应收账款"]
    heading, *rows = book.get_sheet_by_index(0).to_python()
    text = (tmp_path / "receivables.csv").read_text(encoding="utf-8-sig")
    listed = list(csv.DictReader(io.StringIO(text, newline="")))
    api = loaded.rows("receivables")
    assert len(rows) == len(listed) == len(api)
    for row, line, shown in zip((dict(zip(heading, row, strict=True)) for row in rows), listed, api, strict=True):
        assert row["发票号"] == line["发票号"] == shown["invoice_no"]
        assert f"{row['未收金额']:.2f}" == line["未收金额"] == shown["open"]
        assert str(row["到期日"]) == line["到期日"] == shown["due_on"]
        assert isinstance(row["录入时间"], datetime)


def test_nothing_is_overwritten_unasked(loaded: Loaded, tmp_path: Path) -> None:
    path = tmp_path / "overdue.csv"
    path.write_text("mine", encoding="utf-8")
    refused = loaded.run("export", "overdue", path)
    assert (refused.exit_code, path.read_text(encoding="utf-8")) == (2, "mine")
    assert "--force" in refused.stderr
    assert loaded.run("export", "overdue", path, "--force").exit_code == 0
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tracking", "out.doc"], "must end in .csv, .xlsx, .json, .jsonl"),
        (["tracking", "-", "--filter", "nonsense[eq]=1"], "nonsense[eq]: there is no field"),
        (["tracking", "-", "--filter", "nonsense"], "A filter is written field[op]=value"),
        (["tracking", "-", "--sort", "nonsense"], "sort: "),
        (["tracking", "-", "--on", "2026-02-31"], "on: "),
        (["tracking", "-", "--columns", "code,nonsense"], "There is no column 'nonsense'"),
        (["history", "-", "--q", "x"], "cannot be searched"),
        (["history", "-", "--filter", "amount[gte]=1"], "The history is filtered by topic=..."),
        (["history", "-", "--sort", "name"], "sorted by position or -position"),
        (["history", "-", "--filter", "customer_id=nobody"], "customer_id: "),
    ],
)
def test_a_question_that_does_not_fit_is_refused_before_anything_is_opened(words: list[str], said: str) -> None:
    with patch("crm.console.opening.working_services", side_effect=AssertionError):
        refused = CliRunner().invoke(app, ["export", *words])
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert said in refused.stderr


def test_a_question_is_refused_by_name() -> None:
    with pytest.raises(Unanswerable):
        asked_of("overdue", filters=["q=x"])
