"""Orders to a running virtual node, over its second serial port; how the one who obeys gets inside.

The node's image knows nothing of this. The hypervisor hands PID 1 a unit by SMBIOS (systemd's
`systemd.extra-unit.*` credentials) and the agent's files on a disk: whoever holds the machine under a
node holds the node, and a card in a plaza has no such machine.
"""

from __future__ import annotations

import base64
import json
import os
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rig.machine import Disk
from rig.serialport import Port

PYTHON = "/opt/plaza/venv/bin/python"
FOLDER = "/run/proof"
DISK_NAME = "proof"
SLACK_S, PACED_SLACK_S = 60.0, 900.0
"""How much longer than the guest the host waits; the second where the clock goes by the instructions."""
HELLO = 0
"""The number of the agent's first line, which answers no order."""
AGENT = f"""\
[Unit]
Description=Proof: the host's orders
DefaultDependencies=no
After=local-fs.target systemd-udevd.service
Before=shutdown.target
Conflicts=shutdown.target
[Service]
ExecStartPre=/usr/bin/udevadm wait --timeout=120 /dev/disk/by-id/virtio-{DISK_NAME}
ExecStartPre=/usr/bin/mkdir -p {FOLDER}
ExecStartPre=/usr/bin/tar -xf /dev/disk/by-id/virtio-{DISK_NAME} -C {FOLDER}
ExecStart={PYTHON} -P -u {FOLDER}/agent.py /dev/ttyS1
StandardError=journal+console
Restart=always
"""
RADIOS = """\
[Unit]
Description=Proof: simulated radios
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/modprobe mac80211_hwsim radios=4
"""
REMOTE = f"""\
[Service]
ExecStart=
ExecStart={PYTHON} -P -m kiosk --data /var/lib/plaza --fullscreen --remote /run/plaza-kiosk/remote
"""
WANTS = "[Unit]\nWants={}\n"


def credentials(*, radios: bool = False, remote: bool = False) -> dict[str, str]:
    """What the hypervisor tells PID 1, by name, as base64.

    `radios` are simulated before anything looks for one; `remote` lets `screen.py` ask the kiosk where its
    buttons are. What presses them is the machine's own touch panel.
    """
    units = {"proof-agent.service": AGENT} | ({"proof-radios.service": RADIOS} if radios else {})
    texts = {f"systemd.extra-unit.{name}": text for name, text in units.items()}
    texts["systemd.unit-dropin.sysinit.target~proof"] = WANTS.format(" ".join(units))
    if remote:
        texts["systemd.unit-dropin.plaza-kiosk.service~proof"] = REMOTE
    return {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}


def agent_disk(files: Sequence[Path], tar: Path) -> Disk:
    """These files and folders, side by side, as a disk: for the agent `agent.py`, for a job `main.py`."""
    with tarfile.open(tar, "w") as archive:
        for file in files:
            archive.add(file, file.name)
    os.truncate(tar, -(-tar.stat().st_size // 512) * 512)  # a disk is made of whole sectors
    return Disk(tar, read_only=True, name=DISK_NAME)


class OrderFailed(Exception):
    """A command in the guest ended badly; the text holds its words and what it said."""


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str


class Guest:
    """Runs commands in the node. One at a time.

    The agent keeps the time of a command by the guest's clock; the host waits `slack_s` longer for its word.
    """

    def __init__(self, port: Port, slack_s: float = SLACK_S) -> None:
        self._port = port
        self._slack_s = slack_s
        self._number = 0
        self._at = 0
        self.uptime_s = 0.0

    def wait(self, within_s: float) -> float:
        """Until the agent says that it is there, also again after a restart of the guest.

        Returns the seconds of the guest's own clock since its kernel began. TimeoutError.
        """
        until = time.monotonic() + within_s
        while (line := self._line(max(1.0, until - time.monotonic())))["id"] != HELLO:
            pass
        self.uptime_s = float(line["uptime"])
        return self.uptime_s

    def ask(self, *argv: str, timeout_s: float = 120, text: str = "", log: str = "") -> Answer:
        """How a command ended, whatever it was. With `log` it goes on by itself and writes there.

        OrderFailed where the guest starts anew before it answers.
        """
        number = self._order(argv, timeout_s, text, log)
        while (answer := self._line(timeout_s + self._slack_s))["id"] != number:
            if answer["id"] == HELLO:
                raise OrderFailed(f"{' '.join(argv)}: the guest started anew before it answered")
        return Answer(int(str(answer["code"])), str(answer["out"]), str(answer["err"]))

    def restart(self, *argv: str, within_s: float) -> float:
        """A command that starts the guest anew: until the agent is there again; as `wait`.

        The end of the command itself may never be heard: what shuts down takes the agent with it.
        OrderFailed where it ends badly.
        """
        number, until = self._order(argv, within_s, "", ""), time.monotonic() + within_s
        while (line := self._line(max(1.0, until - time.monotonic())))["id"] != HELLO:
            if line["id"] == number and line["code"] != 0:
                raise OrderFailed(f"{' '.join(argv)}: {line['out']}{line['err']}"[-1500:])
        self.uptime_s = float(line["uptime"])
        return self.uptime_s

    def _order(self, argv: Sequence[str], timeout_s: float, text: str, log: str) -> int:
        self._number += 1
        order = {
            "id": self._number,
            "argv": argv,
            "timeout_s": timeout_s,
            "input": text,
            "log": log,
        }
        self._at = len(self._port.received)  # what was said before this order answers nothing of it
        self._port.write(json.dumps(order).encode() + b"\n")
        return self._number

    def run(self, *argv: str, timeout_s: float = 120, text: str = "") -> str:
        """The output of a command. OrderFailed."""
        done = self.ask(*argv, timeout_s=timeout_s, text=text)
        if done.code != 0:
            raise OrderFailed(f"{' '.join(argv)}: {done.code}: {(done.out + done.err)[-1500:]}")
        return done.out

    def _line(self, within_s: float) -> dict[str, Any]:
        end = self._port.wait(b"\n", within_s, self._at)
        raw, self._at = self._port.received[self._at : end], end
        try:
            found = json.loads(raw)
        except ValueError:
            return {"id": -1, "text": raw.decode(errors="replace")}
        return dict(found)
