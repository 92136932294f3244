"""The virtual node follows the ordinary recipe and opens nothing beyond the host's loopback."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted([*(ROOT / "images").glob("*.sh"), ROOT / ".ci" / "setup", ROOT / ".ci" / "run"])


def test_the_virtual_node_is_made_by_the_ordinary_install_script() -> None:
    vagrantfile = (ROOT / "Vagrantfile").read_text()
    provision = re.search(r'provision "shell", path: "([^"]+)"', vagrantfile)

    assert provision is not None
    assert "images/install.sh" in (ROOT / provision[1]).read_text()


@pytest.mark.skipif(shutil.which("vagrant") is None, reason="NOT RUN: vagrant is missing")
def test_vagrant_itself_understands_the_file(tmp_path: Path) -> None:
    """Without a provider: none runs in continuous integration."""
    checked = subprocess.run(
        ["vagrant", "validate", "--ignore-provider"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={**os.environ, "VAGRANT_HOME": str(tmp_path), "VAGRANT_CHECKPOINT_DISABLE": "1",
             "VAGRANT_DOTFILE_PATH": str(tmp_path / "dot")},
    )  # fmt: skip

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "validated successfully" in checked.stdout


def test_both_providers_are_described() -> None:
    described = re.findall(r'config.vm.provider "(\w+)"', (ROOT / "Vagrantfile").read_text())

    assert described == ["libvirt", "virtualbox"]


def test_forwarded_ports_are_reached_from_the_host_only() -> None:
    forwards = re.findall(r"forwarded_port.*", (ROOT / "Vagrantfile").read_text())

    assert forwards
    assert all('host_ip: "127.0.0.1"' in line for line in forwards)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.name)
def test_every_script_is_valid_bash_that_stops_at_the_first_error(script: Path) -> None:
    assert "set -euo pipefail" in script.read_text()
    checked = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True)

    assert checked.stderr == ""
    assert checked.returncode == 0


@pytest.mark.parametrize("name", ["kiosk", "portal", "sync", "gate"])
def test_every_program_of_a_node_has_a_service_of_its_own(name: str) -> None:
    unit = (ROOT / "images/overlay/usr/lib/systemd/system" / f"plaza-{name}.service").read_text()

    assert "Restart=always" in unit
    assert "NoNewPrivileges=yes" in unit
    assert ("User=root" in unit) == (name == "gate")
