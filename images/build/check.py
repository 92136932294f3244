#!/usr/bin/env python3
"""Looks into a finished image without starting it: what each board needs is there and is what it should be.

    images/build/check.py --board pi [--out build/image]

Partitions, firmware, device trees, kernel, initrd, drivers, the root against its verity hash. What it cannot
say is whether a board starts: only the board can. Exit: 0 everything is there, 1 something is not.
"""

from __future__ import annotations

import argparse
import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from boards import BOARDS, Board
from roots import inside
from slot import DISK_SIGNATURE
from stages import TREE, run

SECTOR = 512
DEVICE_TREES = {
    "Pi 3B": "bcm2837-rpi-3-b.dtb",
    "Pi 3B+": "bcm2837-rpi-3-b-plus.dtb",
    "Pi 3A+": "bcm2837-rpi-3-a-plus.dtb",
    "CM3": "bcm2837-rpi-cm3-io3.dtb",
    "Zero 2 W": "bcm2837-rpi-zero-2-w.dtb",
    "Pi 4B": "bcm2711-rpi-4-b.dtb",
    "Pi 400": "bcm2711-rpi-400.dtb",
    "CM4": "bcm2711-rpi-cm4.dtb",
    "Pi 5": "bcm2712-rpi-5-b.dtb",
    "Pi 5 (D0)": "bcm2712d0-rpi-5-b.dtb",
}
COMMON_MODULES = (
    "dm-verity", "squashfs", "overlay", "ext4", "vfat", "nf_tables", "nft_nat", "nft_ct", "bridge",
    "mac80211_hwsim", "usb-storage", "uas", "sd_mod", "loop", "usblp", "cdc-acm", "cp210x", "ftdi_sio",
    "ch341", "pl2303", "option", "qmi_wwan", "cdc_mbim", "hid-multitouch", "usbhid",
)  # fmt: skip
PI_MODULES = (
    "brcmfmac", "vc4", "v3d", "bcm2835_wdt", "genet", "lan78xx", "smsc95xx", "dwc2", "macb", "rp1_pci",
    "sdhci-iproc", "sdhci-brcmstb", "pcie-brcmstb", "mt76x2u", "ath9k_htc", "snd-bcm2835", "xhci-hcd",
    "clk-rp1", "pinctrl-rp1", "pinctrl-brcmstb-bcm2712", "panel-raspberrypi-touchscreen",
)  # fmt: skip
VM_MODULES = ("virtio_blk", "virtio_net", "virtio-gpu", "virtio_pci")
# Later Zero 2 W have a radio (43436) whose firmware Debian does not carry: docs/reference/imagen.md says so.
PI_FIRMWARE = ("brcmfmac43430-sdio.bin", "brcmfmac43455-sdio.bin")
# From kernel_addr_r to ramdisk_addr_r of Debian's U-Boot for QEMU, the narrower of the two.
KERNEL_ROOM = 0x44000000 - 0x40400000
Finding = tuple[bool, str]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--board", choices=sorted(BOARDS), required=True)
    parser.add_argument("--out", type=Path, default=TREE / "build/image")
    options = parser.parse_args(argv)
    out: Path = options.out.resolve()
    wrong = 0
    for good, text in findings(out, BOARDS[options.board]):
        sys.stdout.write(f"{'ok ' if good else 'BAD'} {text}\n")
        wrong += not good
    return 1 if wrong else 0


def findings(out: Path, board: Board) -> Iterator[Finding]:
    folder = out / board.name
    image = folder / f"plaza-{board.name}.img"
    yield from partitions(image, board)
    names = set(fat_list(image))
    wanted = {"LEEME.txt", "nuevo-sitio.html", "a/vmlinuz", "a/initrd.img", "a/slot.env"}
    wanted |= (
        {"grubenv", "grubenv2", "grub/grub.cfg"}
        if board.boot == "grub"
        else {"boot.scr", "slots.env"}
    )
    if board.name == "pi":
        wanted |= {
            "bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat", "u-boot.bin",
            "config.txt", "slot.txt", "a/cmdline.txt",
        }  # fmt: skip
    for name in sorted(wanted):
        yield name in names, f"boot partition: {name}"
    yield from kernel(image, board)
    if board.name == "pi":
        yield from device_trees(image, names)
    yield from drivers(folder / "root", board)
    yield verity(out, image, board)


