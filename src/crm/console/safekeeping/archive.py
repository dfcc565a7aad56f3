"""Commands for the archive of the embedded database, and for recovering it to a moment."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from crm.output import AsJson, as_json, as_table, bar, err, refusal, sentence

if TYPE_CHECKING:
    from crm.database.archive.failing import Failing
    from crm.database.archive.folder import Archive, Base, Reach
    from crm.settings import Settings

app = typer.Typer(no_args_is_help=True, help="The archive: from which the database is recovered to any moment.")
MB = 1024 * 1024
NEXT = """
The database as it was {when} is in {folder}.

Put master.key and signing.key there, or set CRM_MASTER_KEY and CRM_SIGNING_KEY. Let it see the present register of
erasures and the checkpoints: copy the folders erasures and checkpoints there, or set CRM_ERASURE_DIR and
CRM_CHECKPOINT_DIR. Then:

  CRM_DATA_DIR={folder} crm restored
  CRM_DATA_DIR={folder} crm serve
"""


@app.command()
def base(json: AsJson = False) -> None:
    """Take a base backup while the database serves, and remove what no moment of CRM_ARCHIVE_DAYS needs any more."""
    from crm import settings, store
    from crm.database.archive import base, retention

    chosen = settings.read()
    archive = _archive(chosen)
    with store.opened(chosen) as opened, base.alone(archive), err.status("Taking a base backup"):
        path = base.take(opened.conninfo, archive)
        removed = retention.remove_older(_archive(chosen), datetime.now(UTC), chosen.archive_days)
    if json:
        as_json({"base": path.name, "removed": removed})
    else:
        sentence(f"{path} is whole. Removed: {removed.bases} base backups, {removed.segments} segments.")


@app.command("list")
def list_(json: AsJson = False) -> None:
    """Show from which moment to which one can recover, and whether archiving fails; nothing is started for that."""
    from crm import settings

    chosen = settings.read()
    archive = _archive(chosen)
    archiving, fault = _state(chosen, archive)
    usable = archive.usable()
    found = [(each, archive.reach(each) if each in usable else None) for each in archive.bases]
    if json:
        segments = {"segments": len(archive.segments), "segment_bytes": _bytes(archive)}
        as_json({"bases": [_document(*each) for each in found], **segments, "archiving": archiving, "failing": fault})
    else:
        _show(archive, found)
        if archiving is False:
            sentence("The database runs without this archive: stop all that uses it, and start it again.")
        if fault is not None:
            sentence(f"Archiving fails: {fault.segment} was last tried at {fault.tried_at:%Y-%m-%d %H:%M:%S%z}.")


def _document(base: Base, reach: Reach | None) -> dict[str, Any]:
    return {
        "base": base.path.name,
        "from": base.moment,
        "until": reach and reach.until,
        "missing": reach and reach.missing and reach.missing.name,
        "bytes": base.bytes,
    }


def _show(archive: Archive, found: Sequence[tuple[Base, Reach | None]]) -> None:
    from crm.database.archive.planning import in_words

    rows = [
        (in_words(base.moment), in_words(reach.until) if reach else "on a timeline that was left", _size(base.bytes))
        for base, reach in found
    ]
    as_table(["from", "until about", "size"], rows)
    sentence(f"{len(archive.segments)} segments, {_size(_bytes(archive))}.")
    for missing in dict.fromkeys(reach.missing for _, reach in found if reach and reach.missing):
        sentence(f"The segment {missing.name} is missing: one cannot recover past it from a base before it.")


def _bytes(archive: Archive) -> int:
    return sum(each.bytes for each in archive.segments.values())


def recover(
    until: Annotated[str, typer.Option(help="The moment, as 2026-03-31T18:00:00+08:00, or `latest`.")],
    into: Annotated[Path, typer.Option(help="A folder that is new or empty; it becomes a data folder.")],
    json: AsJson = False,
) -> None:
    """Recover the embedded database to a moment from the archive, into a folder of its own.

    Whatever runs goes on undisturbed. docs/operations.md tells how the folder is then put to use.
    """
    from crm import settings
    from crm.database.archive.planning import in_words, plan
    from crm.database.archive.recovery import recover

    moment = _moment(until)
    planned = plan(_archive(settings.read()), moment, datetime.now(UTC))
    folder = into.expanduser().resolve()
    with _progress(quiet=json) as told:
        done = recover(planned, folder, told)
    if json:
        as_json({"folder": str(folder), "base": done.base, "until": moment, "last_change_at": done.last_change_at})
        return
    when = "at the end of the archive" if moment is None else f"at {in_words(moment)}"
    if done.last_change_at is not None:
        when += f" (last change {in_words(done.last_change_at)})"
    sentence(NEXT.format(when=when, folder=shlex.quote(str(folder))).strip("\n"))


def _size(count: int) -> str:
    return f"{count / MB:.1f} MB"


def _archive(chosen: Settings) -> Archive:
    from crm.database.archive.folder import Archive

    if chosen.archive_dir is None:
        _refuse("CRM_ARCHIVE_DIR must name the folder of the archive.")
    return Archive(chosen.archive_dir)


def _state(chosen: Settings, archive: Archive) -> tuple[bool | None, Failing | None]:
    """Whether the server of the settings archives here, and what fails; nothing is known of one that does not run."""
    import psycopg

    from crm.database.archive.failing import archives_into, failing
    from crm.database.embedded import EmbeddedServer

    server = EmbeddedServer(chosen.data_dir / "postgres")
    if not server.is_alive():
        return None, None
    with closing(psycopg.connect(server.conninfo("postgres"))) as connection:
        return archives_into(connection, archive.path), failing(connection)


def _moment(text: str) -> datetime | None:
    if text == "latest":
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        _refuse(
            f"--until must be `latest` or a moment with its offset, as 2026-03-31T18:00:00+08:00, and not {text!r}."
        )
    return moment


def _refuse(why: str) -> NoReturn:
    refusal(why)
    raise typer.Exit(1)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    with bar(quiet=quiet) as shown:
        task = shown.add_task("Verifying", total=None)
        yield lambda what, done, total: shown.update(task, description=what, completed=done, total=total)
