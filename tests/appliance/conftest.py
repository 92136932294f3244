"""One image, and what the proof of it needs: cards, machines, a city. Everything lies in one folder.

`PLAZA_PROOF_FOLDER` names the folder (pictures, consoles and figures stay there), `PLAZA_IMAGE_FOLDER`
where the images are. Only `make test-appliance` asks for these; without its mark they are not run.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig.bench import Bench
from rig.city import City
from rig.hostnet import HostNet

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
IMAGES = Path(os.environ.get("PLAZA_IMAGE_FOLDER", ROOT / "build/image"))
PROOF = Path(os.environ.get("PLAZA_PROOF_FOLDER", ROOT / "build/proof"))
AGENT = (
    HERE / "inside/agent.py", HERE / "inside/station.py", HERE / "inside/screen.py",
    HERE / "inside/lease.py", HERE / "vm_street/tools.py", HERE / "vm_street/browser.py",
    HERE / "vm_payments/payments.py",
)  # fmt: skip


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
        net.start_internet(folder, HERE / "vm_street/internet.py", sys.executable)
        yield net


@pytest.fixture(scope="session")
def city(net: HostNet) -> Iterator[City]:
    """A city with content and a list of names; it never saw a node."""
    shutil.rmtree(PROOF / "city", ignore_errors=True)
    with City(PROOF / "city", net) as city:
        city.publish_filter()
        yield city
