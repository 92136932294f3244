"""Runs in the virtual node as root: the Vagrantfile's provisioning script, for real and without a network.

The folder has the source tree (`tree/`) and a wheelhouse (`tree/wheels/`), as Vagrant would have put them
under /vagrant. One line of JSON for each step.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KEYS = Path("/home/vagrant/.ssh/authorized_keys")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDemonstrationOnlyDemonstrationOnlyDemo vagrant\n"
PORTS = {"portal": 18380, "city": 18311, "bench": 18399}


def run(*argv: str, timeout: float = 900, check: bool = True) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise RuntimeError(
            f"{' '.join(argv)}: {done.returncode}: {done.stdout}{done.stderr}"[-1500:]
        )
    return done.stdout


def eventually(check: Callable[[], Any], seconds: float = 400) -> Any:
    until = time.monotonic() + seconds
    last: Any = None
    while time.monotonic() < until:
        try:
            if last := check():
                return last
        except OSError as e:
            last = e
        time.sleep(0.5)
    raise TimeoutError(f"not within {seconds:.0f} s: {last}")


def asked(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        return str(answer.read(200_000).decode(errors="replace"))


def the_provisioning_script_runs_to_its_end() -> dict[str, Any]:
    Path("/vagrant").symlink_to(HERE / "tree")
    KEYS.parent.mkdir(parents=True)
    KEYS.write_text(KEY)
    began = time.monotonic()
    said = run("/vagrant/images/provision-vagrant.sh", "--wheelhouse", "/vagrant/wheels",
               "--no-packages")  # fmt: skip
    assert "[plaza] ready:" in said, said[-500:]
    return {"seconds": round(time.monotonic() - began, 1)}


def the_demonstration_is_up_behind_every_forwarded_port() -> dict[str, Any]:
    began = time.monotonic()
    try:
        pages = {name: eventually(lambda p=port: asked(p)) for name, port in PORTS.items()}
    except TimeoutError as e:
        log = run("journalctl", "--no-pager", "-o", "cat", "-u", "plaza-demo.service")
        raise RuntimeError(f"{e}: {log[-1200:]}") from None
    assert all("<" in page for page in pages.values())
    return {name: len(page) for name, page in pages.items()} | {
        "seconds": round(time.monotonic() - began, 1)
    }


def its_door_is_open_for_vagrant_and_for_nothing_else() -> dict[str, Any]:
    table = run("nft", "list", "set", "inet", "plaza_node", "other_tcp")
    found = sorted(int(w.strip("{},")) for w in table.split() if w.strip("{},").isdigit())
    assert found == sorted([22, *PORTS.values()]), table
    return {"ports": found}


def provisioning_again_changes_nothing() -> dict[str, Any]:
    before = run("systemctl", "show", "-p", "MainPID", "plaza-demo.service")
    run("/vagrant/images/provision-vagrant.sh", "--wheelhouse", "/vagrant/wheels", "--no-packages")
    assert run("systemctl", "show", "-p", "MainPID", "plaza-demo.service") == before
    return {}


STEPS = [
    the_provisioning_script_runs_to_its_end,
    the_demonstration_is_up_behind_every_forwarded_port,
    its_door_is_open_for_vagrant_and_for_nothing_else,
    provisioning_again_changes_nothing,
]


def step(function: Callable[[], dict[str, Any]]) -> None:
    began = time.monotonic()
    line: dict[str, Any] = {"step": function.__name__}
    try:
        line |= {"ok": True, "seen": function()}
    except BaseException as e:
        line |= {"ok": False, "error": f"{type(e).__name__}: {e}"[:2500]}
        line["where"] = traceback.format_exc(limit=-3)[-800:]
    sys.stdout.write(json.dumps(line | {"seconds": round(time.monotonic() - began, 2)}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    sys.stdout.write(json.dumps({"booted_s": uptime}) + "\n")
    for each in STEPS:
        step(each)
