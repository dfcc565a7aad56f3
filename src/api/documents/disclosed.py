"""A disclosure as a page of its own, to be printed or sent: it needs nothing from anywhere else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Literal

from projections.history.labels import field_label, word

Lang = Literal["zh", "en"]
_TEXTS = {
    "title": ("个人信息告知书", "What is held about you"),
    "drawn": ("出具时间", "Drawn up at"),
    "record": ("现有记录", "The present record"),
    "events": ("发生过的一切", "Everything that happened"),
    "origins": ("信息来源", "Where it came from"),
    "accesses": ("查阅记录", "Who looked at it"),
    "nothing": ("无", "nothing"),
    "when": ("时间", "When"),
    "what": ("内容", "What"),
    "values": ("数据", "Values"),
    "source": ("途径", "Through"),
    "who": ("操作者", "By whom"),
    "count": ("事件数", "Events"),
    "kind": ("种类", "Kind"),
    "reason": ("原因", "Reason"),
}
_STYLE = (
    "body{font-family:sans-serif;max-width:60em;margin:2em auto;line-height:1.5}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.3em .6em;"
    "text-align:left;vertical-align:top;overflow-wrap:anywhere}"
)


def page(disclosure: bytes, lang: Lang) -> str:
    """The page for a disclosure as it is answered in JSON."""
    told = json.loads(disclosure)
    language = "zh-CN" if lang == "zh" else "en"
    events = (
        (each["recorded_at"], each["sentence"], _changes(each["changes"]), each["reason"] or "")
        for each in told["events"]
    )
    origins = (
        (each["first_at"], each["source"], each["actor"], _plain(each["imported"], lang), each["events"])
        for each in told["origins"]
    )
    accesses = ((each["at"], each["kind"], each["actor"], each["reason"] or "") for each in told["accesses"])
    parts = [
        f"<h2>{_text('record', lang)}</h2>",
        _table((), ((field_label(name, lang), _plain(value, lang)) for name, value in (told["record"] or {}).items())),
        f"<h2>{_text('events', lang)}</h2>",
        _table([_text(each, lang) for each in ("when", "what", "values", "reason")], events),
        f"<h2>{_text('origins', lang)}</h2>",
        _table([_text(each, lang) for each in ("when", "source", "who", "record", "count")], origins),
        f"<h2>{_text('accesses', lang)}</h2>",
        _table([_text(each, lang) for each in ("when", "kind", "who", "reason")], accesses),
    ]
    title = _text("title", lang)
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>{_text('drawn', lang)}: {escape(told['drawn_up_at'])}</p>{''.join(parts)}</body></html>\n"
    )


def _text(key: str, lang: Lang) -> str:
    return _TEXTS[key][lang == "en"]


def _changes(changes: Iterable[dict[str, Any]]) -> str:
    return "; ".join(f"{each['label']}: {each['after_shown'] or each['before_shown'] or ''}" for each in changes)


def _plain(value: Any, lang: Lang) -> str:
    if value is None or value in ([], {}):
        return _text("nothing", lang)
    if isinstance(value, bool):
        return word("true" if value else "false", lang)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_plain(each, lang)}" for name, each in value.items() if each is not None)
    return ", ".join(_plain(each, lang) for each in value) if isinstance(value, list) else str(value)


def _table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"
