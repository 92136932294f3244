"""A node on the grid has no battery to mind: the program says that it is ready, and ends well."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path


def test_on_the_grid_the_program_tells_systemd_that_it_is_ready_and_ends(tmp_path: Path) -> None:
    """Else a unit of Type=notify has failed, and `Restart=on-failure` starts it every two seconds."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        done = subprocess.run(
            [sys.executable, "-P", "-m", "plaza", "energy", "run", "--data", str(tmp_path / "data")],
            capture_output=True, text=True, timeout=60,
            env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
        )  # fmt: skip

        assert done.returncode == 0, done.stderr
        assert systemd.recv(100) == b"READY=1"
