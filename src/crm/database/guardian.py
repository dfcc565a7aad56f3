"""The process that stops an embedded server after its last user, also when that one was killed."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from crm.database.lease import Lease


def main() -> None:
    """Go on alone, wait until nobody needs the server in the given folder, and stop it."""
    if os.fork():
        os._exit(0)
    os.setsid()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    _guard(Path(sys.argv[1]))


def _guard(folder: Path) -> None:
    lease = Lease(folder)
    while folder.exists():
        lease.wait_until_unused()
        from crm.database.embedded import EmbeddedServer  # heavy, and needed only now

        if EmbeddedServer(folder).stop_if_unused():
            return


if __name__ == "__main__":
    main()
