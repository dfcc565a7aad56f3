"""The follow-up statistics sheet (CATALOGUE 20, FUP-6) comes in by a profile of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.console.asking import answer
from crm.processes.work import working
from crm.services import Services, services
from crm.settings import read
from crm.store import Store
from sheets.importing import Importer
from sheets.opening import load

HEADING = ("编号", "姓名", "客户类型", "跟进日期", "跟进方式", "跟进进度", "客户意向", "跟进结果", "成交日期", "业务员")
HESITATING, DETERMINED = "有意向徘徊犹豫", "确定购买意向"
ORDINARY, QUALITY, VIP = "一般客户", "优质客户", "超级VIP客户"
ROWS = (
    ("A001", "客户1", ORDINARY, "2020/2/1", "现场跟进", "45%", HESITATING, "成交", "2020/2/2", "业务员1"),
    ("A002", "客户2", QUALITY, "2020/3/2", "微信", "85%", HESITATING, "成交", "2020/3/2", "业务员2"),
    ("A003", "客户3", ORDINARY, "2020/4/3", "电话", "65%", DETERMINED, "成交", "2020/4/4", "业务员3"),
    ("A004", "客户4", QUALITY, "2020/4/4", "现场跟进", "75%", DETERMINED, "成交", "2020/4/5", "业务员4"),
    ("A005", "客户5", ORDINARY, "2020/4/5", "", "95%", HESITATING, "未成交", "2020/4/6", "业务员5"),
    ("A006", "客户6", QUALITY, "2020/4/6", "", "35%", DETERMINED, "成交", "2020/4/7", "业务员6"),
    ("A007", "客户7", ORDINARY, "2020/4/7", "", "25%", HESITATING, "成交", "2020/4/8", "业务员7"),
    ("A008", "客户8", VIP, "2020/4/8", "", "75%", HESITATING, "成交", "2020/4/9", "业务员8"),
    ("A009", "客户9", VIP, "2020/4/9", "", "88%", HESITATING, "成交", "2020/4/10", "业务员9"),
    ("A010", "客户10", "", "2020/4/10", "", "36%", DETERMINED, "成交", "2020/4/11", "业务员10"),
    ("A011", "客户11", "", "2020/4/11", "", "100%", "", "未成交", "2020/4/12", "业务员11"),
    ("A012", "客户12", "", "2020/4/12", "", "45%", "", "成交", "2020/4/13", "业务员12"),
    ("A013", "客户13", "", "2020/4/13", "", "45%", "", "", "2020/4/14", "业务员13"),
    ("A014", "客户14", "", "2020/4/14", "", "45%", "", "", "2020/4/15", "业务员14"),
    ("A015", "客户15", "", "2020/4/15", "", "45%", "", "", "2020/4/16", "业务员15"),
    ("", "", "", "", "", "45%", "", "", "", "业务员16"),
    ("", "", "", "", "", "45%", "", "", "", ""),
)
TITLES = "客户跟进记录统计表,,,,,,,,,\n查询日期(起),2020/2/1,查询日期(止),2020/4/25,成交户数统计,,,,,\n"


@pytest.fixture
def crm(server: str, workspace: str, tmp_path: Path) -> Iterator[Services]:
    """The service over an empty workspace, with its worker."""
    found = {"CRM_DATABASE_URL": server, "CRM_SCHEMA": workspace, "CRM_DATA_DIR": str(tmp_path / "data")}
    store = Store(read(found), server, None)
    with services(store) as made, working(store):
        yield made


@pytest.mark.parametrize("encoding", ["gbk", "utf-16"])
def test_ten_customers_were_won_in_the_window(crm: Services, tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "跟进.csv"
    lines = "\n".join(",".join(row) for row in (HEADING, *ROWS))
    path.write_text(TITLES + lines + "\n", encoding=encoding)
    importer = Importer(load("followup-sheet"), crm.door, crm.ledger)
    report = importer.run(path)
    assert {count.record: count.imported for count in report.counts} == {
        "members": 15,
        "customers": 15,
        "follow-ups": 15,
    }
    assert {(each.line, each.column) for each in report.refusals} == {
        (line, column) for line in (19, 20) for column in ("编号", "姓名", "跟进日期")
    }
    window = [("from_on", "2020-02-01"), ("until_on", "2020-04-25"), ("after", str(report.position))]
    won = answer(crm, "/tracking/won", window)
    assert won["count"] == 10
    assert [row["follower"] for row in won["customers"]] == [row["owner"] for row in won["customers"]]
    assert [row["follower"] for row in won["customers"]][:2] == ["业务员1", "业务员2"]
    shorter = [("from_on", "2020-02-03"), ("until_on", "2020-04-12"), ("after", str(report.position))]
    assert answer(crm, "/tracking/won", shorter)["count"] == 8
    rows = answer(crm, "/tracking", [("q", "客户8"), ("after", str(report.position))])["items"]
    assert [(row["legacy_code"], row["tier"], row["last_progress"], row["last_follower"]) for row in rows] == [
        ("A008", "super_vip", 75, "业务员8")
    ]
    again = importer.run(path)
    assert (again.total("imported"), again.total("unchanged")) == (0, 45)
