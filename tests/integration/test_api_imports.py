"""Imports over HTTP: files become a job that a worker does, whose progress and report anybody may read."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import gettempdir
from threading import Event, Thread, Timer
from typing import Any
from uuid import uuid4

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.imports import uploads
from commands.base import Door, execute
from commands.members import RegisterMember
from crm.imports import watch
from crm.imports.watching import FOLDER
from integration.serving import Api, serving
from ledger.database import Database
from ledger.ledger import Ledger
from ledger.sealing import Keyring
from policy import Actor
from sheets.jobs import Job, Order, book, taking
from sheets.jobs.uploads import PART

HEADING = "countryCode,customerID,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate\n"
TEAMS = "sales_agent,manager,regional_office\n安妮,王经理,West\n"
PRODUCTS = "product,series,sales_price\nGTX Basic,GTX,550\n"
ACCOUNTS = (
    "account,sector,year_established,revenue,employees,office_location,subsidiary_of\n宏达,retail,1996,1.5,20,,\n"
)
DEALS = (
    "opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value\n"
    "D1,安妮,GTX Basic,宏达,Won,2016-10-20,2017-03-01,1054\n"
)
MAVEN = {
    "sales_teams.csv": TEAMS,
    "products.csv": PRODUCTS,
    "accounts.csv": ACCOUNTS,
    "sales_pipeline.csv": DEALS,
}
PATIENCE = 60.0


@pytest.fixture(scope="module")
def api(server: str) -> Iterator[Api]:
    """The service as a member sees it who may do everything that a profile asks for."""
    with serving(server) as served:
        yield served.signed_in("administrator", "manager", "finance")


def order_of_a_member(ledger: Ledger) -> Order:
    """An import of invoices, asked for by a member who may do so."""
    roles = ["manager", "finance"]
    by = Actor("rule:test", None, "test", "rule")
    member_id = execute(RegisterMember(name="成员", roles=roles), to=None, by=by, door=Door(ledger)).id
    return Order("ibm-receivables", False, None, f"member:{member_id}", member_id)


def invoices(prefix: str, count: int = 1) -> str:
    """Good rows, each an invoice of one customer."""
    rows = (f"391,{prefix},{prefix}-{n:05},1/2/2013,2/1/2013,55.94,No,1/15/2013\n" for n in range(count))
    return HEADING + "".join(rows)


def bad(prefix: str) -> str:
    """A row with a day that does not exist."""
    return f"391,{prefix},{prefix}-bad,2/30/2013,2/1/2013,10,No,\n"


def ask(api: Api, content: str | bytes, query: str = "", name: str = "invoices.csv", **more: Any) -> Any:
    """Ask for invoices to be imported."""
    files = {"file": (name, content)}
    return api.request("POST", f"/imports?profile=ibm-receivables{query}", files=files, **more)


def over(api: Api, answered: Any, language: str = "en") -> Any:
    """The job at its end."""
    assert answered.status_code == 202, answered.text
    return ended(api, answered.json()["id"], language)


def ended(api: Api, job: str, language: str = "en") -> Any:
    """The job by its id, once it is over."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = api.request("GET", f"/imports/{job}", headers={"Accept-Language": language}).json()
        if found["state"] in ("done", "failed", "cancelled"):
            return found
        time.sleep(0.1)
    raise AssertionError(found)


