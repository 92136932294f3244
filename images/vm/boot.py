#!/usr/bin/env python3
"""Boots the virtual node once, gives it a folder as its job, and prints the job's result lines.

    images/vm/boot.py --vm build/vm --job FOLDER [--log FILE] [--timeout 600] [--memory 1024]

The folder must hold `main.py`; it reaches the guest as a tar on a second disk and runs there as root
with the node's own Python. Each line of its standard output is printed here as it comes (a second
serial port carries it). The guest's console goes to the log file. Nothing that the guest writes to its
disk is kept, it has no network card, and it needs no KVM. Exit: 0 the job ended with 0, 1 it did not.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vm", type=Path, default=Path("build/vm"))
    parser.add_argument("--job", type=Path, required=True)
    parser.add_argument("--log", type=Path, default=Path("/dev/null"))
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--memory", type=int, default=1024, help="MiB")
    parser.add_argument(
        "--accel", choices=("tcg", "kvm"), default="tcg", help="tcg runs everywhere"
    )
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="plaza-vm-") as folder:
        job = Path(folder) / "job.tar"
        pack(options.job, job)
        wire = Path(folder) / "results.sock"
        return _watch(options, job, wire)


def pack(folder: Path, tar: Path) -> None:
    with tarfile.open(tar, "w") as archive:
        archive.add(folder, ".", filter=lambda i: None if "__pycache__" in i.name else i)
    with tar.open("ab") as file:  # a disk is made of whole sectors
        file.truncate(-(-tar.stat().st_size // 512) * 512)


def qemu(options: argparse.Namespace, job: Path, wire: Path) -> list[str]:
    """The command line: no network card, nothing written back, two serial ports."""
    vm, log = options.vm.resolve(), options.log.resolve()
    accel = "kvm" if options.accel == "kvm" else "tcg,thread=multi"
    # Emulated AVX makes Mesa's compiled code fall over; a processor without it draws.
    cpu = "host" if options.accel == "kvm" else "Nehalem,+rdrand"
    words = (
        "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet systemd.show_status=0 mitigations=off"
    )
    return [
        "qemu-system-x86_64", "-machine", "pc", "-accel", accel, "-cpu", cpu, "-smp", "2",
        "-m", str(options.memory), "-display", "none", "-no-reboot", "-nic", "none",
        "-kernel", str(vm / "vmlinuz"), "-initrd", str(vm / "initrd.img"), "-append", words,
        "-drive", f"file={vm / 'disk.ext4'},format=raw,if=virtio,snapshot=on",
        "-drive", f"file={job},format=raw,if=virtio,readonly=on",
        "-chardev", f"file,id=console,path={log}", "-serial", "chardev:console",
        "-chardev", f"socket,id=results,path={wire},server=on,wait=on", "-serial", "chardev:results",
    ]  # fmt: skip


def _watch(options: argparse.Namespace, job: Path, wire: Path) -> int:
    began = time.monotonic()
    machine = subprocess.Popen(
        qemu(options, job, wire), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    code = 1
    try:
        for line in _lines(wire, machine, began + options.timeout):
            result = _with_time(line, time.monotonic() - began)
            _tell(result)
            code = 0 if result.get("end") == 0 else code
        machine.wait(max(1.0, began + options.timeout - time.monotonic()))
    except TimeoutError:
        _tell({"end": 1, "why": f"no end within {options.timeout:.0f} s"})
        code = 1
    finally:
        machine.kill()
        machine.wait()
    return code


def _tell(result: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(result, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _with_time(line: str, at_s: float) -> dict[str, object]:
    try:
        result = json.loads(line)
    except ValueError:
        result = None
    if not isinstance(result, dict):
        result = {"said": line}
    return result | {"host_s": round(at_s, 1)}


def _lines(wire: Path, machine: subprocess.Popen[bytes], until: float) -> Iterator[str]:
    """What the guest writes to its second serial port, line by line, until the machine is off."""
    with _connected(wire, machine, until) as peer:
        peer.settimeout(1.0)
        held = b""
        while True:
            if time.monotonic() > until:
                raise TimeoutError
            try:
                data = peer.recv(65536)
            except TimeoutError:
                continue
            if not data:
                return
            *whole, held = (held + data).split(b"\n")
            yield from (w.decode(errors="replace").strip() for w in whole if w.strip())


def _connected(wire: Path, machine: subprocess.Popen[bytes], until: float) -> socket.socket:
    while machine.poll() is None and time.monotonic() < until:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            peer.connect(str(wire))
        except OSError:
            peer.close()
            time.sleep(0.05)
        else:
            return peer
    raise TimeoutError


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
