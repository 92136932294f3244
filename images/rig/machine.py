"""A virtual node's machine: QEMU without KVM, its disks, serial ports, screen and network.

Each serial port but the console is a Unix socket in the machine's folder, named like the port. The first
network card leads to the host (its loopback is 10.0.2.2 there) and nowhere else.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from rig.hostnet import NETDEV, HostNet
from rig.qmp import Qmp
from rig.serialport import Port
from rig.writelog import LogFault, read_head

CPU = "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+rdrand"
"""Emulated AVX makes Mesa's compiled code fall over; a processor without it draws. It calls itself AMD's: on
an Intel of before 2018 the kernel changes its page table with every system call, which costs an emulator
eight times the call and half of what a program's start takes."""
LAZY = "cache.no-flush=on"
"""A flush of the guest goes no further than the log: killing the machine leaves the host's pages where they
are, and it is not the host's power that is cut here."""


@dataclass(frozen=True, slots=True)
class Disk:
    """A raw disk. `log` keeps every write of the guest in that file; `keep` off forgets them at the end."""

    file: Path
    keep: bool = True
    log: Path | None = None
    read_only: bool = False
    name: str = ""
    """The guest sees it as /dev/disk/by-id/virtio-NAME."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What the machine is made of. `kernel`, `initrd` and `words` start it without its boot loader."""

    disks: tuple[Disk, ...]
    memory_mib: int = 1024
    arch: str = "x86_64"
    kernel: Path | None = None
    initrd: Path | None = None
    words: str = ""
    firmware: Path | None = None
    ports: tuple[str, ...] = ("control",)
    """Serial ports after the console, in the order in which the guest sees them."""
    lines: Mapping[str, str] = field(default_factory=dict)
    """More serial ports after those: devices of the host by their terminal, such as a printer's."""
    screen: bool = False
    network: HostNet | None = None
    credentials: Mapping[str, str] = field(default_factory=dict)
    """systemd credentials by their name, already base64."""
    paced: bool = False
    """One processor whose clock goes by its instructions, 2 ns each, and in real time while it waits: a
    host that does much else makes nothing late inside, and everything late outside."""
    extra: tuple[str, ...] = ()


def qemu_argv(spec: Spec, folder: Path) -> list[str]:
    """The command line of a machine whose sockets and console log live in `folder`."""
    argv = [
        *(spec.network.inside if spec.network else ()),
        *_board(spec),
        "-smp",
        "1" if spec.paced else "2",
        "-m",
        str(spec.memory_mib),
        "-display",
        "none",
    ]
    argv += ["-nodefaults", "-no-reboot"] if spec.kernel else ["-nodefaults"]
    if spec.kernel:
        argv += ["-kernel", str(spec.kernel), "-append", spec.words]
    if spec.initrd:
        argv += ["-initrd", str(spec.initrd)]
    if spec.firmware:
        argv += ["-bios", str(spec.firmware)]
    for number, disk in enumerate(spec.disks):
        argv += _disk(number, disk)
    argv += ["-chardev", f"file,id=console,path={folder}/console.log", "-serial", "chardev:console"]
    for number, name in enumerate(spec.ports):
        argv += ["-chardev", f"socket,id={name},path={folder}/{name},server=on,wait=off"]
        argv += (
            ["-serial", f"chardev:{name}"]
            if number == 0 and spec.arch == "x86_64"
            else ["-device", f"pci-serial,chardev={name}"]
        )
    for name, terminal in spec.lines.items():
        argv += ["-chardev", f"serial,id={name},path={terminal}"]
        argv += ["-device", f"pci-serial,chardev={name}"]
    argv += ["-qmp", f"unix:{folder}/qmp,server=on,wait=off"]
    argv += (
        ["-device", "virtio-vga" if spec.arch == "x86_64" else "virtio-gpu-pci"]
        if spec.screen
        else []
    )
    argv += ["-device", "virtio-tablet-pci"] if spec.screen else []
    argv += ["-netdev", NETDEV, "-device", "virtio-net-pci,netdev=uplink"] if spec.network else []
    for name, value in spec.credentials.items():
        argv += ["-smbios", f"type=11,value=io.systemd.credential.binary:{name}={value}"]
    return [*argv, *spec.extra]