def partitions(image: Path, board: Board) -> Iterator[Finding]:
    with image.open("rb") as file:
        first = file.read(SECTOR)
    signature = first[443:439:-1].hex()
    yield signature == DISK_SIGNATURE, f"card's signature {signature}"
    end = 0
    wanted = (
        (0x0C, board.boot_mib), (0x83, board.slot_mib), (0x83, board.slot_mib), (0x83, board.data_mib),
    )  # fmt: skip
    for number, (kind, mib) in enumerate(wanted, 1):
        entry = first[430 + 16 * number : 446 + 16 * number]
        start, length = struct.unpack("<II", entry[8:])
        good = entry[4] == kind and length * SECTOR == mib << 20 and start * SECTOR >= end
        aligned = start % 8192 == 0
        end = (start + length) * SECTOR
        yield (
            good and aligned,
            f"partition {number}: type {entry[4]:#04x}, {length >> 11} MiB, on 4 MiB",
        )
    yield (
        image.stat().st_size >= end,
        f"image holds its partitions: {image.stat().st_size >> 20} MiB",
    )


def kernel(image: Path, board: Board) -> Iterator[Finding]:
    raw = fat_read(image, "a/vmlinuz")
    arm = raw[0x38:0x3C] == b"ARM\x64"
    pc = raw[0x202:0x206] == b"HdrS"
    good = arm if board.arch == "arm64" else pc
    yield good, f"kernel is a plain {board.arch} kernel of {len(raw) / 1e6:.0f} MB"
    if board.boot == "uboot":
        takes = int.from_bytes(raw[16:24], "little")
        fits = takes <= KERNEL_ROOM
        yield (
            fits,
            f"kernel in memory: {takes >> 20} MiB, room before the initrd {KERNEL_ROOM >> 20} MiB",
        )
    initrd = fat_read(image, "a/initrd.img")
    yield initrd[:4] == b"\x28\xb5\x2f\xfd", f"initrd is zstd, {len(initrd) / 1e6:.1f} MB"


def device_trees(image: Path, names: set[str]) -> Iterator[Finding]:
    for board, name in DEVICE_TREES.items():
        for place in (name, f"a/{name}"):
            head = fat_read(image, place)[:4] if place in names else b""
            yield head == b"\xd0\x0d\xfe\xed", f"device tree of {board}: {place}"
    config = fat_read(image, "config.txt").decode()
    for word in (
        "arm_64bit=1",
        "upstream_kernel=1",
        "kernel=u-boot.bin",
        "[pi5]",
        "include slot.txt",
    ):
        yield word in config, f"config.txt says {word}"


def drivers(root: Path, board: Board) -> Iterator[Finding]:
    top = next((root / "usr/lib/modules").iterdir())
    there = {p.name.split(".")[0].replace("-", "_") for p in top.rglob("*.ko*")}
    built_in = (top / "modules.builtin").read_text().splitlines()
    there |= {Path(line).name.split(".")[0].replace("-", "_") for line in built_in}
    own = PI_MODULES if board.name == "pi" else VM_MODULES
    missing = [m for m in (*COMMON_MODULES, *own) if m.replace("-", "_") not in there]
    yield (
        not missing,
        f"kernel {top.name}: drivers {'missing: ' + ' '.join(missing) if missing else 'all there'}",
    )
    if board.name == "pi":
        for name in PI_FIRMWARE:
            found = any(
                (root / "usr/lib/firmware" / d / name).exists() for d in ("brcm", "cypress")
            )
            yield found, f"firmware of the radio: {name}"


def verity(out: Path, image: Path, board: Board) -> Finding:
    """The root partition of slot A against the hash that the boot partition names."""
    said = dict(
        line.split("=", 1)
        for line in fat_read(image, "a/slot.env").decode().splitlines()
        if "=" in line
    )
    name = f"/images/{image.name}"
    start = (4 + board.boot_mib) << 20
    part = image.parent / "check.rootA"
    run(
        "dd", f"if={image}", f"of={part}", "bs=4M", f"skip={start >> 22}", f"count={board.slot_mib >> 2}",
        "conv=sparse", "status=none",
    )  # fmt: skip
    try:
        inside(
            out / "tools/root", "veritysetup", "verify", "/images/check.rootA", "/images/check.rootA",
            said["roothash"], f"--hash-offset={said['hashstart']}", binds={image.parent: "/images"},
        )  # fmt: skip
    except SystemExit:
        return False, f"{name}: root A is not what its hash says"
    finally:
        part.unlink()
    return True, f"root A is what its hash says ({said['roothash'][:12]}...)"


def fat_list(image: Path) -> list[str]:
    listed = _mtools("mdir", "-/", "-b", "-i", f"{image}@@4M", "::")
    return [
        line.removeprefix("::/") for line in listed.decode().splitlines() if not line.endswith("/")
    ]


def fat_read(image: Path, name: str) -> bytes:
    return _mtools("mtype", "-i", f"{image}@@4M", f"::{name}")


def _mtools(*argv: str) -> bytes:
    done = subprocess.run(
        argv, capture_output=True, check=False, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"}
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
