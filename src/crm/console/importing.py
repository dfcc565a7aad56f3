"""The command `crm import`: brings somebody's tables in, by a profile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm.output import AsJson, as_json, as_table, bar, err, refusal, sentence

if TYPE_CHECKING:
    from sheets.importing import Report
    from sheets.profile import Profile
    from sheets.reading import Refusal, Unreadable

ALL_IN, SOME_REFUSED, CANNOT_START = 0, 1, 2
COUNTED = ("record", "rows", "imported", "unchanged", "changed", "refused")


def import_(
    path: Annotated[Path, typer.Argument(help="The file, or the folder of files, that the profile reads.")],
    profile: Annotated[str, typer.Option("--profile", "-p", help="A profile's name, or a TOML file of your own.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything and write nothing.")] = False,
    encoding: Annotated[str | None, typer.Option(help="How the files are encoded, for example gb18030.")] = None,
    language: Annotated[str, typer.Option(help="en or zh, for everything that is told.")] = "en",
    json: AsJson = False,
) -> None:
    """Bring tables in: what is new is written, what was changed since is reported, and nothing is written twice.

    Exit code 0: every row is in. 1: some rows were refused, each is named. 2: it could not start.
    """
    from sheets.reading import Unreadable

    try:
        report = _run(_profile(profile), path, encoding, dry_run=dry_run, language=language, quiet=json)
    except Unreadable as unreadable:
        _cannot_start(unreadable, language, json=json)
        raise typer.Exit(CANNOT_START) from None
    if json:
        as_json(_document(report, language))
    else:
        _show(report, language)
    if not report.is_complete:
        raise typer.Exit(SOME_REFUSED)


def _profile(name: str) -> Profile:
    from sheets.opening import UnknownProfile, load
    from sheets.profile import WrongProfile

    try:
        return load(name)
    except UnknownProfile as unknown:
        refusal(f"There is no profile {unknown.name}; there are {', '.join(unknown.known)}.")
    except WrongProfile as wrong:
        refusal(f"The profile cannot be used. {wrong}.")
    raise typer.Exit(CANNOT_START)


def _run(profile: Profile, path: Path, encoding: str | None, *, dry_run: bool, language: str, quiet: bool) -> Report:
    from crm import settings, store
    from crm.services import services
    from sheets.importing import Importer
    from sheets.importing.importer import WRITERS

    with store.opened(settings.read()) as opened:
        opened.prepare()
        with (
            services(opened, connections=WRITERS + 4) as made,
            _progress(profile.title, language, quiet=quiet) as shown,
        ):
            importer = Importer(
                profile, made.door, made.ledger, is_rehearsal=dry_run, progress=shown.progress, told=shown.told
            )
            return importer.run(path, encoding)


class _Quiet:
    """Says nothing."""

    def progress(self, done: int, total: int) -> None:
        """The rows done."""

    def told(self, told: Refusal) -> None:
        """A row that was refused."""


class _Shown(_Quiet):
    """A progress bar, and above it a line for every row that was refused or has changed."""

    def __init__(self, advance: Callable[[int, int], None], line: Callable[[str], None], language: str) -> None:
        self._advance = advance
        self._line = line
        self._language = language

    def progress(self, done: int, total: int) -> None:
        """The rows done."""
        self._advance(done, total)

    def told(self, told: Refusal) -> None:
        """A row that was refused."""
        self._line(line_of(told, self._language))


@contextmanager
def _progress(title: str, language: str, *, quiet: bool) -> Iterator[_Quiet]:
    if quiet:
        yield _Quiet()
        return
    with bar(quiet=False, counted=True) as shown:
        task = shown.add_task(title, total=None)

        def advance(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total)

        yield _Shown(advance, lambda text: err.print(text, markup=False), language)


def line_of(told: Refusal, language: str) -> str:
    """One line of the report: file, line, column, value, and why."""
    place = f"{told.file}:{told.line}" if told.line else told.file
    column = f" {told.column}" if told.column else ""
    value = f" {told.value!r}" if told.value is not None else ""
    return f"{place}{column}{value}: {_why(told, language)}"


def _why(told: Refusal, language: str) -> str:
    from api.imports.told import why

    return why(told, language)


def _cannot_start(unreadable: Unreadable, language: str, *, json: bool) -> None:
    if json:
        as_json({"refusals": [_line_document(each, language) for each in unreadable.refusals]})
        return
    for each in unreadable.refusals:
        refusal(line_of(each, language))


def _document(report: Report, language: str) -> dict[str, Any]:
    import msgspec

    document: dict[str, Any] = msgspec.to_builtins(report, builtin_types=())
    document["refusals"] = [_line_document(each, language) for each in report.refusals]
    document["changed"] = [_line_document(each, language) for each in report.changed]
    for name in ("rows", "imported", "unchanged", "changed", "refused"):
        document.setdefault("total", {})[name] = report.total(name)
    return document


def _line_document(told: Refusal, language: str) -> dict[str, Any]:
    return {
        "file": told.file,
        "line": told.line,
        "column": told.column,
        "value": told.value,
        "code": told.code,
        "why": _why(told, language),
    }


WORDS = {
    "en": {
        **{name: name for name in COUNTED},
        "rows in line": " ({count} rows, first in line {first_line})",
        "imported in": "{imported} imported in {seconds:.1f} s{refused}.",
        "would be": "{imported} would be imported; checked in {seconds:.1f} s{refused}.",
        "lines refused": ", {lines} lines refused",
        "position": " The ledger is at position {position}.",
    },
    "zh": {
        "record": "记录",
        "rows": "行数",
        "imported": "已导入",
        "unchanged": "未变",
        "changed": "有改动",
        "refused": "被拒绝",
        "rows in line": "(共 {count} 行,首见于第 {first_line} 行)",
        "imported in": "已导入 {imported} 条,用时 {seconds:.1f} 秒{refused}。",
        "would be": "将导入 {imported} 条(未写入),检查用时 {seconds:.1f} 秒{refused}。",
        "lines refused": ",{lines} 行被拒绝",
        "position": "账本位置 {position}。",
    },
}
"""What the summary says."""


def _show(report: Report, language: str) -> None:
    words = WORDS["zh" if language.startswith("zh") else "en"]
    as_table([words[name] for name in COUNTED], [[getattr(count, name) for name in COUNTED] for count in report.counts])
    for remark in report.remarks:
        times = ""
        if remark.first_line:
            times = words["rows in line"].format(count=remark.count, first_line=remark.first_line)
        what = " ".join(filter(None, (remark.file, remark.column, repr(remark.value) if remark.value else None)))
        sentence(f"{what}: {_remark(remark, language)}{times}")
    refused = words["lines refused"].format(lines=report.refused_rows) if report.refused_rows else ""
    done = words["would be" if report.is_rehearsal else "imported in"]
    where = "" if report.position is None else words["position"].format(position=report.position)
    sentence(done.format(imported=report.total("imported"), seconds=report.seconds, refused=refused) + where)


def _remark(remark: Any, language: str) -> str:
    from sheets.sentences import sentence as of_sheets

    return of_sheets(remark, "zh" if language.startswith("zh") else "en")
