"""A process that was set for calls gives memory back behind them."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="other C libraries are not asked for their memory"
)

SCRIPT = """
import platform, sys
from pathlib import Path
from helpline.collector import give_back_memory, spare_calls_the_collector

def resident_mb():
    return next(int(line.split()[1]) / 1024 for line in Path("/proc/self/status").read_text().splitlines()
                if line.startswith("VmRSS"))

if {set}:
    spare_calls_the_collector()
held = [bytes(2000) for _ in range(50_000)]
lives_on = bytes(2000)  # above them: without being asked, glibc keeps all that is below
del held
before = resident_mb()
give_back_memory()
print(before - resident_mb())
"""


def given_back_mb(*, process_is_set):
    script = SCRIPT.replace("{set}", str(process_is_set))
    return float(
        subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    )


def test_what_calls_held_goes_back_to_the_system():
    assert given_back_mb(process_is_set=True) > 50


def test_a_process_that_was_not_set_is_left_alone():
    assert given_back_mb(process_is_set=False) < 5
