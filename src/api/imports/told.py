"""Jobs and reports of imports as clients read them, in their language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.answers.field_codes import our_code
from api.texts import Language, catalogue, field_text, problem_text
from sheets.jobs import Job, Outcome
from sheets.mapping.remarks import Remark
from sheets.permissions import permissions_of
from sheets.profile import Profile
from sheets.reading import Refusal
from sheets.sentences import sentence

COUNTED = ("rows", "imported", "unchanged", "changed", "refused")


def why(told: Refusal | Remark, language: str) -> str:
    """The sentence that says why, for refusals of the sheet and of the business alike; `en` or `zh`."""
    return sentence(told, "zh" if language.startswith("zh") else "en", _of_business)


def _of_business(code: str, values: dict[str, Any], language: str) -> str:
    spoken: Language = "zh-CN" if language == "zh" else "en"
    code = our_code(code)
    if code in catalogue(spoken).get("fields", {}):
        return field_text(code, values, spoken)
    return problem_text(code, values, spoken)[1]


def job_document(job: Job, language: Language) -> dict[str, Any]:
    """How far it is, and at its end how many rows became what."""
    counts = None if job.counts is None else [dict(count) for count in job.counts]
    total = counts and {name: sum(count[name] for count in counts) for name in COUNTED}
    return {
        "id": job.job_id,
        "profile": job.profile,
        "dry_run": job.is_rehearsal,
        "encoding": job.encoding,
        "files": job.files,
        "bytes": job.bytes,
        "requested_by": job.asked_by,
        "state": job.state,
        "cancel_requested": job.cancel_requested,
        "error": job.error and {"code": job.error, "message": problem_text(job.error, {}, language)[1]},
        "attempts": job.attempts,
        "rows_done": job.rows_done,
        "rows_total": job.rows_total,
        "rows_per_second": job.rows_per_second,
        "seconds_left": job.seconds_left,
        "batch": job.batch_id,
        "position": job.position,
        "refused_rows": job.refused_rows,
        "counts": counts,
        "total": total,
        "requested_at": job.requested_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }


def report_document(job: Job, outcome: Outcome | None, language: Language) -> dict[str, Any]:
    """The same with the rows to tell about; without them while it is not over, and when they are no longer kept."""
    shown = job_document(job, language)
    for name in ("refusals", "changed", "remarks"):
        rows: Sequence[Refusal | Remark] | None = None if outcome is None else getattr(outcome, name)
        shown[name] = None if rows is None else [_row(each, language) for each in rows]
    return shown


def _row(told: Refusal | Remark, language: Language) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "file": told.file,
        "line": told.first_line if isinstance(told, Remark) else told.line,
        "column": told.column,
        "value": told.value,
        "code": our_code(told.code),
        "message": _over_http(why(told, language)),
    }
    return shown | {"count": told.count} if isinstance(told, Remark) else shown


def _over_http(text: str) -> str:
    """The options of the command line as they are called in an address."""
    return text.replace("--encoding gb18030", "encoding=gb18030").replace("--encoding", "encoding=")


def profile_document(profile: Profile) -> dict[str, Any]:
    """A profile as a client needs it to send what it reads."""
    return {
        "name": profile.name,
        "title": profile.title,
        "about": profile.about.strip(),
        "any_name": len(profile.files) == 1,
        "date_formats": list(profile.formats.date),
        "files": [
            {
                "part": part,
                "name": rule.name,
                "encoding": rule.encoding,
                "columns": [
                    {
                        "name": column,
                        "headings": list(spec.headings),
                        "type": spec.type,
                        "optional": spec.optional,
                        "needed": spec.needed,
                        "accepted": list(spec.one_of),
                        "left_out": spec.left_out,
                    }
                    for column, spec in rule.columns.items()
                ],
            }
            for part, rule in profile.files.items()
        ],
        "records": [rule.name for rule in profile.records],
        "permissions": list(permissions_of(profile)),
    }
