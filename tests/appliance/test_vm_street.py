"""The street in a virtual machine: real hostapd and stations on simulated radios (`make test-vm`).

Each step of `vm_street/main.py` reports one line over the serial port; here each becomes a test. Software
emulation is enough.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from rig.jobs import Report, VirtualNode, steps_of

HERE = Path(__file__).parent
JOB = HERE / "vm_street/main.py"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def street(virtual_node: VirtualNode) -> Report:
    return virtual_node.run("street", [JOB, *(HERE / "inside").glob("*.py")], memory_mib=1024)


def test_the_virtual_node_runs_the_street_to_its_end(street: Report) -> None:
    assert street.ended


@pytest.mark.parametrize("name", steps_of(JOB))
def test_on_the_street(name: str, street: Report) -> None:
    street.expect(name)