def _board(spec: Spec) -> list[str]:
    speed = ["-accel", "tcg,thread=single", "-icount", "shift=1"]
    speed = speed if spec.paced else ["-accel", "tcg,thread=multi"]
    if spec.arch == "aarch64":
        return ["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72", *speed]
    return ["qemu-system-x86_64", "-machine", "pc", "-cpu", CPU, *speed]


def _disk(number: int, disk: Disk) -> list[str]:
    """A raw file as the next virtio disk, below a node that logs the writes where that is wanted."""
    name = f"disk{number}"
    serial = f",serial={disk.name}" if disk.name else ""
    device = ["-device", f"virtio-blk-pci,drive={name}{serial}"]
    if disk.read_only or not disk.keep:
        mode = "readonly=on" if disk.read_only else "snapshot=on"
        return ["-drive", f"if=none,id={name},file={disk.file},format=raw,{mode}", *device]
    file = f"driver=file,filename={disk.file},discard=unmap,{LAZY}"
    if not disk.log:
        return [*_raw(name, file), *device]
    return [
        *_raw(f"{name}raw", file),
        "-blockdev", f"node-name={name}log,driver=file,filename={disk.log},{LAZY}",
        "-blockdev", f"node-name={name},driver=blklogwrites,file={name}raw,log={name}log,"
        "log-super-update-interval=1",
        *device,
    ]  # fmt: skip


def _raw(name: str, file: str) -> list[str]:
    return [
        "-blockdev", f"node-name={name}file,{file}",
        "-blockdev", f"node-name={name},driver=raw,discard=unmap,file={name}file",
    ]  # fmt: skip


class Machine:
    """One run of a machine. A context manager: at its end the machine is off, whatever happened."""

    def __init__(self, spec: Spec, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for disk in spec.disks:
            if disk.log:
                disk.log.write_bytes(b"")
        for name in (*spec.ports, "qmp"):
            (folder / name).unlink(missing_ok=True)
        self.spec, self.folder = spec, folder
        self.console_file = folder / "console.log"
        self.console_file.unlink(missing_ok=True)
        self.began = time.monotonic()
        with (folder / "qemu.err").open("wb") as errors:
            self.process = subprocess.Popen(
                qemu_argv(spec, folder), stdin=subprocess.DEVNULL, stdout=errors, stderr=errors
            )
        self.qmp = self._qmp()
        self.ports = {name: Port(folder / name) for name in spec.ports}

    def _qmp(self) -> Qmp:
        try:
            return Qmp(self.folder / "qmp")
        except TimeoutError as e:
            self.process.kill()
            self.process.wait()
            raise RuntimeError((self.folder / "qemu.err").read_text()[-2000:]) from e

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_ended: object) -> None:
        self.cut()

    @property
    def seconds(self) -> float:
        """Since the power came on."""
        return time.monotonic() - self.began

    @property
    def console(self) -> str:
        """Everything that the console said, without escape sequences."""
        try:
            raw = self.console_file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", raw)

    def wait_console(self, pattern: str, within_s: float) -> re.Match[str]:
        """Until the console says it. TimeoutError with its last lines; RuntimeError if the machine ended."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            if found := re.search(pattern, self.console):
                return found
            if self.process.poll() is not None:
                raise RuntimeError(f"the machine is off; its console: {self.console[-1500:]}")
            time.sleep(0.2)
        raise TimeoutError(f"the console never said {pattern!r}; its end: {self.console[-1500:]}")

    def logged(self, disk: int = 0) -> int:
        """How many requests of that disk are completed and in its log by now."""
        log = self.spec.disks[disk].log
        if log is None:
            raise ValueError("this disk has no log")
        with log.open("rb") as file:
            head = read_head(file)
        return 0 if isinstance(head, LogFault) else head[0]

    def wait_off(self, within_s: float) -> None:
        """Until the guest switched itself off. subprocess.TimeoutExpired."""
        self.process.wait(within_s)

    def cut(self) -> None:
        """The plug is pulled: no goodbye to the guest, and none to QEMU."""
        for port in self.ports.values():
            port.close()
        self.qmp.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