def running(api: Api, job: str, rows: int = 1) -> Any:
    """The job once so many of its rows are done."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = api.get(f"/imports/{job}").json()
        assert found["state"] in ("queued", "running"), found
        if found["state"] == "running" and found["rows_done"] >= rows:
            return found
        time.sleep(0.02)
    raise AssertionError(found)


def kept(api: Api) -> int:
    """How many parts of uploaded files there are."""
    with api.services.database.connection() as connection:
        row = connection.execute("SELECT count(*) FROM import_uploads").fetchone()
    return int(row[0])


def invoice_numbers(api: Api, prefix: str) -> list[str]:
    """Every time an invoice of this prefix was written."""
    with api.services.database.connection() as connection:
        found = connection.execute(
            "SELECT value FROM claims WHERE kind = 'invoice-no' AND starts_with(value, %s)", [prefix]
        ).fetchall()
    return sorted(value for (value,) in found)


def test_what_can_be_imported_is_told(api: Api) -> None:
    profiles = {each["name"]: each for each in api.get("/imports/profiles").json()["items"]}
    assert set(profiles) == {"followup-sheet", "ibm-receivables", "maven-pipeline"}
    maven = profiles["maven-pipeline"]
    assert not maven["any_name"]
    assert {file["part"]: file["name"] for file in maven["files"]} == {
        "teams": "sales_teams.csv",
        "products": "products.csv",
        "accounts": "accounts.csv",
        "pipeline": "sales_pipeline.csv",
    }
    invoice = profiles["ibm-receivables"]["files"][0]["columns"]
    settled = next(column for column in invoice if column["name"] == "SettledDate")
    assert (settled["type"], settled["needed"], settled["optional"]) == ("date", False, False)


def test_a_file_is_imported_and_again_writes_nothing_twice(api: Api) -> None:
    answered = ask(api, invoices("GOOD", 3))
    assert answered.headers["location"] == f"/api/v1/imports/{answered.json()['id']}"
    job = over(api, answered)
    assert (job["state"], job["error"], job["files"]) == ("done", None, ["invoices.csv"])
    assert job["total"] == {"rows": 4, "imported": 4, "unchanged": 0, "changed": 0, "refused": 0}
    assert (job["rows_done"], job["attempts"], job["refused_rows"]) == (job["rows_total"], 1, 0)
    page = api.get("/receivables", after=job["position"], q="GOOD").json()
    assert len(page["items"]) == 3
    started = next(
        event
        for event in api.get("/events", after=0, limit=500).json()["items"]
        if event["topic"] == "import-batch.started" and event["id"] == job["batch"]
    )
    assert started["actor"] == f"member:{api.member_id}" == job["requested_by"]
    before = api.head()
    again = over(api, ask(api, invoices("GOOD", 3)))
    assert (again["total"]["imported"], again["total"]["unchanged"], again["batch"]) == (0, 4, None)
    assert api.head() == before
    assert kept(api) == 0


def test_a_folder_of_files_may_be_sent_under_their_names_or_the_profiles(api: Api) -> None:
    parts = [("file", (f"C:\\exports\\{name}", content)) for name, content in MAVEN.items() if name != "accounts.csv"]
    parts.append(("accounts", ("kunden 客户.csv", ACCOUNTS)))
    job = over(api, api.request("POST", "/imports?profile=maven-pipeline&encoding=utf-8", files=parts))
    assert (job["state"], job["encoding"]) == ("done", "utf-8"), job
    assert {count["record"]: count["imported"] for count in job["counts"]}["opportunities"] == 1
    assert sorted(job["files"]) == sorted(MAVEN)


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("en", "not a date; 31 January 2013 is written 01/31/2013"),
        ("zh-CN", "不是日期；2013年1月31日应写作 01/31/2013"),
    ],
)
def test_a_refused_row_is_named_and_the_others_are_in(api: Api, language: str, message: str) -> None:
    prefix = f"BAD-{language}"
    job = over(api, ask(api, invoices(prefix) + bad(prefix)), language)
    assert (job["state"], job["refused_rows"], job["total"]["imported"]) == ("done", 1, 2)
    assert job["refusals"] == [
        {
            "file": "invoices.csv",
            "line": 3,
            "column": "InvoiceDate",
            "value": "2/30/2013",
            "code": "not-a-date",
            "message": message.replace("；", ";") if language == "zh-CN" else message,
        }
    ]
    assert job["remarks"][0]["code"] == "encoding-found"


def test_a_row_that_was_changed_is_told_and_not_applied(api: Api) -> None:
    over(api, ask(api, invoices("CHANGE")))
    job = over(api, ask(api, invoices("CHANGE").replace("55.94", "66")))
    assert [(row["line"], row["code"]) for row in job["changed"]] == [(2, "changed-row")]
    assert job["total"]["changed"] == 1


def test_a_dry_run_writes_nothing(api: Api) -> None:
    before = api.head()
    job = over(api, ask(api, invoices("DRY", 2) + bad("DRY"), "&dry_run=true"))
    assert (job["state"], job["dry_run"], job["batch"], job["refused_rows"]) == ("done", True, None, 1)
    assert job["total"]["imported"] == 3
    assert api.head() == before


def test_files_that_cannot_be_read_end_the_import_with_all_that_is_wrong(api: Api) -> None:
    before = api.head()
    job = over(api, ask(api, HEADING.replace("DueDate", "Due") + "1,2,3\n"), "zh-CN")
    assert (job["state"], job["error"]["code"], job["counts"]) == ("failed", "import-unreadable", None)
    assert "refusals" in job["error"]["message"]
    assert [(row["code"], row["column"]) for row in job["refusals"]] == [("missing-column", "DueDate")]
    job = over(api, ask(api, (HEADING + "391,跟进,1,1/2/2013,2/1/2013,1,No,\n").encode("gbk")))
    assert job["refusals"][0]["message"].endswith("state the encoding, for example encoding=gb18030")
    assert (api.head(), kept(api)) == (before, 0)


def refused(answered: Any, status: int, code: str) -> list[tuple[str, str]]:
    """The fields that a refused request is refused for."""
    assert (answered.status_code, answered.json()["code"]) == (status, code), answered.text
    assert answered.headers["content-type"] == "application/problem+json"
    return [(fault["pointer"], fault["code"]) for fault in answered.json()["errors"]]


def test_what_does_not_fit_is_refused_at_once(api: Api) -> None:
    file = {"file": ("a.csv", HEADING)}
    for query, fault in (
        ("profile=../../etc/passwd.toml", ("/profile", "unknown-choice")),
        ("profile=nobody", ("/profile", "unknown-choice")),
        ("dry_run=true", ("/profile", "missing")),
        ("profile=ibm-receivables&dry_run=perhaps", ("/dry_run", "unfit-value")),
        ("profile=ibm-receivables&encoding=klingon", ("/encoding", "unknown-choice")),
        ("profile=ibm-receivables&colour=red", ("/colour", "unknown-parameter")),
    ):
        assert refused(api.request("POST", f"/imports?{query}", files=file), 422, "invalid-fields") == [fault]


def test_files_that_are_missing_or_unknown_are_named_in_both_languages(api: Api) -> None:
    some = [("file", (name, content)) for name, content in MAVEN.items()]
    path = "/imports?profile=maven-pipeline"
    answered = api.request("POST", path, files=some[1:])
    assert refused(answered, 422, "invalid-fields") == [("/sales_teams.csv", "missing-file")]
    assert "sales_teams.csv is missing" in answered.json()["errors"][0]["message"]
    answered = api.request("POST", path, files=some[1:], headers={"Accept-Language": "zh"})
    assert "缺少文件 sales_teams.csv" in answered.json()["errors"][0]["message"]
    answered = api.request("POST", path, files=[*some, ("other", ("other.csv", "a"))])
    assert refused(answered, 422, "invalid-fields") == [("/other", "unknown-file")]
    answered = api.request("POST", path, files=[*some, ("accounts", ("x.csv", "a"))])
    assert refused(answered, 422, "invalid-fields") == [("/accounts", "one-file-too-many")]
    one = "/imports?profile=ibm-receivables"
    both = [("file", ("a.csv", HEADING)), ("file", ("b.csv", HEADING))]
    assert refused(api.request("POST", one, files=both), 422, "invalid-fields") == [("/file", "one-file-too-many")]
    answered = api.request("POST", one, files=both[:1], data={"note": "x"})
    assert refused(answered, 422, "invalid-fields") == [("/note", "not-a-file")]
    for name in ("..", "a/..", "长" * 70):
        answered = api.request("POST", one, files={"file": (name, HEADING)})
        assert refused(answered, 422, "invalid-fields") == [("/file", "unfit-file-name")], name


def test_a_body_that_is_no_form_is_refused(api: Api) -> None:
    path = "/imports?profile=ibm-receivables"
    refused(api.request("POST", path, json={}), 415, "not-a-form")
    refused(api.request("POST", path), 415, "not-a-form")
    form = {"Content-Type": "multipart/form-data"}
    refused(api.request("POST", path, content=b"x", headers=form), 400, "malformed-form")
    form = {"Content-Type": "multipart/form-data; boundary=abc"}
    refused(api.request("POST", path, content=b"nonsense", headers=form), 400, "malformed-form")
    half = b'--abc\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + HEADING.encode()
    refused(api.request("POST", path, content=half, headers=form), 422, "invalid-fields")
    refused(api.request("POST", path, content=b"", headers=form), 422, "invalid-fields")


def test_more_than_the_limit_is_refused_declared_or_not(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_UPLOAD", 10_000)
    answered = ask(api, invoices("LIMIT", 1_000))
    refused(answered, 413, "body-too-large")
    assert "10000" in answered.json()["detail"]
    head = b'--abc\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    streamed = (piece for piece in [head, *[b"x" * 1_000] * 20, b"\r\n--abc--\r\n"])
    answered = api.request(
        "POST",
        "/imports?profile=ibm-receivables",
        content=streamed,
        headers={"Content-Type": "multipart/form-data; boundary=abc"},
    )
    refused(answered, 413, "body-too-large")
    assert kept(api) == 0


def test_an_import_that_is_not_there_is_404(api: Api) -> None:
    for method, path in (("GET", ""), ("GET", "/events"), ("DELETE", "")):
        refused(api.request(method, f"/imports/{uuid4()}{path}"), 404, "not-found")
    refused(api.client.get("/api/v1/imports"), 401, "unauthenticated")


def test_a_stream_ends_when_whoever_listens_is_not_let_in_any_more(api: Api) -> None:
    listener = api.signed_in("manager")
    job = ask(api, invoices("LISTEN", 5)).json()["id"]
    ended(api, job)
    held_up(api, job, "running")
    late = Timer(20.0, held_up, (api, job, "done"))
    late.start()
    Timer(0.5, api.actors.pop, (listener.headers["Authorization"].removeprefix("Bearer "),)).start()
    with api.client.stream("GET", f"/api/v1/imports/{job}/events", headers=listener.headers) as stream:
        told = [line for line in stream.iter_lines() if line.startswith("event: ")]
    late.cancel()
    assert set(told) == {"event: progress"}


def held_up(api: Api, job: str, state: str) -> None:
    """Let it look as if a worker were at it, or had been."""
    with api.services.database.connection(autocommit=True) as connection:
        connection.execute(
            "UPDATE import_jobs SET state = %s, worker = 'another', seen_at = now() + interval '1 hour', "
            "finished_at = CASE WHEN %s = 'done' THEN now() END WHERE job_id = %s",
            [state, state, job],
        )


def test_progress_comes_as_a_stream_that_ends_with_the_import(api: Api) -> None:
    job = ask(api, invoices("STREAM", 200)).json()["id"]
    told: list[tuple[str, Any]] = []
    with api.client.stream("GET", f"/api/v1/imports/{job}/events", headers=api.headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        name = ""
        for line in stream.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                told.append((name, json.loads(line[6:])))
    assert [name for name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    assert (told[-1][0], told[-1][1]["state"], told[-1][1]["total"]["imported"]) == ("done", "done", 201)
    done = [job["rows_done"] for _, job in told]
    assert done == sorted(done)


def test_one_that_is_cancelled_stops_and_what_was_written_stays(api: Api) -> None:
    content = invoices("STOP", 6_000)
    job = ask(api, content).json()["id"]
    running(api, job, rows=6_001)  # every line was read once for its customer, who is written with the first invoice
    assert api.request("DELETE", f"/imports/{job}").status_code == 202
    stopped = ended(api, job)
    assert (stopped["state"], stopped["counts"], kept(api)) == ("cancelled", None, 0)
    written = invoice_numbers(api, "STOP")
    assert 0 < len(written) < 6_000
    assert api.request("DELETE", f"/imports/{job}").json()["state"] == "cancelled"
    rest = content.splitlines(keepends=True)[: len(written) + 21]
    again = over(api, ask(api, "".join(rest)))
    assert again["state"] == "done"
    assert again["total"]["imported"] + again["total"]["unchanged"] == again["total"]["rows"]
    assert again["total"]["unchanged"] >= len(written) - 20


def test_one_that_nobody_works_on_yet_is_cancelled_at_once(database: Database, keyring: Keyring) -> None:
    with database.connection(autocommit=True) as connection:
        order = Order("ibm-receivables", False, None, "member:test")
        job = book.request(connection, keyring, order, {"a.csv": BytesIO(b"x" * (3 * PART + 1))})
        assert (job.state, job.bytes) == ("queued", 3 * PART + 1)
        assert connection.execute("SELECT count(*) FROM import_uploads").fetchone() == (4,)
        cancelled = book.cancel(connection, job.job_id)
        assert cancelled is not None
        assert (cancelled.state, cancelled.is_over) == ("cancelled", True)
        assert connection.execute("SELECT count(*) FROM import_uploads").fetchone() == (0,)
        assert not taking.is_any_open(connection)


def import_processes() -> list[psutil.Process]:
    """The processes of ours that bring in files."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


