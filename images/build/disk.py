"""The disk: boot partition by mtools, two roots, room for data; laid out by genimage, nothing mounted."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from boards import Board
from roots import inside
from slot import DISK_SIGNATURE, device_trees
from stages import HERE, TREE, run
from uboot import settle

GRUB_MODULES = (
    "biosdisk", "part_msdos", "fat", "normal", "configfile", "loadenv", "test", "linux", "echo", "minicmd",
    "search", "serial", "terminal", "sleep", "reboot", "boot", "ls", "cat",
)  # fmt: skip
PI_FIRMWARE = ("bootcode.bin", "start.elf", "fixup.dat", "start4.elf", "fixup4.dat")
FIRST_STATE = {"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0", "B_TRY": "0"}


def make_disk(out: Path, base: Path, firmware: Path, board: Board, tools: Path, epoch: int) -> Path:
    work = out / "disk"
    shutil.rmtree(work, ignore_errors=True)
    boot = work / "in/fat"
    boot.mkdir(parents=True)
    shutil.copytree(out / "boot", boot / "a")
    (boot / "b").mkdir()
    # What a technician finds beside plaza.toml, made by the program that will judge it.
    run(
        sys.executable, "-P", "-m", "plaza", "site", "card-files", "--out", str(boot),
        env={**os.environ, "PYTHONPATH": str(TREE)},
    )  # fmt: skip
    # Also beside the image, for whoever fills a card in later.
    shutil.copy(boot / "nuevo-sitio.html", out / "nuevo-sitio.html")
    binds = {work: "/work", out: "/slot"}
    extra = _grub(work, tools, epoch) if board.boot == "grub" else _uboot(work, tools, epoch)
    if board.name == "pi":
        _firmware(boot, base, firmware)
    image = f"plaza-{board.name}.img"
    (work / "genimage.cfg").write_text(_layout(board, image, extra))
    inside(
        tools, "genimage", "--config", "/work/genimage.cfg", "--rootpath", "/work/in", "--tmppath",
        "/work/tmp", "--inputpath", "/work/in", "--outputpath", "/work/out", binds=binds, epoch=epoch,
    )  # fmt: skip
    final = out / image
    shutil.move(work / "out" / image, final)
    with final.open(
        "r+b"
    ) as file:  # up to the end of the last partition, though nothing is in it yet
        file.truncate((4 + board.boot_mib + 2 * board.slot_mib + board.data_mib) << 20)
    shutil.rmtree(work)
    return final


def _uboot(work: Path, tools: Path, epoch: int) -> str:
    """The script that chooses the slot, and the state that it counts in."""
    binds = {work: "/work"}
    shutil.copy(HERE / "boot/boot.cmd", work / "boot.cmd")
    inside(
        tools, "mkimage", "-A", "arm64", "-O", "linux", "-T", "script", "-C", "none", "-n", "Plaza",
        "-d", "/work/boot.cmd", "/work/in/fat/boot.scr", binds=binds, epoch=epoch,
    )  # fmt: skip
    (work / "slots.txt").write_text("BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=0\n")
    inside(
        tools, "mkenvimage", "-s", "0x200", "-o", "/work/in/fat/slots.env", "/work/slots.txt", binds=binds
    )  # fmt: skip
    return ""


def _firmware(boot: Path, base: Path, firmware: Path) -> None:
    """The board's own firmware, U-Boot, and for the Pi 5 the words that a slot is started with."""
    version = next((base / "usr/lib/modules").iterdir()).name
    for name in PI_FIRMWARE:
        shutil.copy(firmware / "usr/lib/raspi-firmware" / name, boot / name)
    loader = firmware / "usr/lib/u-boot/rpi_arm64/u-boot.bin"
    (boot / "u-boot.bin").write_bytes(settle(loader.read_bytes()))
    for name, path in device_trees(base, version).items():
        shutil.copy(path, boot / name)
    for name in ("config.txt", "slot.txt"):
        shutil.copy(HERE / "boot" / name, boot / name)
    (boot / "a/cmdline.txt").write_text(firmware_words((boot / "a/slot.env").read_text(), "A"))


def firmware_words(slot_env: str, slot: str) -> str:
    """`cmdline.txt` of a slot, for a firmware that starts the kernel itself (the hook writes the same)."""
    known = dict(line.split("=", 1) for line in slot_env.splitlines())
    part = {"A": 2, "B": 3}[slot]
    return (
        f"{known['cmdline']} plaza.loader=firmware plaza.slot={slot} plaza.part={part}"
        f" plaza.roothash={known['roothash']} plaza.hashstart={known['hashstart']} rauc.slot={slot}\n"
    )


def _grub(work: Path, tools: Path, epoch: int) -> str:
    """GRUB for a PC's BIOS in the gap before the first partition, and the state that it counts in."""
    binds = {work: "/work", HERE: "/recipe"}
    into = work / "in"
    shutil.copytree(HERE / "boot", into / "recipe")
    (into / "fat/grub").mkdir()
    shutil.copy(HERE / "boot/grub.cfg", into / "fat/grub/grub.cfg")
    inside(
        tools, "grub-mkimage", "-O", "i386-pc", "-p", "(hd0,msdos1)/grub", "-o", "/work/in/core.img",
        *GRUB_MODULES, binds=binds, epoch=epoch,
    )  # fmt: skip
    inside(
        tools, "dd", "if=/usr/lib/grub/i386-pc/boot.img", "of=/work/in/boot.img", "bs=440", "count=1",
        "status=none", binds=binds,
    )  # fmt: skip
    words = [f"{k}={v}" for k, v in FIRST_STATE.items()]
    for name in ("grubenv", "grubenv2"):
        env = f"/work/in/fat/{name}"
        inside(tools, "grub-editenv", env, "create", binds=binds)
        inside(tools, "grub-editenv", env, "set", *words, binds=binds)
    return """
    partition mbr-code { in-partition-table = false  image = "boot.img"  offset = 0 }
    partition grub { in-partition-table = false  image = "core.img"  offset = 512 }
"""


def _layout(board: Board, image: str, extra: str) -> str:
    return f"""
image boot.vfat {{
    size = {board.boot_mib}M
    vfat {{
        extraargs = "-F 32 -s 1 -i 504c5a41 --invariant"
        label = "PLAZA"
    }}
    mountpoint = "/fat"
}}
image {image} {{
    hdimage {{
        partition-table-type = "mbr"
        disk-signature = 0x{DISK_SIGNATURE}
        align = 4M
    }}
{extra}
    partition boot {{ partition-type = 0x0c  image = "boot.vfat"  offset = 4M  bootable = true }}
    partition rootA {{ partition-type = 0x83  image = "/slot/rootfs.img"  size = {board.slot_mib}M }}
    partition rootB {{ partition-type = 0x83  size = {board.slot_mib}M }}
    partition data {{ partition-type = 0x83  size = {board.data_mib}M }}
}}
"""
