"""Whom the embedded server runs as: PostgreSQL refuses to run as root, so root lends it a user of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

from crm.database.errors import DatabaseUnusable

NAME = "genjin_postgres"


class SystemUser:
    """The operating system's user that owns the server's process and files."""

    def __init__(self) -> None:
        self.is_lent = os.geteuid() == 0
        entry = _lent() if self.is_lent else None
        self.uid = entry.pw_uid if entry else os.geteuid()
        self.gid = entry.pw_gid if entry else os.getegid()

    @property
    def process(self) -> dict[str, Any]:
        """What `subprocess` must be told to run something as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_lent else {}

    def owns(self, folder: Path) -> None:
        """Make a folder that only this user can look into."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_uid != self.uid:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)

    def takes(self, path: Path) -> None:
        """Make a file or folder this user's, and never what a link of that name leads to."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def passes(self, path: Path) -> None:
        """Let a lent user pass through the folders above a path, without showing what is in them."""
        if self.is_lent:
            for folder in path.resolve().parents:
                mode = folder.stat().st_mode
                if not mode & stat.S_IXOTH:
                    folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _lent() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        raise DatabaseUnusable(
            f"PostgreSQL does not run as root and there is no useradd here to make a user for it: "
            f"run Genjin as an ordinary user, or add a system user named {NAME}."
        )
    made = subprocess.run(
        [useradd, "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return pwd.getpwnam(NAME)  # made now, or by a process that started together with this one
    except KeyError:
        raise DatabaseUnusable(
            f"PostgreSQL does not run as root and the system user {NAME} for it could not be made "
            f"({made.stderr.strip()}): run Genjin as an ordinary user, or add that user."
        ) from None
