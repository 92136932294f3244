"""Obeys the host over a serial port: runs a command, says how it ended. One JSON object a line.

It comes into a virtual node from the hypervisor, as a systemd credential and a disk: nothing of it is in
an image, and a card in a plaza has no hypervisor.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import termios
import tty
from pathlib import Path
from typing import Any


def obey(order: dict[str, Any]) -> dict[str, Any]:
    """`argv` with an end, or with `log` one that goes on by itself."""
    argv, folder = order["argv"], Path(__file__).parent
    environment = os.environ | {
        "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(folder),
    }
    try:
        if log := order.get("log"):
            with Path(log).open("ab") as file:
                child = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    env=environment,
                    cwd=folder,
                )
            return {"code": 0, "out": str(child.pid), "err": ""}
        done = subprocess.run(
            argv, input=order.get("input", "").encode(), capture_output=True,
            timeout=order["timeout_s"], env=environment, cwd=folder,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as e:
        return {"code": -1, "out": "", "err": f"{type(e).__name__}: {e}"}
    texts = {
        "out": done.stdout.decode(errors="replace"),
        "err": done.stderr.decode(errors="replace"),
    }
    return {"code": done.returncode} | texts


def main() -> None:
    with Path(sys.argv[1]).open("r+b", buffering=0) as wire:
        tty.setraw(wire.fileno(), termios.TCSANOW)
        send(wire, {"id": 0, "uptime": Path("/proc/uptime").read_text().split()[0]})
        held = b""
        while data := wire.read(4096):
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                order = json.loads(line)
                send(wire, {"id": order["id"]} | obey(order))


def send(wire: Any, answer: dict[str, Any]) -> None:
    left = json.dumps(answer).encode() + b"\n"
    while left:
        left = left[wire.write(left) or 0 :]


if __name__ == "__main__":
    main()
