"""Looking after processes: they are started again when they fail, less and less eagerly, and ended when we end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from crm.processes.child import LONGEST_PAUSE, SHORTEST_PAUSE, Child
from crm.processes.supervisor import begun, supervise


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that the children run; it notes each start in `starts`."""
    path = tmp_path / "looked_after.py"
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return path


def starts(tmp_path: Path) -> list[str]:
    """The process numbers of the starts so far."""
    noted = tmp_path / "starts"
    return noted.read_text().split() if noted.exists() else []


NOTE = "import os, sys, time\nopen({path!r}, 'a').write(f'{{os.getpid()}}\\n')\n"


def test_they_are_ended_when_we_are_asked_to_stop(tmp_path: Path, module: Path) -> None:
    module.write_text(NOTE.format(path=str(tmp_path / "starts")) + "time.sleep(60)")
    children = [Child(f"sleeper {number}", "looked_after") for number in range(2)]

    def every_second() -> None:
        if len(starts(tmp_path)) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    began = time.monotonic()
    supervise(children, every_second)
    assert time.monotonic() - began < 30
    assert not any(child.is_running for child in children)


def test_one_that_fails_is_started_again(tmp_path: Path, module: Path) -> None:
    module.write_text(NOTE.format(path=str(tmp_path / "starts")) + "sys.exit(3)")

    def every_second() -> None:
        if len(starts(tmp_path)) == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    supervise([Child("failing", "looked_after")], every_second)
    assert len(set(starts(tmp_path))) == 3


def test_one_that_does_not_stop_is_killed_when_we_are_asked_twice(tmp_path: Path, module: Path) -> None:
    module.write_text(
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        + NOTE.format(path=str(tmp_path / "starts"))
        + "time.sleep(60)"
    )
    child = Child("deaf", "looked_after")
    asked: list[threading.Timer] = []

    def every_second() -> None:
        if starts(tmp_path) and not asked:
            for delay in (0.0, 0.5):
                asked.append(threading.Timer(delay, os.kill, [os.getpid(), signal.SIGTERM]))
                asked[-1].start()

    began = time.monotonic()
    supervise([child], every_second)
    assert time.monotonic() - began < 14
    assert not child.is_running


def test_what_goes_wrong_before_they_are_looked_after_ends_them(module: Path) -> None:
    module.write_text("import time; time.sleep(60)")
    child = Child("begun", "looked_after")
    was_running = False

    def go_wrong() -> None:
        nonlocal was_running
        with begun([child]):
            was_running = child.is_running
            raise RuntimeError

    with pytest.raises(RuntimeError):
        go_wrong()
    assert was_running
    assert not child.is_running


def test_those_that_have_begun_are_not_started_twice(tmp_path: Path, module: Path) -> None:
    module.write_text(NOTE.format(path=str(tmp_path / "starts")) + "time.sleep(60)")
    child = Child("begun", "looked_after")

    def every_second() -> None:
        if starts(tmp_path):
            os.kill(os.getpid(), signal.SIGTERM)

    with begun([child]):
        supervise([child], every_second)
    assert len(starts(tmp_path)) == 1


def test_pauses_grow_up_to_a_limit(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("crm.processes.child.time.monotonic", lambda: now)
    module.write_text("")
    child = Child("failing", "looked_after")
    pauses: list[float] = []
    for _ in range(9):
        child.keep_running()
        process = child._process
        assert process is not None
        process.wait(20)
        child.keep_running()
        due_in = child.due_in
        assert due_in is not None
        pauses.append(due_in)
        now += due_in
    assert pauses[:4] == [SHORTEST_PAUSE, 1.0, 2.0, 4.0]
    assert pauses[-1] == LONGEST_PAUSE


def test_a_process_ends_when_the_lifeline_does() -> None:
    reading, writing = os.pipe()
    script = (
        "from crm.processes import lifeline; import time; "
        f"lifeline.hold({reading}); print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], pass_fds=[reading], stdout=subprocess.PIPE, text=True)
    os.close(reading)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "held\n"
        assert process.poll() is None
        os.close(writing)
        assert process.wait(10) == -signal.SIGTERM


def test_a_process_waits_at_the_gate_until_that_is_opened() -> None:
    reading, writing = os.pipe()
    script = f"from crm.processes import gate; print('here', flush=True); gate.wait_at({reading}); print('through')"
    process = subprocess.Popen([sys.executable, "-c", script], pass_fds=[reading], stdout=subprocess.PIPE, text=True)
    os.close(reading)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "here\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.2)
        os.close(writing)
        assert process.stdout.readline() == "through\n"
        assert process.wait(10) == 0
