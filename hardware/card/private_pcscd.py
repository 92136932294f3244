"""The real pcscd with virtual readers, private to one program: for tests, the bench and the demo.

pcscd's own socket has a fixed place under /run, so it runs in a mount namespace where /run is a
directory of ours; clients find it by PCSCLITE_CSOCK_NAME. The system's pcscd, its readers and its
settings are never touched. libpcsclite reads that name once in a process: call `start` before any
other use of PC/SC, and keep to one private service per process.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

PCSCD = Path("/usr/sbin/pcscd")
VPCD = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
START_S = 10.0
_SOCKET = "PCSCLITE_CSOCK_NAME"


def missing() -> str:
    """What this machine lacks to run it, empty when it lacks nothing."""
    lacks = [
        package
        for package, file in (("pcscd", PCSCD), ("vsmartcard-vpcd", VPCD))
        if not file.exists()
    ]
    return f"Debian package {' and '.join(lacks)} missing" if lacks else ""


@cache
def _home() -> Path:
    """One directory for this process; the name of a Unix socket must stay short."""
    home = Path(tempfile.mkdtemp(prefix="plaza-pcsc-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "run").mkdir()
    (home / "readers").mkdir()
    return home


class PrivatePcscd:
    """`port` and the one after it are the slots of the virtual reader (see `CardSimulator`)."""

    def __init__(self) -> None:
        self._home = _home()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_pair()

    @property
    def pid(self) -> int:
        assert self._process is not None, "start it first"
        return self._process.pid

    def start(self, *, reader: bool = True) -> None:
        """Run pcscd and wait until it listens. Without `reader` it knows none (a pulled cable)."""
        assert self._process is None, "it runs already"
        self._write_readers(reader)
        listening = self._home / "run" / "pcscd" / "pcscd.comm"
        shutil.rmtree(listening.parent, ignore_errors=True)
        os.environ[_SOCKET] = str(listening)
        self._process = subprocess.Popen(
            [
                sys.executable, "-P", "-m", "hardware.card.private_launch",
                str(self._home / "run"), str(PCSCD), "--foreground", "--critical",
                "--config", str(self._home / "readers"),
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + START_S
        while not _accepts(listening):
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError("pcscd did not start; see whether this user may use namespaces")
            time.sleep(0.01)

    def kill(self) -> None:
        """As a crash does: no goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It neither dies nor answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        self.kill()

    def _write_readers(self, present: bool) -> None:
        text = (
            f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{self.port:#x}\n'
            f"LIBPATH {VPCD}\nCHANNELID {self.port:#x}\n"
        )
        (self._home / "readers" / "virtual").write_text(text if present else "", encoding="ascii")


def _accepts(listening: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(listening))
        except OSError:
            return False
        return True


def _free_pair() -> int:
    """A free TCP port whose neighbour is free too: one for each slot."""
    for _ in range(200):
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                two.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise RuntimeError("no two neighbouring free ports")
