"""What a refusal or a remark of an import says to people, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sheets.mapping.remarks import Remark
from sheets.reading import Refusal

Language = str
Others = Callable[[str, dict[str, Any], Language], str]

SENTENCES: dict[str, dict[Language, str]] = {
    # the file
    "unreadable-file": {"en": "the file cannot be read: {why}", "zh": "无法读取文件:{why}"},
    "file-missing": {"en": "the folder has no file {accepted}", "zh": "文件夹中没有文件 {accepted}"},
    "folder-needed": {
        "en": "this profile reads a folder with the files {accepted}",
        "zh": "此导入方案读取一个文件夹,其中有 {accepted}",
    },
    "empty-file": {"en": "the file is empty", "zh": "文件为空"},
    "unknown-encoding": {"en": "no such encoding; accepted: {accepted}", "zh": "没有这种编码;可用:{accepted}"},
    "encoding-contradicts-mark": {
        "en": "the file begins with the mark of {marked}; state that encoding, or none",
        "zh": "文件开头的标记表明编码是 {marked};请指定该编码,或不指定",
    },
    "wrong-encoding": {
        "en": "byte {byte} at offset {offset} is not {encoding}; state the encoding, for example --encoding gb18030",
        "zh": "偏移 {offset} 处的字节 {byte} 不是 {encoding};请指定编码,例如 --encoding gb18030",
    },
    "ambiguous-encoding": {
        "en": "the bytes fit more than one encoding ({candidates}); state which it is with --encoding",
        "zh": "字节同时符合多种编码({candidates});请用 --encoding 指定",
    },
    "missing-column": {
        "en": "there is no such column; accepted headings: {accepted}; found: {found}",
        "zh": "缺少此列;可用的标题:{accepted};文件中有:{found}",
    },
    "duplicate-column": {
        "en": "the column stands there more than once; found: {found}",
        "zh": "此列重复出现;文件中有:{found}",
    },
    # the row
    "ragged-row": {
        "en": "the row has {cells} cells, the heading {expected}",
        "zh": "该行有 {cells} 个单元格,标题有 {expected} 个",
    },
    "cell-without-heading": {"en": "a value stands in a column without a heading", "zh": "没有标题的列中有值"},
    "nul-in-cell": {"en": "the cell contains a NUL character", "zh": "单元格中含有 NUL 字符"},
    "cell-too-long": {
        "en": "the cell is too long; at most 32767 characters are accepted",
        "zh": "单元格过长;最多 32767 个字符",
    },
    "line-too-long": {
        "en": "the line is too long; at most 1000000 characters are accepted",
        "zh": "该行过长;最多 1000000 个字符",
    },
    "quote-not-closed": {"en": "a quotation mark is opened and not closed", "zh": "引号没有闭合"},
    "text-after-quote": {
        "en": "there is text after a closing quotation mark; a quotation mark inside a cell is written twice",
        "zh": "闭合引号之后还有文字;单元格内的引号要写两次",
    },
    # the cell
    "empty-cell": {"en": "a value is needed here", "zh": "此处必须填写"},
    "empty-key": {"en": "a value is needed here: it tells one row from another", "zh": "此处必须填写:它用来区分各行"},
    "key-too-long": {"en": "at most {longest} characters are accepted here", "zh": "此处最多 {longest} 个字符"},
    "not-one-of": {"en": "accepted: {accepted}", "zh": "可用的值:{accepted}"},
    "not-a-date": {
        "en": "not a date; 31 January 2013 is written {accepted}",
        "zh": "不是日期;2013年1月31日应写作 {accepted}",
    },
    "not-a-number": {"en": "not a number; accepted is, for example, {accepted}", "zh": "不是数字;例如 {accepted}"},
    "not-a-whole-number": {
        "en": "not a whole number; accepted is, for example, {accepted}",
        "zh": "不是整数;例如 {accepted}",
    },
    "number-too-long": {"en": "at most {longest} digits are accepted", "zh": "最多 {longest} 位数字"},
    "not-a-percentage": {"en": "not a percentage; accepted: {accepted}", "zh": "不是百分比;可用:{accepted}"},
    "value-missing": {"en": "a value is needed here", "zh": "此处必须填写"},
    # the row among others
    "duplicate-row": {
        "en": "this row has the same key as line {first_line}; only the first is imported",
        "zh": "该行与第 {first_line} 行的键相同;只导入前一行",
    },
    "unknown-reference": {
        "en": "there is no such record among {record}: it was not imported, or its row was refused",
        "zh": "{record} 中没有这条记录:未导入,或其行被拒绝",
    },
    "changed-row": {
        "en": "the row has changed since it was imported ({told}); the change is reported, not applied",
        "zh": "该行在导入之后有改动({told});只报告,不应用",
    },
    # remarks
    "alias-applied": {"en": "read as {becomes}", "zh": "按 {becomes} 处理"},
    "kept-as-written": {
        "en": "kept as it is written (perhaps {perhaps} is meant)",
        "zh": "按原文保留(可能是 {perhaps})",
    },
    "column-left-out": {"en": "not imported: {why}", "zh": "未导入:{why}"},
    "column-unknown": {"en": "not imported: the profile does not know this column", "zh": "未导入:导入方案中没有此列"},
    "encoding-found": {"en": "read as {encoding} ({how})", "zh": "按 {encoding} 读取({how})"},
    "conflicting-row": {
        "en": "says something else than line {first_line} about the same record; the first one counts",
        "zh": "与第 {first_line} 行对同一记录的内容不一致;以前者为准",
    },
}


HOW: dict[str, dict[Language, str]] = {
    "stated": {"en": "as stated", "zh": "按所指定的"},
    "mark": {"en": "by its mark", "zh": "根据文件开头的标记"},
    "certain": {"en": "every byte fits", "zh": "每个字节都符合"},
    "heading": {"en": "by its headings", "zh": "根据标题"},
}
"""How an encoding was found."""

PARTS: dict[str, dict[Language, str]] = {
    "recorded": {
        "en": "{column}: recorded as {recorded!r}, in the file {found!r}",
        "zh": "{column}:记录为 {recorded!r},文件中是 {found!r}",
    },
    "hidden": {
        "en": "{column}: recorded otherwise than {found!r}",
        "zh": "{column}:记录与文件中的 {found!r} 不同",
    },
    "digest": {
        "en": "its digest was {recorded} and is {found}",
        "zh": "摘要原为 {recorded},现为 {found}",
    },
    "and": {"en": "; ", "zh": ";"},
}
"""The parts of what is said about a changed row."""


def sentence(said: Refusal | Remark, language: Language = "en", others: Others | None = None) -> str:
    """The sentence of a refusal or a remark; `others` knows the refusals of business rules."""
    known = SENTENCES.get(said.code)
    if known is not None:
        return known.get(language, known["en"]).format_map(_Shown(_in(language, said.values)))
    if others is not None:
        return others(said.code, said.values, language)
    if "message" in said.values:
        return str(said.values["message"])
    told = ", ".join(f"{name} {value}" for name, value in said.values.items())
    return f"{said.code} ({told})" if told else said.code


def _in(language: Language, values: dict[str, Any]) -> dict[str, Any]:
    """The values with what is itself a matter of language in words."""
    if "differences" in values:
        return values | {"told": _told(language, values)}
    return values | {"how": HOW[values["how"]][language]} if values.get("how") in HOW else values


def _told(language: Language, values: dict[str, Any]) -> str:
    """Which columns have changed, from what to what; where that is not known, that the row is another one."""
    found = values["differences"]
    if not found:
        return PARTS["digest"][language].format_map(_Shown(values))
    each = [PARTS["recorded" if one["recorded"] is not None else "hidden"][language].format_map(one) for one in found]
    return PARTS["and"][language].join(each)


class _Shown(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "?"
