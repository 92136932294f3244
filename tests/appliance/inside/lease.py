#!/opt/plaza/venv/bin/python -P
"""udhcpc's script: sets what the lease says inside the phone's namespace and notes it down.

Run by busybox's client with its values in the environment; option 114 (RFC 8910) comes as hex digits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def ip(*arguments: str) -> None:
    subprocess.run(["/usr/sbin/ip", *arguments], check=True)


if __name__ == "__main__" and sys.argv[1] in ("bound", "renew"):
    names = ("ip", "mask", "router", "dns", "opt114", "serverid")
    lease = {name: os.environ.get(name, "") for name in names}
    interface = os.environ["interface"]  # noqa: SIM112 - udhcpc spells it so
    ip("addr", "replace", f"{lease['ip']}/{lease['mask']}", "dev", interface)
    ip("route", "replace", "default", "via", lease["router"].split()[0])
    lease["portal"] = bytes.fromhex(lease["opt114"]).decode() if lease["opt114"] else ""
    Path(os.environ["PLAZA_LEASE"]).write_text(json.dumps(lease))
