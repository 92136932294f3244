"""A node on the grid, or without its site file, has no battery to mind: it says "ready", and ends well."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from municipio.site_file.state import SiteStanding, SiteState, encode_state
from plaza.energy_wiring import NothingToDo, nothing_to_do
from sync.datadir import DataDir
from sync.site_state import state_file


def wait_for_site(data: DataDir) -> None:
    data.create()
    state = SiteState(SiteStanding.WAITING, faults=("no hay plaza.toml",))
    state_file(data).write_bytes(encode_state(state))


@pytest.mark.parametrize("waits", [False, True], ids=["grid", "no-site-file"])
def test_the_program_tells_systemd_that_it_is_ready_and_ends(tmp_path: Path, waits: bool) -> None:
    """Else a unit of Type=notify has failed, and `Restart=on-failure` starts it every two seconds."""
    data = DataDir(tmp_path / "data")
    if waits:
        wait_for_site(data)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(30)
        done = subprocess.run(
            [sys.executable, "-P", "-m", "plaza", "energy", "run", "--data", str(data.path)],
            capture_output=True, text=True, timeout=60,
            env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")},
        )  # fmt: skip

        assert done.returncode == 0, done.stderr
        assert ("plaza.toml" in done.stdout) == waits
        assert systemd.recv(100) == b"READY=1"
    assert not data.ledger.exists(), "nothing is opened for it"


def test_on_the_sun_there_is_something_to_do(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    data.settings_file.write_text('[energy]\nkind = "solar"\n')

    assert nothing_to_do(data) is None
    wait_for_site(data)
    assert isinstance(nothing_to_do(data), NothingToDo)
