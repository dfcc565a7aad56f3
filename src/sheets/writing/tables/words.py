"""What values from a list are called in a cell, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aggregates.choices import (
    Attitude,
    Category,
    Choice,
    Inclination,
    Intent,
    Kind,
    LeadSource,
    Lifecycle,
    Market,
    Method,
    Result,
    Tier,
)
from sheets.writing.tables.headings import Lang

CHOICES: Mapping[str, type[Choice]] = {
    "category": Category,
    "intent": Intent,
    "kind": Kind,
    "last_attitude": Attitude,
    "last_inclination": Inclination,
    "last_method": Method,
    "last_result": Result,
    "lifecycle": Lifecycle,
    "market": Market,
    "source": LeadSource,
    "tier": Tier,
}
WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "flags": {
        "due_today": ("今日联系", "due today"),
        "overdue_contact": ("逾期未联系", "contact overdue"),
        "no_follow_up_long": ("久未跟进", "not followed up for long"),
        "intent_none": ("无意向", "no intent"),
        "intent_pending": ("待定", "intent pending"),
        "intent_yes": ("有意向", "intent"),
        "won": ("已成交", "won"),
        "churned": ("已流失", "churned"),
        "churn_suspected": ("疑似流失", "churn suspected"),
        "final_paid": ("已付清", "all paid"),
        "payment_overdue": ("付款逾期", "payment overdue"),
        "problem_order": ("问题订单", "problem order"),
        "entered_late": ("补录", "entered late"),
        "archived": ("已归档", "archived"),
    },
    "outcome": {"open": ("在谈", "open"), "won": ("赢单", "won"), "lost": ("丢单", "lost")},
    "status": {
        "paid": ("已付款", "paid"),
        "awaiting": ("待付款", "awaiting payment"),
        "partial": ("部分付款", "partly paid"),
        "overdue": ("已逾期", "overdue"),
        "unpaid": ("未付款", "not requested"),
        "written-off": ("已核销", "written off"),
    },
    "bucket": {
        "current": ("未到期", "not due"),
        "1-30": ("1-30天", "1-30 days"),
        "31-60": ("31-60天", "31-60 days"),
        "61-90": ("61-90天", "61-90 days"),
        "90+": ("90天以上", "over 90 days"),
    },
    "door": {
        "api": ("接口", "API"),
        "web": ("网页", "web page"),
        "import": ("导入", "import"),
        "rule": ("规则", "rule"),
    },
    "record": {
        "customer": ("客户", "customer"),
        "opportunity": ("商机", "opportunity"),
        "receivable": ("应收", "receivable"),
        "member": ("成员", "member"),
        "team": ("团队", "team"),
        "product": ("产品", "product"),
        "pipeline": ("销售流程", "pipeline"),
        "workspace": ("设置", "settings"),
        "import-batch": ("导入", "import"),
    },
}
YES_NO = {"zh": ("是", "否"), "en": ("yes", "no")}
BETWEEN = {"zh": "、", "en": ", "}


def called(field: str, value: Any, lang: Lang) -> Any:
    """What the value of a field is called; the value itself where it has no other name."""
    choice = CHOICES[field]._value2member_map_.get(value) if field in CHOICES else None
    if isinstance(choice, Choice):
        return choice.zh if lang == "zh" else choice.en
    zh, en = WORDS.get(field, {}).get(str(value), (value, value))
    return zh if lang == "zh" else en
