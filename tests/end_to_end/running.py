"""A real `crm serve`, with a data folder and a port of its own."""

from __future__ import annotations

import io
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

import httpx
import psutil

READY_WITHIN = 60.0
STOPPED_WITHIN = 40.0


class Service:
    """The service as a person runs it; what it prints is in `printed`, what it logs in `logged`."""

    def __init__(self, data: Path, *, workers: int = 1, port: int | None = None, **environment: str) -> None:
        self.data = data
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.printed: list[str] = []
        self.logged: list[str] = []
        self.environment = environment
        self._words = [sys.executable, "-m", "crm", "serve", "--workers", str(workers)]
        self._process: subprocess.Popen[str] | None = None
        self._listeners: list[threading.Thread] = []

    def start(self) -> Self:
        """Start it, and wait until it says that it is ready."""
        process = self._process = subprocess.Popen(
            self._words,
            env=environment_of(self.data, CRM_PORT=str(self.port), **self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        for stream, lines in ((process.stdout, self.printed), (process.stderr, self.logged)):
            self._listeners.append(threading.Thread(target=_collect, args=[stream, lines], daemon=True))
            self._listeners[-1].start()
        assert soon(lambda: "is ready" in self.said or process.poll() is not None, READY_WITHIN), self.all_said
        assert process.poll() is None, self.all_said
        return self

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return "".join(self.printed)

    @property
    def all_said(self) -> str:
        """What it has printed and logged so far, to show with a failed assertion."""
        return self.said + "".join(line[:400].rstrip() + "\n" for line in self.logged[-25:])

    @property
    def token(self) -> str:
        """The token it has printed."""
        (found,) = re.findall(r"^  (genjin_\S+)$", self.said, re.MULTILINE)
        return str(found)

    @property
    def process(self) -> psutil.Process:
        """The process that looks after the others."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def children(self, module: str = "") -> list[psutil.Process]:
        """The processes that it looks after, or those of one kind."""
        return [each for each in self.process.children() if module in " ".join(_words_of(each))]

    def everything(self) -> list[psutil.Process]:
        """Every process that belongs to this data folder: its own, their guardian, and the database's."""
        return [self.process, *self.process.children(recursive=True), *processes_of(self.data)]

    def client(self, token: str) -> httpx.Client:
        """A client that shows a token."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=20)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, wait for the end, and return its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(STOPPED_WITHIN)

    def kill(self) -> None:
        """End it the hard way."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.stop()
        for each in self._listeners:
            each.join(10)


def crm(data: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one command of the command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "crm", *words],
        env=environment_of(data, **environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def crm_here(data: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, which has read all the code already."""
    from crm.cli import main

    printed, complained, code = io.StringIO(), io.StringIO(), 0
    with (
        patch.dict(os.environ, environment_of(data, **environment), clear=True),
        patch.object(sys, "argv", ["crm", *words]),
        redirect_stdout(printed),
        redirect_stderr(complained),
    ):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return subprocess.CompletedProcess(["crm", *words], code, printed.getvalue(), complained.getvalue())


def environment_of(data: Path, **more: str) -> dict[str, str]:
    """The environment without any setting of ours but these."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CRM_")}
    return {**clean, "CRM_DATA_DIR": str(data), "PYTHONUNBUFFERED": "1", **more}


def processes_of(data: Path) -> list[psutil.Process]:
    """The processes that have the data folder in their command line, the database's main process among them."""
    return [each for each in psutil.process_iter() if is_alive(each) and str(data) in " ".join(_words_of(each))]


def is_alive(process: psutil.Process) -> bool:
    """The process is there, and not only its grave."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def soon(true: Callable[[], Any], seconds: float = 20.0) -> bool:
    """It becomes true within some seconds."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    """A port of the loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _words_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []


def _collect(stream: Any, lines: list[str]) -> None:
    with stream:
        lines.extend(stream)
