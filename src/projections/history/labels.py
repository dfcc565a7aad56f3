"""What fields and values are called in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from aggregates.choices import (
    Attitude,
    Basis,
    Category,
    Choice,
    Inclination,
    Intent,
    Interaction,
    Kind,
    LeadSource,
    Lifecycle,
    Market,
    Method,
    Result,
    Role,
    Tier,
)

Lang = Literal["zh", "en"]

FIELDS: Mapping[str, tuple[str, str]] = {
    "added": ("新增", "added"),
    "address": ("地址", "address"),
    "amount": ("金额", "amount"),
    "answered": ("是否接通", "answered"),
    "attitude": ("态度", "attitude"),
    "basis": ("依据", "basis"),
    "budget": ("预算", "budget"),
    "business_category": ("经营类别", "business category"),
    "call_back": ("回访次数", "call-backs"),
    "category": ("客户分类", "category"),
    "channel": ("提醒方式", "channel"),
    "churn_reason": ("流失原因", "reason for leaving"),
    "code": ("编号", "code"),
    "code_prefix": ("编号前缀", "prefix of customer codes"),
    "code_width": ("流水号位数", "digits of customer codes"),
    "company_size": ("公司规模", "company size"),
    "competitors": ("竞争对手分析", "competitors"),
    "contact_id": ("联系人编号", "contact id"),
    "content": ("跟进内容", "content"),
    "country": ("国家", "country"),
    "currency": ("币种", "currency"),
    "customers": ("客户数", "customers"),
    "deal_on": ("成交日期", "deal date"),
    "decision_maker": ("关键决策人", "decision maker"),
    "description": ("说明", "description"),
    "differing": ("内容不同", "differing"),
    "digest": ("文件摘要", "digest"),
    "distance": ("与公司之间的距离", "distance"),
    "due_on": ("到期日", "due date"),
    "email": ("邮箱", "e-mail"),
    "entry": ("阶段序号", "stage entry"),
    "expected_close_on": ("预计成交日期", "expected close"),
    "feedback": ("客户反馈", "feedback"),
    "file_name": ("文件", "file"),
    "first_contact_on": ("首次接触日期", "first contact"),
    "flags": ("标记", "flags"),
    "follow_up_id": ("跟进编号", "follow-up id"),
    "follower_id": ("跟进人", "follower"),
    "former_name": ("原名称", "former name"),
    "industry": ("行业", "industry"),
    "instalment": ("期次", "instalment"),
    "intent": ("意向", "intent"),
    "interaction": ("事务类型", "interaction"),
    "invoice_no": ("发票号", "invoice no."),
    "is_call_back": ("是否回访", "call-back"),
    "is_decision_maker": ("是否关键决策人", "decision maker"),
    "is_main": ("是否主要联系人", "main contact"),
    "issued_on": ("开票日期", "issued on"),
    "kind": ("客户性质", "kind"),
    "lead_source": ("来源", "source"),
    "legacy_code": ("原编号", "legacy code"),
    "lifecycle": ("客户状态", "lifecycle"),
    "loss_reason": ("丢单原因", "reason for losing"),
    "market": ("市场", "market"),
    "member_id": ("成员", "member"),
    "method": ("方式", "method"),
    "mobile": ("手机", "mobile"),
    "name": ("名称", "name"),
    "need": ("核心需求", "need"),
    "next_action": ("下一步行动", "next action"),
    "next_contact_on": ("下次联系日期", "next contact"),
    "note": ("备注", "note"),
    "notes": ("备注", "notes"),
    "number": ("商机编号", "number"),
    "occurred_at": ("发生时间", "happened at"),
    "occurred_on": ("发生日期", "happened on"),
    "opportunities": ("商机数", "opportunities"),
    "opportunity_id": ("商机", "opportunity"),
    "order_no": ("订单号", "order no."),
    "owner_id": ("负责人", "owner"),
    "participants": ("参与人员", "participants"),
    "parent_id": ("上级团队", "team above"),
    "payment_id": ("付款编号", "payment id"),
    "personality": ("性格类型", "personality"),
    "phone": ("电话", "phone"),
    "pipeline_id": ("销售流程", "pipeline"),
    "placeholder": ("占位客户", "placeholder"),
    "plan": ("推进计划", "plan"),
    "price": ("价格", "price"),
    "product_id": ("产品", "product"),
    "profile": ("导入方案", "profile"),
    "progress": ("进度", "progress"),
    "refused": ("拒绝", "refused"),
    "region": ("地区", "region"),
    "requested": ("已请款", "requested"),
    "result": ("结果", "result"),
    "risks": ("风险点", "risks"),
    "roles": ("角色", "roles"),
    "rows": ("行数", "rows"),
    "series": ("系列", "series"),
    "stage": ("阶段", "stage"),
    "stages": ("阶段", "stages"),
    "subject": ("跟进主题", "subject"),
    "tag": ("标签", "tag"),
    "team_id": ("团队", "team"),
    "terms_days": ("账期（天）", "terms (days)"),
    "tier": ("客户等级", "tier"),
    "time_zone": ("时区", "time zone"),
    "title": ("职位", "title"),
    "unchanged": ("未变", "unchanged"),
    "unsuitable_visiting_time": ("不宜拜访时间", "time not to visit"),
}
"""Every field of every event."""

CHOICES: Mapping[str, type[Choice]] = {
    "attitude": Attitude,
    "basis": Basis,
    "category": Category,
    "interaction": Interaction,
    "kind": Kind,
    "lead_source": LeadSource,
    "lifecycle": Lifecycle,
    "market": Market,
    "method": Method,
    "result": Result,
    "roles": Role,
    "tier": Tier,
}
CHOICES_BY_TOPIC: Mapping[tuple[str, str], type[Choice]] = {
    ("customer.intent-set", "intent"): Intent,
    ("customer.follow-up-logged", "intent"): Inclination,
}
WORDS: Mapping[str, tuple[str, str]] = {
    "true": ("是", "yes"),
    "false": ("否", "no"),
    "won": ("成交", "won"),
    "lost": ("丢单", "lost"),
    "api": ("接口", "API"),
    "web": ("网页", "web page"),
    "import": ("导入", "import"),
    "rule": ("规则", "rule"),
    "nobody": ("无", "nobody"),
    "somebody": ("未知成员", "unknown member"),
    "erased": ("（已删除）", "(erased)"),
}


def word(key: str, lang: Lang) -> str:
    """One of the words above."""
    zh, en = WORDS[key]
    return zh if lang == "zh" else en


def field_label(field: str, lang: Lang) -> str:
    """What a field is called; its own name where nobody has named it."""
    zh, en = FIELDS.get(field, (field, field))
    return zh if lang == "zh" else en


def choice_label(topic: str, field: str, value: Any, lang: Lang) -> str | None:
    """What a value from a list is called; None for any other value."""
    choices = CHOICES_BY_TOPIC.get((topic, field)) or CHOICES.get(field)
    choice = None if choices is None else choices._value2member_map_.get(value)
    if not isinstance(choice, Choice):
        return None
    return choice.zh if lang == "zh" else choice.en
