"""Being asked to stop: the process unwinds, so that everything it has opened is closed."""

from __future__ import annotations

import signal
from typing import NoReturn


def unwind_on_signals() -> None:
    """SIGTERM and SIGINT end the main thread as if it had called `sys.exit`."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _unwind)


def ignore_signals() -> None:
    """The process is stopping already: being asked once more does not cut that short."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)


def _unwind(*_: object) -> NoReturn:
    raise SystemExit(0)
