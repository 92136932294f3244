"""The wheel that an image installs holds everything, and runs from anywhere without the source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("municipio", "sync", "hardware", "kiosk", "captive_portal", "central", "plaza")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    tree = out / "src"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and (name.split("/")[0] in ROOMS or "/" not in name):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "--no-index", "-w", str(out), str(tree)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return next(out.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_rooms(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(p.relative_to(wheel.parent / "src"))
        for room in ROOMS
        for p in (wheel.parent / "src" / room).rglob("*")
        if p.is_file()
    }

    assert sorted(wanted - held) == []


def test_the_wheel_holds_nothing_but_the_rooms(wheel: Path) -> None:
    held = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {h for h in held if not h.endswith(".dist-info")} == set(ROOMS)


@pytest.mark.parametrize(
    "module", ["plaza", "kiosk", "captive_portal", "sync", "central", "hardware"]
)
def test_every_program_starts_from_the_wheel_in_an_empty_folder(
    wheel: Path, module: str, tmp_path: Path
) -> None:
    target = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    env = {**os.environ, "PYTHONPATH": str(target)}
    code = f"import {module}; print({module}.__file__)"
    where = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd="/", env=env, capture_output=True, text=True
    )
    helped = subprocess.run(
        [sys.executable, "-P", "-m", module, "--help"],
        cwd="/", env=env, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert where.stdout.startswith(str(target))
    assert helped.returncode == 0, helped.stderr