def test_a_killed_worker_is_followed_by_one_that_goes_on(api: Api) -> None:
    job = ask(api, invoices("KILL", 700)).json()["id"]
    running(api, job, rows=750)
    (process,) = import_processes()
    os.kill(process.pid, signal.SIGKILL)
    found = ended(api, job)
    assert (found["state"], found["attempts"]) == ("done", 2)
    assert found["total"]["unchanged"] > 0
    assert found["total"]["imported"] + found["total"]["unchanged"] == 701
    assert invoice_numbers(api, "KILL") == [f"KILL-{n:05}" for n in range(700)]
    assert kept(api) == 0


def test_a_worker_that_is_asked_to_stop_leaves_the_rest_to_the_next(
    database: Database, keyring: Keyring, ledger: Ledger
) -> None:
    with database.connection(autocommit=True) as connection:
        order = order_of_a_member(ledger)
        job = book.request(connection, keyring, order, {"a.csv": BytesIO(invoices("REST", 700).encode())})

        def until(fits: Callable[[Job], bool]) -> Job:
            for _ in range(int(PATIENCE / 0.05)):
                found = book.find(connection, job.job_id)
                assert found is not None
                if fits(found):
                    return found
                time.sleep(0.05)
            raise AssertionError(found)

        with watched(database, keyring):
            until(lambda found: found.rows_done > 50)
        stopped = until(lambda found: True)
        assert (stopped.state, stopped.attempts) == ("queued", 0)
        assert not [*Path(gettempdir()).glob(f"{FOLDER}{os.getpid()}-*")]
        with watched(database, keyring):
            done = until(lambda found: found.is_over)
        assert (done.state, done.attempts, done.refused_rows) == ("done", 1, 0)
        assert connection.execute("SELECT count(*) FROM import_uploads").fetchone() == (0,)
    assert len(ledger.holders("invoice-no", [f"REST-{n:05}" for n in range(700)])) == 700


