"""A small city on the host: its API on a loopback port, its content, its codes for new nodes.

The guest reaches it at the address that `hostnet` gives to the host's loopback.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from rig.hostnet import HOST, HostNet

PORT = 8311


class City:
    """Started on entry and stopped at the end; everything that it knows is in `folder`.

    One that is never entered is a city that no node reaches; its codes are true ones.
    """

    def __init__(self, folder: Path, net: HostNet | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._net = folder, net
        self._db = f"sqlite:///{folder}/city.sqlite"
        self._keys = folder / "city-keys"
        self._repo, self._publishing = folder / "repo", folder / "publishing"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._net is None:
            raise ValueError("a city without a network cannot be started")
        if not self._keys.exists():
            self._central("demo-data", "--keys", str(self._keys), "--content", str(self.content))
            self.publish("init")
            self.publish("content", str(self.content))
        log = self.folder / "central.log"
        words = ("run", "--db", self._db, "--keys", str(self._keys), "--repo", str(self._repo))
        listen = ("--listen", f"127.0.0.1:{PORT}")
        self._process = self._net.start(log, *_PROGRAM, *words, *listen)
        _wait_told(log, self._process)
        return self

    def __exit__(self, *_ended: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    @property
    def content(self) -> Path:
        return self.folder / "content"

    @property
    def url(self) -> str:
        """Its address as a guest writes it."""
        return f"http://{HOST}:{PORT}"

    def new_code(self, node: str, site: str) -> str:
        """A one-time code of a node that the city approved beforehand."""
        words = ("enrol-code", "--site", site, "--node", node, "--preapproved", "--json")
        said = json.loads(self._central(*words))
        return str(said["code"])

    def facts(self) -> list[dict[str, Any]]:
        """Every fact that arrived."""
        return [json.loads(line) for line in self._central("facts").splitlines() if line]

    def wait_fact(self, kind: str, within_s: float, *, after: int = 0) -> dict[str, Any]:
        """Until more than `after` facts of this type have arrived; the last of them. TimeoutError."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            found = [f for f in self.facts() if f["type"] == kind]
            if len(found) > after:
                return found[-1]
            time.sleep(1)
        here = sorted({f["type"] for f in self.facts()})
        raise TimeoutError(f"no {kind} arrived; there are {here}")

    def publish_filter(self) -> None:
        """The list of demonstration names, signed by the city."""
        names = self.folder / "names.cdb"
        key = str(self._keys / "city.key")
        made = ("filter", "baseline", "--key", key, "--out", str(names))
        _run(sys.executable, "-P", "-m", "plaza", *made)
        self.publish("filter", str(names))

    def publish(self, what: str, *words: str) -> None:
        """`plaza-central publish` into the repository of this city."""
        places = ("--repo", str(self._repo), "--keys", str(self._publishing))
        _run(*_PROGRAM, "publish", what, *places, *words)

    def _central(self, *words: str) -> str:
        return _run(*_PROGRAM, *words, "--db", self._db)


_PROGRAM = (sys.executable, "-P", "-m", "central")


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv[3:])}: {(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


def _wait_told(log: Path, process: subprocess.Popen[bytes]) -> None:
    """Until the server says where it listens."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if "central: http://" in log.read_text():
            return
        time.sleep(0.1)
    raise RuntimeError(f"the city does not serve: {log.read_text()[-1500:]}")
