"""The virtual node, and one image with what the proof of it needs: cards, machines, a city.

`PLAZA_VM_FOLDER` names the virtual node's folder (`make test-vm`; consoles and results stay there). For
`make test-appliance` `PLAZA_PROOF_FOLDER` names the folder of pictures, consoles and figures, and
`PLAZA_IMAGE_FOLDER` where the images are. Without `PLAZA_VM` or `PLAZA_APPLIANCE` nothing here is started.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig.bench import Bench
from rig.city import City
from rig.hostnet import HostNet
from rig.jobs import VirtualNode

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
IMAGES = Path(os.environ.get("PLAZA_IMAGE_FOLDER", ROOT / "build/image"))
NODE = Path(os.environ.get("PLAZA_VM_FOLDER", ROOT / "build/vm"))
PROOF = Path(os.environ.get("PLAZA_PROOF_FOLDER", ROOT / "build/proof"))
INSIDE = HERE / "inside"
AGENT = (*sorted(INSIDE.glob("*.py")), HERE / "vm_payments/payments.py")


@pytest.fixture(scope="session")
def virtual_node() -> VirtualNode:
    """A Debian root with this tree's programs, as a disk; minutes the first time, one after a change."""
    if "PLAZA_VM" not in os.environ:
        pytest.skip("NOT RUN: minutes long; make test-vm")
    if os.geteuid() != 0:
        pytest.skip("NOT RUN: making a Debian root needs root")
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("NOT RUN: QEMU is missing")
    make = [sys.executable, "-P", str(ROOT / "images/vm/build.py"), "--out", str(NODE)]
    assert subprocess.run(make, timeout=1500).returncode == 0, "the virtual node could not be made"
    return VirtualNode(NODE)


@pytest.fixture(scope="session")
def images() -> Path:
    """The folder of the boards' images."""
    return IMAGES


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """The bench of the amd64 image. Asking for it without an image is a failure, not a skip."""
    image = IMAGES / "vm-amd64/plaza-vm-amd64.img"
    assert image.is_file(), f"there is no image at {image}: make image BOARD=vm-amd64"
    PROOF.mkdir(parents=True, exist_ok=True)
    yield Bench(image, PROOF, AGENT)
    for card in PROOF.glob("*.img"):
        card.unlink()


@pytest.fixture(scope="session")
def net() -> Iterator[HostNet]:
    """What is behind the uplink: a web server, and a name server that knows every name."""
    folder = PROOF / "net"
    folder.mkdir(parents=True, exist_ok=True)
    with HostNet(f"proof-{os.getpid()}") as net:
        net.start_internet(folder, INSIDE / "internet.py", sys.executable)
        yield net


@pytest.fixture(scope="session")
def city(net: HostNet) -> Iterator[City]:
    """A city with content and a list of names; it never saw a node."""
    shutil.rmtree(PROOF / "city", ignore_errors=True)
    with City(PROOF / "city", net) as city:
        city.publish_filter()
        yield city


@pytest.fixture(scope="session")
def far_city() -> City:
    """A city that no node reaches: it has given codes, and that is all."""
    shutil.rmtree(PROOF / "city", ignore_errors=True)
    return City(PROOF / "city")
