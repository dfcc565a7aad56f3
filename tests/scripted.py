"""The standalone script that verifies exports, run as its users run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[1] / "tools" / "verify_ledger.py"


def verify_export(*paths: Path) -> tuple[int, str]:
    """Its exit code, and what it says; Python runs without anything that is installed."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, (done.stdout + done.stderr).strip()
