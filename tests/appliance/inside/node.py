"""The node's own units as a job sets them up: settings, drop-ins, a kiosk that draws without a display."""

from __future__ import annotations

import re
from pathlib import Path

from steps import run

DATA = Path("/var/lib/plaza")
KIOSK = """[Service]
ExecStart=
ExecStart=/opt/plaza/venv/bin/python -P -m kiosk --data /var/lib/plaza --offscreen
WatchdogSec=60
"""


def configure(settings: str) -> None:
    """Put these settings in force; the number that the node was given stays. They end in `[node]`."""
    file = DATA / "settings.toml"
    number = re.search(r"number = \d+", file.read_text())
    file.write_text(settings + (f"{number[0]}\n" if number else ""))
    run("chgrp", "plaza", str(file))


def drop_in(name: str, text: str) -> None:
    """`systemctl daemon-reload` is left to the caller."""
    folder = Path("/run/systemd/system") / f"plaza-{name}.service.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "test.conf").write_text(text)


def journal(name: str) -> str:
    return run("journalctl", "--no-pager", "-o", "cat", "-u", f"plaza-{name}.service")[-1500:]
