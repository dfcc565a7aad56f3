"""`crm import` at a terminal: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from crm.cli import app
from ledger.database import Database

HEADING = "countryCode,customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate,DaysLate\n"
GOOD = "391,A-1,0001,1/2/2013,2/1/2013,55.94,Yes,1/15/2013,0\n"
BAD = "391,A-1,0002,2/30/2013,2/1/2013,1.005,No,,0\n"


@pytest.fixture(autouse=True)
def environment(server: str, workspace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The command finds the workspace of the test."""
    found = {"CRM_DATABASE_URL": server, "CRM_SCHEMA": workspace, "CRM_DATA_DIR": str(tmp_path / "data")}
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """One good row and one bad one."""
    path = tmp_path / "invoices.csv"
    path.write_text(HEADING + GOOD + BAD, encoding="utf-8")
    return path


def run(*words: str | Path) -> Result:
    """Run the command with these words."""
    return CliRunner().invoke(app, ["import", "--profile", "ibm-receivables", *map(str, words)])


def events(database: Database) -> int:
    """How many events there are."""
    with database.connection() as connection:
        row = connection.execute("SELECT count(*) FROM events").fetchone()
    assert row is not None
    return int(row[0])


def test_it_names_every_refused_row_and_counts_the_rest(file: Path) -> None:
    result = run(file)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "invoices.csv:3 InvoiceDate '2/30/2013': not a date; 31 January 2013 is written 01/31/2013",
    ]
    assert [line.split() for line in result.stdout.splitlines()[:3]] == [
        ["record", "rows", "imported", "unchanged", "changed", "refused"],
        ["customers", "2", "1", "0", "0", "1"],
        ["invoices", "2", "1", "0", "0", "1"],
    ]
    assert "invoices.csv DaysLate: not imported: it follows from DueDate and SettledDate" in result.stdout
    assert "read as utf-8 (every byte fits)" in result.stdout


def test_it_speaks_chinese_when_asked(file: Path) -> None:
    result = run(file, "--language", "zh")
    assert "invoices.csv:3 InvoiceDate '2/30/2013': 不是日期;2013年1月31日应写作 01/31/2013" in result.stderr


def test_all_of_it_is_in_chinese_when_asked(file: Path) -> None:
    stdout = run(file, "--language", "zh").stdout
    lines = stdout.splitlines()
    assert [line.split() for line in lines[:3]] == [
        ["记录", "行数", "已导入", "未变", "有改动", "被拒绝"],
        ["customers", "2", "1", "0", "0", "1"],
        ["invoices", "2", "1", "0", "0", "1"],
    ]
    assert "按 utf-8 读取(每个字节都符合)" in stdout
    assert lines[-1].startswith("已导入 2 条,用时 ")
    assert "1 行被拒绝。账本位置 " in lines[-1]
    again = run(file, "--language", "zh", "--dry-run").stdout.splitlines()[-1]
    assert again.startswith("将导入 0 条(未写入)")


def test_refusals_of_commands_and_rules_have_sentences_too(file: Path) -> None:
    file.write_text(HEADING + BAD.replace("2/30", "1/30") + GOOD.replace("1/15/2013", "1/1/2013"), encoding="utf-8")
    for language, expected in (("en", "decimal"), ("zh", "小数")):
        result = run(file, "--language", language)
        lines = result.stderr.splitlines()
        assert lines[0].startswith("invoices.csv:2 InvoiceAmount '1.005': ")
        assert expected in lines[0]
        assert lines[1].startswith("invoices.csv:3 SettledDate '1/1/2013': ")
        assert "before-issued" not in lines[1]
        assert "DomainError" not in result.stderr


def test_json_is_all_it_prints(file: Path) -> None:
    result = run(file, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, result.stderr) == (1, "")
    assert document["total"] == {"rows": 4, "imported": 2, "unchanged": 0, "changed": 0, "refused": 2}
    assert document["refused_rows"] == 1
    assert document["refusals"] == [
        {
            "file": "invoices.csv",
            "line": 3,
            "column": "InvoiceDate",
            "value": "2/30/2013",
            "code": "not-a-date",
            "why": "not a date; 31 January 2013 is written 01/31/2013",
        }
    ]


def test_all_in_ends_with_0_and_again_imports_nothing(file: Path, database: Database) -> None:
    file.write_text(HEADING + GOOD, encoding="utf-8")
    assert run(file).exit_code == 0
    before = events(database)
    again = run(file, "--json")
    assert (again.exit_code, json.loads(again.stdout)["total"]["unchanged"]) == (0, 2)
    assert events(database) == before


def test_a_changed_row_is_a_line_and_no_refusal(file: Path) -> None:
    file.write_text(HEADING + GOOD, encoding="utf-8")
    run(file)
    file.write_text(HEADING + GOOD.replace("55.94", "66"), encoding="utf-8")
    result = run(file)
    assert result.exit_code == 0
    assert result.stderr.strip() == (
        "invoices.csv:2 '0001': the row has changed since it was imported "
        "(InvoiceAmount: recorded as '55.94', in the file '66'); the change is reported, not applied"
    )


def test_a_change_that_is_not_seen_in_the_record_is_told_by_its_digest(file: Path) -> None:
    file.write_text(HEADING + GOOD, encoding="utf-8")
    run(file)
    file.write_text(HEADING + GOOD.replace("Yes", "No"), encoding="utf-8")
    result = run(file)
    assert "the row has changed since it was imported (its digest was " in result.stderr
    assert "摘要原为 " in run(file, "--language", "zh").stderr


def test_names_that_were_recorded_are_not_repeated(file: Path) -> None:
    file.write_text(HEADING + GOOD, encoding="utf-8")
    run(file)
    file.write_text(HEADING + GOOD.replace("391", "392"), encoding="utf-8")
    assert "'A-1': the row has changed since it was imported (countryCode: recorded as '391'" in run(file).stderr


def test_a_dry_run_writes_nothing(file: Path, database: Database) -> None:
    result = run(file, "--dry-run")
    assert (result.exit_code, events(database)) == (1, 0)
    assert "2 would be imported" in result.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "invoices.csv: the file is empty"),
        (HEADING.replace("DueDate", "Due").encode(), "invoices.csv:1 DueDate: there is no such column"),
        ((HEADING + GOOD.replace("A-1", "跟进")).encode("gbk"), "state the encoding, for example --encoding gb18030"),
    ],
)
def test_what_cannot_start_ends_with_2(file: Path, database: Database, content: bytes, said: str) -> None:
    file.write_bytes(content)
    result = run(file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    told = json.loads(run(file, "--json").stdout)
    assert told["refusals"][0]["file"] == "invoices.csv"
    assert events(database) == 0


def test_a_stated_encoding_is_taken(file: Path) -> None:
    file.write_bytes((HEADING + GOOD.replace("A-1", "跟进科技")).encode("gbk"))
    assert run(file, "--encoding", "gbk").exit_code == 0


def test_an_unknown_profile_names_those_there_are(file: Path) -> None:
    result = CliRunner().invoke(app, ["import", "--profile", "nobody", str(file)])
    assert result.exit_code == 2
    assert "followup-sheet, ibm-receivables, maven-pipeline" in result.stderr


def test_a_profile_of_ones_own_is_checked_before_a_row_is_read(file: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\ntitle = "Own"\ncolour = "red"\nfiles = {}\nrecords = []\n', encoding="utf-8")
    result = CliRunner().invoke(app, ["import", "--profile", str(own), str(file)])
    assert result.exit_code == 2
    assert "colour" in result.stderr
