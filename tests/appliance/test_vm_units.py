"""The node's units and the Vagrantfile's provisioning under a real systemd, in QEMU (`make test-vm`).

Each step of the two jobs reports one line over the serial port; here each becomes a test.
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
HERE = Path(__file__).parent
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
Steps = dict[str, dict[str, Any]]


def _steps(job: str) -> list[str]:
    """The names in `STEPS`, in their order, read without importing what only the guest has."""
    for node in ast.parse((HERE / job / "main.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "STEPS":
            return [str(name) for name in ast.unparse(node.value).strip("[]").split(", ")]
    raise AssertionError("no STEPS in the job")


def _run(job: Path, name: str) -> Steps:
    """Every step's line by its name; `booted_s` is there too."""
    BUILD.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        [sys.executable, str(ROOT / "images/vm/build.py"), "--out", str(BUILD)], timeout=LIMIT_S
    )
    assert made.returncode == 0, "the virtual node could not be made"
    console = BUILD / f"{name}.log"
    run = subprocess.run(
        [
            sys.executable, str(ROOT / "images/vm/boot.py"), "--vm", str(BUILD), "--job", str(job),
            "--log", str(console), "--timeout", str(LIMIT_S), "--memory", "1536",
        ],
        stdout=subprocess.PIPE, text=True, timeout=LIMIT_S + 60,
    )  # fmt: skip
    (BUILD / f"{name}.ndjson").write_text(run.stdout, encoding="utf-8")
    seen: Steps = {}
    for line in map(json.loads, run.stdout.splitlines()):
        seen[line.get("step") or next(iter(line))] = line
    assert "booted_s" in seen, f"it did not boot; its console: {console.read_text()[-2000:]}"
    return seen


@pytest.fixture(scope="module")
def units() -> Steps:
    return _run(HERE / "vm_units", "units")


@pytest.fixture(scope="module")
def vagrant(tmp_path_factory: pytest.TempPathFactory) -> Steps:
    """The source tree and a wheelhouse beside the job, as Vagrant would have put them there."""
    job = tmp_path_factory.mktemp("vagrant")
    shutil.copy2(HERE / "vm_vagrant/main.py", job)
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
            (job / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, job / "tree" / name, follow_symlinks=False)
    seen = None
    if not (BUILD / "wheels").is_dir():
        seen = _run(HERE / "vm_units", "units")  # makes the wheelhouse
    assert seen is None or (BUILD / "wheels").is_dir()
    shutil.copytree(BUILD / "wheels", job / "tree/wheels")
    return _run(job, "vagrant")


@pytest.mark.parametrize("name", _steps("vm_units"))
def test_under_systemd(name: str, units: Steps) -> None:
    line = units.get(name, {"ok": False, "error": "was not reached"})

    assert line["ok"], f"{line.get('error')}\n{line.get('where', '')}"


@pytest.mark.parametrize("name", _steps("vm_vagrant"))
def test_by_vagrants_script(name: str, vagrant: Steps) -> None:
    line = vagrant.get(name, {"ok": False, "error": "was not reached"})

    assert line["ok"], f"{line.get('error')}\n{line.get('where', '')}"
