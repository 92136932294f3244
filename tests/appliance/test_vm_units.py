"""The node's units and the Vagrantfile's provisioning under a real systemd, in QEMU (`make test-vm`).

Each step of the jobs reports one line over the serial port; here each becomes a test.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig.jobs import Job, Report, VirtualNode, steps_of

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
INSIDE = (HERE / "inside/steps.py", HERE / "inside/node.py")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2700)]


@pytest.fixture(scope="module")
def units(virtual_node: VirtualNode) -> Report:
    return virtual_node.run("units", [HERE / "vm_units/main.py", *INSIDE])


@pytest.fixture(scope="module")
def energy(virtual_node: VirtualNode) -> Report:
    return virtual_node.run("energy", [HERE / "vm_energy/main.py", *INSIDE])


@pytest.fixture(scope="module", autouse=True)
def provisioned(
    request: pytest.FixtureRequest,
    virtual_node: VirtualNode,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Job | None]:
    """The longest job goes on beside the others from the beginning, if its steps are wanted at all."""
    if not any("by_vagrants_script" in item.name for item in request.session.items):
        yield None
        return
    tree = tmp_path_factory.mktemp("vagrant") / "tree"
    copy_tree(tree)
    shutil.copytree(virtual_node.folder / "wheels", tree / "wheels")
    with virtual_node.begin("vagrant", [HERE / "vm_vagrant/main.py", *INSIDE, tree]) as job:
        yield job


def copy_tree(to: Path) -> None:
    """The source tree, as Vagrant would have put it beside the node."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name, follow_symlinks=False)


@pytest.fixture(scope="module")
def vagrant(provisioned: Job | None) -> Report:
    assert provisioned is not None
    return provisioned.report(limit_s=2400)


@pytest.mark.parametrize("name", steps_of(HERE / "vm_units/main.py"))
def test_under_systemd(name: str, units: Report) -> None:
    units.expect(name)


@pytest.mark.parametrize("name", steps_of(HERE / "vm_energy/main.py"))
def test_the_energy_program_keeps_a_node_under_systemd(name: str, energy: Report) -> None:
    energy.expect(name)


@pytest.mark.parametrize("name", steps_of(HERE / "vm_vagrant/main.py"))
def test_by_vagrants_script(name: str, vagrant: Report) -> None:
    vagrant.expect(name)
