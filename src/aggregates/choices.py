"""What can be chosen from a list: the key that is stored, what it is called in Chinese and English, other spellings."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Choice(StrEnum):
    """One of a list; `zh` and `en` are what it is called, `spellings` what spreadsheets call it too."""

    zh: str
    en: str
    spellings: frozenset[str]

    def __new__(cls, key: str, zh: str, en: str, *spellings: str) -> Self:
        choice = str.__new__(cls, key)
        choice._value_ = key
        choice.zh, choice.en = zh, en
        choice.spellings = frozenset(text.casefold() for text in (key, zh, en, *spellings))
        return choice

    @classmethod
    def meant_by(cls, text: str) -> Self | None:
        """The one that is meant by a key, a name or another spelling of it."""
        wanted = text.strip().casefold()
        return next((choice for choice in cls if wanted in choice.spellings), None)


class Kind(Choice):
    """What a customer is (CUS-1)."""

    COMPANY = "company", "企业客户", "company", "企业", "公司"
    PERSON = "person", "个人客户", "person", "个人"


class Market(Choice):
    """Whom a customer buys for (CUS-4)."""

    B2B = "b2b", "企业采购 (B2B)", "B2B"
    B2C = "b2c", "个人消费 (B2C)", "B2C"


class Tier(Choice):
    """How much a customer matters (FUP-6)."""

    ORDINARY = "ordinary", "一般客户", "ordinary", "一般"
    QUALITY = "quality", "优质客户", "quality", "优质"
    SUPER_VIP = "super_vip", "超级VIP客户", "super VIP", "超级VIP", "VIP"


class Lifecycle(Choice):
    """How far we have come with a customer (LIF-1)."""

    POTENTIAL = "potential", "潜在客户", "potential", "潜在"
    INTERESTED = "interested", "意向客户", "interested", "意向"
    WON = "won", "成交客户", "won", "成交", "已成交"
    CHURNED = "churned", "流失客户", "churned", "流失"


class Basis(Choice):
    """What a move in the lifecycle rests on (LIF-2)."""

    INTENT_EXPRESSED = "intent_expressed", "明确表达合作意向", "intent expressed"
    CONTRACT = "contract", "签订合同", "contract signed", "合同"
    PAYMENT = "payment", "支付首款", "first payment", "首款"
    FOLLOW_UP = "follow_up", "跟进成交", "deal made at a follow-up"


class Category(Choice):
    """How likely a customer is to buy, by need and decision power (LIF-3, CUS-6)."""

    HOT = "hot", "准客户", "hot prospect"
    INTERESTED = "interested", "意向客户", "interested"
    QUALITY_POTENTIAL = "quality_potential", "优质潜在客户", "high-quality potential"
    ORDINARY_POTENTIAL = "ordinary_potential", "一般潜在客户", "ordinary potential"
    POTENTIAL = "potential", "潜在客户", "potential"
    EXISTING = "existing", "现有客户", "existing"
    HIGH_VALUE = "high_value", "高价值客户", "high value"


class Intent(Choice):
    """Whether a customer wants something, as found out by calling back (LIF-4)."""

    NONE = "none", "无意向", "none", "无"
    YES = "yes", "有意向", "yes", "有"
    PENDING = "pending", "待定", "pending"


class LeadSource(Choice):
    """Where customers come from, as the spreadsheets list it (CUS-7); other sources may be written freely."""

    EXHIBITION = "exhibition", "展会", "exhibition", "展会推广", "展会参观", "行业展会推荐", "行业展会"
    ONLINE_ADS = "online_ads", "线上广告", "online ads"
    WEB_MARKETING = "web_marketing", "网络营销", "web marketing", "线上平台"
    ONLINE_ENQUIRY = "online_enquiry", "线上咨询", "online enquiry"
    REFERRAL = "referral", "客户转介绍", "referral", "转介绍", "推荐"
    PARTNER_REFERRAL = "partner_referral", "合作伙伴转介绍", "partner referral"
    VISIT = "visit", "客户拜访", "visit"


class Method(Choice):
    """How we spoke with a customer (FUP-1 to FUP-6)."""

    ON_SITE = "on_site", "现场跟进", "on-site visit", "直接登门拜访", "登门拜访", "现场拜访", "现场", "拜访"
    VISIT_TO_US = "visit_to_us", "邀约客户来访", "visit to us", "客户来访", "来访"
    PHONE = "phone", "电话", "phone", "电话沟通", "call"
    VIDEO = "video", "线上会议", "video", "视频", "视频会议", "online meeting"
    WECHAT = "wechat", "微信", "WeChat"
    ONLINE_CHAT = "online_chat", "网络对话", "online chat", "在线聊天"
    SMS = "sms", "手机短信", "SMS", "短信"
    EMAIL = "email", "电子邮件", "e-mail", "邮件", "邮件发送"
    MEETING = "meeting", "会议", "meeting"
    FACE_TO_FACE = "face_to_face", "面对面", "face to face", "面谈"
    OTHER = "other", "其他", "other"


class Interaction(Choice):
    """What a conversation was about (FUP-1)."""

    PRE_SALES = "pre_sales", "售前咨询", "pre-sales enquiry", "售前", "pre-sales"
    SALES = "sales", "销售跟进", "sales follow-up"
    COMPLAINT = "complaint", "客户投诉", "complaint", "投诉"
    OTHER = "other", "其他", "other"


class Attitude(Choice):
    """How a customer felt about it (FUP-5)."""

    POSITIVE = "positive", "积极", "positive"
    HESITANT = "hesitant", "犹豫", "hesitant"
    NEGATIVE = "negative", "消极", "negative"


class Inclination(Choice):
    """How determined a customer was to buy (FUP-6)."""

    HESITATING = "hesitating", "有意向徘徊犹豫", "hesitating", "犹豫"
    DETERMINED = "determined", "确定购买意向", "determined", "确定"


class Result(Choice):
    """What came of a follow-up (FUP-6)."""

    WON = "won", "成交", "won"
    NOT_WON = "not_won", "未成交", "not won"


def choices() -> tuple[type[Choice], ...]:
    """Every list there is to choose from, so that each key can be shown in either language."""
    return tuple(Choice.__subclasses__())


class Role(Choice):
    """What somebody of ours does, and so may see and do (SEC-4)."""

    SALES = "sales", "业务员", "sales", "销售"
    SUPERVISOR = "supervisor", "主管", "supervisor", "销售主管"
    MANAGER = "manager", "经理", "manager"
    FINANCE = "finance", "财务", "finance"
    SERVICE = "service", "客服", "service"
    AUDITOR = "auditor", "审计", "auditor"
    ADMINISTRATOR = "administrator", "管理员", "administrator"
