"""The log: where an error came from, and nothing of what it says."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from crm import logs
from crm.settings import LogFormat

NAME = "欧阳无名"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Logging is as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def fail() -> None:
    """An error that says a name, because of another one that does."""
    try:
        int(NAME)
    except ValueError as error:
        raise RuntimeError(NAME) from error


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("ours", [True, False])
def test_errors_are_told_without_what_they_say(capsys: pytest.CaptureFixture[str], form: LogFormat, ours: bool) -> None:
    logs.configure("info", form)
    log = structlog.get_logger("genjin.test") if ours else logging.getLogger("some.library")
    try:
        fail()
    except RuntimeError:
        log.exception("it went wrong")
    said = capsys.readouterr().err
    assert NAME not in said
    assert json.dumps(NAME)[1:-1] not in said
    for expected in ("it went wrong", "builtins.RuntimeError", "builtins.ValueError", "in fail", "because of"):
        assert expected in said
    if form == "json":
        assert json.loads(said)["level"] == "error"


def test_a_request_below_the_level_is_not_told(capfd: pytest.CaptureFixture[str]) -> None:
    write = logs.request_lines("warning", "json")
    write(logging.INFO, {"status": 200})
    write(logging.WARNING, {"status": 404, "route": "/api/v1/customers/{id}"})
    told = json.loads(capfd.readouterr().err)
    assert told["status"] == 404
    assert (told["event"], told["level"], told["route"]) == ("request", "warning", "/api/v1/customers/{id}")