@contextmanager
def watched(database: Database, keyring: Keyring) -> Iterator[None]:
    """Somebody does imports for as long as the block lasts."""
    stop = Event()
    thread = Thread(target=watch, args=(database, keyring, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def set_job(api: Api, job: str, **columns: Any) -> None:
    """Make the book say something else of a job."""
    with api.services.database.connection() as connection:
        for name, value in columns.items():
            connection.execute(f"UPDATE import_jobs SET {name} = {value} WHERE job_id = %s", [job])


def test_one_whose_worker_fell_silent_shows_as_queued_and_is_taken_up(api: Api) -> None:
    job = over(api, ask(api, invoices("SILENT")))["id"]
    set_job(api, job, state="'running'", finished_at="NULL", seen_at="now()", worker="'gone'")
    assert api.get(f"/imports/{job}").json()["state"] == "running"
    set_job(api, job, seen_at="now() - interval '11 seconds'")
    assert api.get(f"/imports/{job}").json()["state"] in ("queued", "running", "failed")
    assert ended(api, job)["attempts"] == 2


def test_one_that_ends_every_worker_is_given_up(api: Api) -> None:
    job = over(api, ask(api, invoices("AGAIN")))["id"]
    set_job(api, job, attempts=taking.MOST_ATTEMPTS, finished_at="NULL", state="'queued'")
    found = ended(api, job, "zh")
    assert (found["state"], found["error"]["code"]) == ("failed", "import-broken-off")
    assert "再次导入" in found["error"]["message"]


def test_the_list_has_the_newest_first_a_page_at_a_time(api: Api) -> None:
    made = [over(api, ask(api, invoices(f"LIST{n}"), "&dry_run=true"))["id"] for n in range(3)]
    first = api.get("/imports", limit=2).json()
    assert [job["id"] for job in first["items"]] == made[:0:-1]
    assert api.get("/imports", limit=1, before=first["next"]).json()["items"][0]["id"] == made[0]
    assert "refusals" not in first["items"][0]
    refused(api.get("/imports", limit=0), 422, "invalid-fields")


def test_nothing_of_the_files_or_the_report_can_be_read_in_the_database(api: Api) -> None:
    job = over(api, ask(api, invoices("SECRET") + "391,SECRET,机密,2/30/2013,2/1/2013,10,No,\n"))
    assert job["refusals"]
    with api.services.database.connection() as connection:
        (report,) = connection.execute("SELECT report FROM import_jobs WHERE job_id = %s", [job["id"]]).fetchone()
        assert b"2/30/2013" not in report
        connection.execute("UPDATE import_jobs SET sealing_epoch = sealing_epoch - 1 WHERE job_id = %s", [job["id"]])
    found = api.get(f"/imports/{job['id']}").json()
    assert (found["refusals"], found["refused_rows"]) == (None, 1)
    with api.services.database.connection() as connection:
        book.forget_old(connection)
        assert connection.execute("SELECT report FROM import_jobs WHERE job_id = %s", [job["id"]]).fetchone() == (None,)
        book.forget_old(connection, days=0)
    refused(api.get(f"/imports/{job['id']}"), 404, "not-found")


def test_so_many_wait_and_no_more(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "MOST_WAITING", 0)
    answered = ask(api, invoices("FULL"))
    refused(answered, 429, "too-many-requests")
    assert answered.headers["retry-after"] == "30"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.sampled_from(["", "&encoding=utf-16", "&encoding=gb18030"]), st.text(max_size=20))
def test_no_file_breaks_the_service(api: Api, content: bytes, query: str, name: str) -> None:
    answered = ask(api, content, query, name)
    assert answered.status_code in (202, 422, 429), answered.text
    if answered.status_code == 202:
        assert api.request("DELETE", f"/imports/{answered.json()['id']}").status_code in (202, 409)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.sampled_from(["x", "--", "", "a" * 80, "é"]), st.booleans())
def test_no_form_breaks_the_service(api: Api, content: bytes, boundary: str, has_frame: bool) -> None:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f.csv"\r\n'.encode()
    body = head + content + f"\r\n--{boundary}--\r\n".encode() if has_frame else content
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}".encode()}
    answered = api.request("POST", "/imports?profile=ibm-receivables", content=body, headers=headers)
    assert answered.status_code in (202, 400, 415, 422, 429), answered.text


NO_TABLES = {
    "a workbook": "PK\x03\x04" * 1000,
    "one long line": "a" * 3_000_000,
    "commas": ",\n" * 200_000,
    "quotes": '"' * 300_001,
    "a quote that is never closed": HEADING + '"',
}


@pytest.mark.parametrize("kind", NO_TABLES)
def test_a_file_that_is_no_table_ends_with_a_refusal(api: Api, kind: str) -> None:
    found = over(api, ask(api, NO_TABLES[kind]))
    assert found["state"] in ("failed", "done")
    assert found["refusals"], found
    assert not found["error"] or found["error"]["code"] == "import-unreadable", found
