"""The embedded server's settings, chosen for a ledger that commits often and tables that are rebuilt in bulk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psutil

MB = 1024 * 1024


def settings(socket: Path, more: Mapping[str, str]) -> str:
    """The text of `postgresql.conf`."""
    memory = psutil.virtual_memory().total // MB
    return (
        "\n".join(
            f"{name} = {value}"
            for name, value in {
                "listen_addresses": "''",
                "unix_socket_directories": quoted(str(socket)),
                "unix_socket_permissions": "0700",
                "max_connections": 200,
                "shared_buffers": f"{min(1024, max(128, memory // 16))}MB",
                "effective_cache_size": f"{max(256, memory // 2)}MB",
                "work_mem": "16MB",
                "maintenance_work_mem": f"{min(256, max(64, memory // 32))}MB",
                "max_wal_size": "4GB",
                "min_wal_size": "256MB",
                "checkpoint_timeout": "15min",
                "wal_compression": "on",
                "random_page_cost": "1.1",
                "jit": "off",
                "timezone": "'UTC'",
                "log_timezone": "'UTC'",
                "lc_messages": "'C'",
                "password_encryption": "'scram-sha-256'",
                "logging_collector": "on",
                "log_directory": "'log'",
                "log_filename": "'postgresql-%a.log'",
                "log_rotation_age": "1d",
                "log_truncate_on_rotation": "on",
                "log_error_verbosity": "terse",
                "log_line_prefix": "'%m [%p] %u '",
                **{name: quoted(value) for name, value in more.items()},
            }.items()
        )
        + "\n"
    )


def callers(user: str) -> tuple[str, str]:
    """The texts of `pg_hba.conf` and `pg_ident.conf`: this user of the operating system alone, in any role."""
    return "local all,replication all peer map=genjin\n", f'genjin "{user}" all\n'


def quoted(text: str) -> str:
    """A value as it stands in a file of settings."""
    return "'" + text.replace("\\", r"\\").replace("'", "''").replace("\n", r"\n") + "'"
