"""The street in a virtual machine: real hostapd and stations on simulated radios (`make test-vm`).

Each step of `vm_street/main.py` reports one line over the serial port; here each becomes a test. Needs
root and QEMU; software emulation is enough. The first run makes a Debian root (minutes), later ones
only put the changed programs into it.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
JOB = Path(__file__).parent / "vm_street"
BUILD = Path(os.environ.get("PLAZA_VM_FOLDER", ROOT / "build/vm"))
LIMIT_S = 1500

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(2 * LIMIT_S),
    pytest.mark.skipif("PLAZA_VM" not in os.environ, reason="NOT RUN: minutes long; make test-vm"),
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: making a Debian root needs root"),
    pytest.mark.skipif(
        shutil.which("qemu-system-x86_64") is None, reason="NOT RUN: QEMU is missing"
    ),
]


def _steps() -> list[str]:
    """The names in `STEPS`, in their order, read without importing what only the guest has."""
    for node in ast.parse((JOB / "main.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "STEPS":
            return [str(name) for name in ast.unparse(node.value).strip("[]").split(", ")]
    raise AssertionError("no STEPS in the job")


@pytest.fixture(scope="module")
def street() -> dict[str, dict[str, Any]]:
    """Every step's line by its name; `end` and `booted` are there too."""
    BUILD.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        [sys.executable, str(ROOT / "images/vm/build.py"), "--out", str(BUILD)], timeout=LIMIT_S
    )
    assert made.returncode == 0, "the virtual node could not be made"
    console = BUILD / "console.log"
    run = subprocess.run(
        [
            sys.executable, str(ROOT / "images/vm/boot.py"), "--vm", str(BUILD), "--job", str(JOB),
            "--log", str(console), "--timeout", str(LIMIT_S),
        ],
        stdout=subprocess.PIPE, text=True, timeout=LIMIT_S + 60,
    )  # fmt: skip
    (BUILD / "street.ndjson").write_text(run.stdout, encoding="utf-8")
    seen: dict[str, dict[str, Any]] = {}
    for line in map(json.loads, run.stdout.splitlines()):
        seen[line.get("step") or next(iter(line))] = line
    assert "booted_s" in seen, f"it did not boot; its console: {console.read_text()[-2000:]}"
    return seen


def test_the_virtual_node_runs_the_street_to_its_end(street: dict[str, dict[str, Any]]) -> None:
    assert street.get("end", {}).get("end") == 0


@pytest.mark.parametrize("name", _steps())
def test_on_the_street(name: str, street: dict[str, dict[str, Any]]) -> None:
    line = street.get(name, {"ok": False, "error": "was not reached"})

    assert line["ok"], f"{line.get('error')}\n{line.get('where', '')}"
