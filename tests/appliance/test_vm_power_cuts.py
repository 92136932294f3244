"""The power goes while people pay in the virtual node: 240 moments of one minute, by replay (`make test-vm`).

The node's own cash machine and ledger work on a partition of their own, mounted as the card mounts it,
whose writes are logged; then QEMU is killed. Each disk that a cut leaves is repaired as at boot, must be
clean, and must hold all that was told before its moment. The same for the card: test_appliance_power_cuts.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from rig.cutting import Cutting, cut_often, cut_on_a_liar
from rig.guest import agent_disk
from rig.jobs import VirtualNode
from rig.machine import Disk, Machine, Spec
from rig.replay import copy_sparse
from rig.told import Listener
from rig.writelog import WriteLog, read_log

HERE = Path(__file__).parent
CUTS = int(os.environ.get("PLAZA_DISK_CUTS", "240"))
PAY_S = float(os.environ.get("PLAZA_PAY_S", "40"))
DATA_BYTES = 256 << 20
SEED = 6

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def paying_machine(node: VirtualNode, work: Path) -> Spec:
    """The virtual node with the job, and an empty data partition beside its root."""
    before, data = work / "before.img", work / "data.img"
    before.touch()
    os.truncate(before, DATA_BYTES)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "plaza-data", str(before)], check=True)
    copy_sparse(before, data, 0, DATA_BYTES)
    files = [HERE / "vm_payments/main.py", HERE / "vm_payments/payments.py"]
    return node.spec(
        agent_disk(files, work / "job.tar"), Disk(data, log=work / "writes.log"), memory_mib=1024
    )


@pytest.fixture(scope="module")
def cutting(virtual_node: VirtualNode, tmp_path_factory: pytest.TempPathFactory) -> Cutting:
    work = tmp_path_factory.mktemp("cuts")
    with Machine(paying_machine(virtual_node, work), work / "machine") as machine:
        listener = Listener(lambda: machine.logged(2))
        machine.ports["control"].on_data = listener
        until = time.monotonic() + 300
        while not listener.heard:
            assert time.monotonic() < until, machine.console[-1500:]
            time.sleep(0.5)
        time.sleep(PAY_S)
    with (work / "writes.log").open("rb") as file:
        log = read_log(file, DATA_BYTES)
    assert isinstance(log, WriteLog), log
    return Cutting(
        work / "before.img", work / "writes.log", log, tuple(listener.heard), (0, DATA_BYTES), "/plaza",
        ("COA007", "30039"), work,
    )  # fmt: skip


def test_the_plug_is_pulled_and_everything_told_is_there(cutting: Cutting) -> None:
    part = cutting.work / "plug.part"
    copy_sparse(cutting.work / "data.img", part, 0, DATA_BYTES)

    verdict = cutting.verdict(part, len(cutting.log.entries))

    assert verdict.broken == ()
    assert verdict.promises > 100


def test_no_moment_of_the_same_minute_breaks_a_promise(cutting: Cutting) -> None:
    ends = cut_often(cutting, CUTS, SEED)
    print(ends.figures())

    assert ends.broken == []
    assert ends.cuts == CUTS
    assert ends.promises > 100 * CUTS


def test_a_disk_that_ignores_flushes_is_found_out(cutting: Cutting) -> None:
    found_out, cuts = cut_on_a_liar(cutting, 12, SEED)

    assert found_out > cuts // 2
