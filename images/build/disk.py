"""The disk: boot partition by mtools, two roots, room for data; laid out by genimage, nothing mounted."""

from __future__ import annotations

import shutil
from pathlib import Path

from boards import Board
from roots import inside
from slot import DISK_SIGNATURE
from stages import HERE

GRUB_MODULES = (
    "biosdisk", "part_msdos", "fat", "normal", "configfile", "loadenv", "test", "linux", "echo", "minicmd",
    "search", "serial", "terminal", "sleep", "reboot", "boot", "ls", "cat",
)  # fmt: skip
FIRST_STATE = {"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0", "B_TRY": "0"}


def make_disk(out: Path, board: Board, tools: Path, epoch: int) -> Path:
    work = out / "disk"
    shutil.rmtree(work, ignore_errors=True)
    boot = work / "in/fat"
    boot.mkdir(parents=True)
    shutil.copytree(out / "boot", boot / "a")
    (boot / "b").mkdir()
    for path in sorted((HERE / "fat").iterdir()):
        shutil.copy(path, boot / path.name)
    binds = {work: "/work", out: "/slot", HERE: "/recipe"}
    extra = _grub(work, tools, epoch)
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
    env = "/work/in/fat/grubenv"
    inside(tools, "grub-editenv", env, "create", binds=binds)
    words = [f"{k}={v}" for k, v in FIRST_STATE.items()]
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
