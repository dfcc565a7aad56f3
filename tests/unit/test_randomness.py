"""Random bytes: what is handed out is never handed out again."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from aggregates.randomness import AT_ONCE, Portions

FORKING = """
import os
from aggregates.randomness import Portions

random = Portions(12)
random()
reading, writing = os.pipe()
if os.fork() == 0:
    os.write(writing, random())
    os._exit(0)
os.wait()
print(random() != os.read(reading, 12))
"""


def test_no_two_threads_are_given_the_same_bytes() -> None:
    random = Portions(12)
    with ThreadPoolExecutor(8) as threads:
        given = [
            each for part in threads.map(lambda _: [random() for _ in range(5 * AT_ONCE)], range(8)) for each in part
        ]
    assert len(set(given)) == len(given) == 8 * 5 * AT_ONCE
    assert {len(each) for each in given} == {12}


def test_a_forked_process_does_not_go_on_with_the_same_bytes() -> None:
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
