"""Runs in the virtual node as root: the Vagrantfile's provisioning script, for real and without a network.

The folder has the source tree (`tree/`) and a wheelhouse (`tree/wheels/`), as Vagrant would have put them
under /vagrant. One line of JSON for each step.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from steps import eventually, run, tell_steps

HERE = Path(__file__).parent
KEYS = Path("/home/vagrant/.ssh/authorized_keys")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDemonstrationOnlyDemonstrationOnlyDemo vagrant\n"
PORTS = {"portal": 18380, "city": 18311, "bench": 18399}


def asked(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return str(answer.read(200_000).decode(errors="replace"))


def refused(port: int) -> bool:
    """401: behind this door somebody asks for a key."""
    try:
        asked(port)
    except urllib.error.HTTPError as e:
        return e.code == 401
    return False


def the_provisioning_script_runs_to_its_end() -> dict[str, Any]:
    Path("/vagrant").symlink_to(HERE / "tree")
    KEYS.parent.mkdir(parents=True)
    KEYS.write_text(KEY)
    began = time.monotonic()
    said = run("/vagrant/images/provision-vagrant.sh", "--wheelhouse", "/vagrant/wheels",
               "--no-packages", timeout=1700)  # fmt: skip
    assert "[plaza] ready:" in said, said[-500:]
    return {"seconds": round(time.monotonic() - began, 1)}


def the_demonstration_is_up_behind_every_forwarded_port() -> dict[str, Any]:
    began = time.monotonic()
    try:
        city = eventually(lambda: asked(PORTS["city"], "/v1/health"), 800)
        pages = {n: eventually(lambda n=n: asked(PORTS[n]), 800) for n in ("portal", "bench")}
    except TimeoutError as e:
        log = run("journalctl", "--no-pager", "-o", "cat", "-u", "plaza-demo.service")
        raise RuntimeError(f"{e}: {log[-1200:]}") from None
    assert all("<" in page for page in pages.values())
    assert refused(PORTS["city"]), "the city's pages are open to anybody"
    return {"city": city, "seconds": round(time.monotonic() - began, 1)}


def its_door_is_open_for_vagrant_and_for_nothing_else() -> dict[str, Any]:
    table = run("nft", "list", "set", "inet", "plaza_node", "other_tcp")
    found = sorted(int(w.strip("{},")) for w in table.split() if w.strip("{},").isdigit())
    assert found == sorted([22, *PORTS.values()]), table
    return {"ports": found}


def provisioning_again_changes_nothing() -> dict[str, Any]:
    before = run("systemctl", "show", "-p", "MainPID", "plaza-demo.service")
    run("/vagrant/images/provision-vagrant.sh", "--wheelhouse", "/vagrant/wheels",
        "--no-packages", timeout=1700)  # fmt: skip
    assert run("systemctl", "show", "-p", "MainPID", "plaza-demo.service") == before
    return {}


STEPS = [
    the_provisioning_script_runs_to_its_end,
    the_demonstration_is_up_behind_every_forwarded_port,
    its_door_is_open_for_vagrant_and_for_nothing_else,
    provisioning_again_changes_nothing,
]


if __name__ == "__main__":
    tell_steps(STEPS)
