"""What the README says to type does what it says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from end_to_end.running import Service

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here to type the README's calls with")
def test_its_first_five_calls_work(service: Service, tmp_path: Path) -> None:
    (calls,) = re.findall(r"```bash\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    script = (
        calls.replace("TOKEN=genjin_...", f"TOKEN={service.token}")
        .replace("http://127.0.0.1:8000", service.url)
        .replace("curl -sS", "\necho; curl --fail-with-body -sS")
    )
    typed = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert typed.returncode == 0, typed.stdout + typed.stderr
    registered, logged, opened, tracking, funnel, history = typed.stdout.strip().split("\n")[:6]
    assert '"position"' in registered
    assert '"position"' in logged
    assert '"position"' in opened
    assert "上海明远科技有限公司" in tracking
    assert '"stages"' in funnel
    assert "上海明远科技有限公司" in history
