"""Imports of one file at the same time, as people start them: each row stands once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from end_to_end.running import Service, crm, environment_of, soon

CASE = Path(__file__).parents[1] / "fixtures" / "overlap"
HEADING = "编号,姓名,客户类型,跟进日期,跟进方式,跟进进度,客户意向,跟进结果,成交日期,业务员\n"
SHORT_AND_LONG = [1, pytest.param(8, marks=pytest.mark.torture)]


@pytest.mark.parametrize("rounds", SHORT_AND_LONG)
def test_two_imports_of_one_payments_file(place: Path, rounds: int) -> None:
    for number in range(rounds):
        data = place / str(number)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ran = subprocess.run(
            ["sh", str(CASE / "overlap.sh")],
            env=environment_of(data, PATH=path),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (ran.returncode, ran.stdout) == (0, "collected 30000.00 of 30000.00\n"), ran.stderr
        require_proven(data)


def require_proven(data: Path) -> None:
    """The proof of the ledger finds nothing, and no row that stands twice."""
    proven = crm(data, "verify", "--ledger", "--json")
    assert proven.returncode == 0, proven.stdout
    assert json.loads(proven.stdout)["claims"]["doublings"] == []


@pytest.mark.parametrize("rounds", SHORT_AND_LONG)
def test_a_command_line_and_a_request(place: Path, rounds: int) -> None:
    """New members, their customers and what was said to them, sent over HTTP while the operator brings them in."""
    with Service(place / "data") as service, service.client(service.token) as client:
        for number in range(1, rounds + 1):
            sheet = place / f"{number}.csv"
            rows = (
                f"{number}-{n},客户{number}-{n},,2020/4/{1 + n % 28},电话,45%,,,,业务员{n % 4}\n" for n in range(50)
            )
            sheet.write_text(HEADING + "".join(rows), encoding="utf-8")
            words = [sys.executable, "-m", "crm", "import", "--json", "--profile", "followup-sheet", str(sheet)]
            run = subprocess.Popen(words, env=environment_of(service.data), stdout=subprocess.PIPE, text=True)
            found = job_done(client, sheet)
            told = json.loads(run.communicate(timeout=120)[0])
            assert run.returncode == 0, told
            assert (found["state"], found["refused_rows"], told["refused_rows"]) == ("done", 0, 0), found
            new = 100 + (4 if number == 1 else 0)
            assert found["total"]["imported"] + told["total"]["imported"] == new
        require_proven(service.data)
        logged = client.get("/events", params={"topic": "customer.follow-up-logged", "after": 0, "limit": 500})
        assert len(logged.json()["items"]) == min(50 * rounds, 500)


def job_done(client: httpx.Client, sheet: Path) -> dict[str, Any]:
    """The import over HTTP, once it is over."""
    with sheet.open("rb") as file:
        asked = client.post("/imports", params={"profile": "followup-sheet"}, files={"file": file})
    assert asked.status_code == 202, asked.text
    job: dict[str, Any] = asked.json()

    def is_over() -> bool:
        job.update(client.get(f"/imports/{job['id']}").json())
        return job["state"] in ("done", "failed", "cancelled")

    assert soon(is_over, 60), job
    return job
