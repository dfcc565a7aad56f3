"""Being asked to stop: the process unwinds, so that everything it has opened is closed."""

from __future__ import annotations

import signal
from typing import NoReturn


def unwind_on_signals() -> None:
    """SIGTERM and SIGINT end the main thread as if it had called `sys.exit`."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _unwind)


def _unwind(*_: object) -> NoReturn:
    raise SystemExit(0)
