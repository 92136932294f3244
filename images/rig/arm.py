"""A node of 64-bit ARM in QEMU's `virt` machine, through its U-Boot; how the one who obeys gets into it.

U-Boot starts the kernel without EFI, so there is no SMBIOS to hand PID 1 a unit by. QEMU's own configuration
device does it (systemd reads credentials there too), in names of nine letters at most; that they are wanted
is said on the kernel's command line, which is a text on the card's first partition.
"""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Self

from rig.card import get_file, put_file
from rig.guest import AGENT, RADIOS
from rig.machine import Disk, Spec

CONTROL = "/dev/ttyS0"
"""Without a PC's own ports the first serial card is the first line."""
UNITS = {"a.service": AGENT.replace("/dev/ttyS1", CONTROL), "r.service": RADIOS}
WANTS = tuple(f"systemd.wants={name}" for name in UNITS)
SAID = (
    "console=ttyS1,115200", "printk.devkmsg=on", "systemd.journald.forward_to_kmsg=1",
    "systemd.journald.max_level_kmsg=info",
)  # fmt: skip
"""What makes a start tell of itself on the serial line: by the kernel, which writes to every console."""
NO_WATCHDOG = "systemd.watchdog_sec=off"
"""QEMU's model of the board's watchdog has no clock: it starts the board anew at once when it is wound up."""


def arm_spec(card: Path, agent: Disk, uboot: Path, folder: Path, *, memory_mib: int = 1024) -> Spec:
    """A machine with this card, which starts with simulated radios and obeys; writes on the card.

    It ends where the guest starts anew: another slot must first be made to obey. ValueError as `make_obey`.
    """
    make_obey(card, "A")
    folder.mkdir(parents=True, exist_ok=True)
    extra = ["-no-reboot"]
    for name, text in UNITS.items():
        file = folder / name
        file.write_text(text)
        key = f"opt/io.systemd.credentials/systemd.extra-unit.{name}"
        extra += ["-fw_cfg", f"name={key},file={file}"]
    return Spec(
        (Disk(card), agent), arch="aarch64", firmware=uboot, memory_mib=memory_mib, extra=tuple(extra)
    )  # fmt: skip


def make_obey(card: Path, slot: str) -> None:
    """The next start of this slot obeys, with simulated radios. ValueError where it has no command line."""
    _want(card, " ".join(WANTS), slot=slot)


def _want(card: Path, words: str, *, slot: str = "A", quiet: bool = True) -> None:
    """More words on a slot's command line. ValueError where it has none."""
    file = f"{slot.lower()}/slot.env"
    text = (get_file(card, file) or b"").decode()
    if "\ncmdline=" not in text:
        raise ValueError(f"{card.name}: slot {slot} has no command line")
    if words not in text:
        changed = text.replace("\ncmdline=", f"\ncmdline={words} ")
        put_file(card, file, (changed if quiet else changed.replace(" quiet", "")).encode())


class Pi3:
    """The Pi image in QEMU's Raspberry Pi 3B: its SD card, U-Boot, kernel, device tree; nothing obeys.

    There is no firmware of the board (U-Boot is loaded in its stead), no radio, no screen, no watchdog. It
    ends where the board would start anew. A context manager.
    """

    def __init__(self, card: Path, folder: Path) -> None:
        """The card's size must be a power of two. Makes the start talkative; writes into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        _want(card, " ".join((*SAID, NO_WATCHDOG)), quiet=False)
        argv = ["qemu-system-aarch64", "-machine", "raspi3b", "-display", "none", "-serial", "null"]
        for option, name in (("-kernel", "u-boot.bin"), ("-dtb", "a/bcm2837-rpi-3-b.dtb")):
            file = folder / Path(name).name
            file.write_bytes(get_file(card, name) or b"")
            argv += [option, str(file)]
        self.console_file = folder / "console.log"
        self.console_file.unlink(missing_ok=True)
        argv += ["-serial", f"file:{self.console_file}", "-monitor", "none", "-no-reboot"]
        argv += ["-drive", f"file={card},format=raw,if=sd"]
        self.began = time.monotonic()
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        self.process.kill()
        self.process.wait()

    def wait_said(self, text: str, within_s: float) -> float:
        """Seconds from power to these words. TimeoutError with the console's end."""
        until = time.monotonic() + within_s
        while text not in (said := self._said()):
            if time.monotonic() > until or self.process.poll() is not None:
                raise TimeoutError(f"never said {text!r}: {said[-1500:]}")
            time.sleep(0.5)
        return round(time.monotonic() - self.began, 1)

    def _said(self) -> str:
        try:
            return self.console_file.read_text(errors="replace")
        except FileNotFoundError:
            return ""
