#!/opt/plaza/venv/bin/python -P
"""dhclient's script: set what the lease says inside the phone's namespace and note it down."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

NAMES = (
    "new_ip_address", "new_subnet_mask", "new_routers", "new_domain_name_servers",
    "new_default_url", "reason",
)  # fmt: skip


def ip(*arguments: str) -> None:
    subprocess.run(["/usr/sbin/ip", *arguments], check=True)


if __name__ == "__main__":
    lease = {name: os.environ.get(name, "") for name in NAMES}
    interface = os.environ["interface"]  # noqa: SIM112 - dhclient spells it so
    if lease["reason"] == "PREINIT":
        ip("link", "set", interface, "up")
    elif lease["reason"] in ("BOUND", "REBOOT"):
        mask = sum(bin(int(part)).count("1") for part in lease["new_subnet_mask"].split("."))
        ip("addr", "replace", f"{lease['new_ip_address']}/{mask}", "dev", interface)
        ip("route", "replace", "default", "via", lease["new_routers"].split()[0])
        Path(os.environ["PLAZA_LEASE"]).write_text(json.dumps(lease))
