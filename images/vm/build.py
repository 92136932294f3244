#!/usr/bin/env python3
"""Makes a virtual node: a Debian root installed by images/install.sh, as a disk that QEMU boots.

    images/vm/build.py --out build/vm [--python .venv/bin/python]

Leaves `disk.ext4`, `vmlinuz` and `initrd.img` in the folder. No mounts and no container engine: the root
is a folder made by mmdebstrap, and the disk is written from it by mke2fs. Needs root.

Two parts are kept between runs. The Debian root and the Python packages are made again only when a list
of packages or the recipe changes (minutes); our own programs are put into it whenever a file changes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "build"))
# What both recipes do in one way lives with the card's; neither is a package, nor in the wheel.
from node import tree_files  # noqa: E402
from roots import listed  # noqa: E402
from stages import TREE, Report, digest, run, stage  # noqa: E402

RECIPE = (
    "images/packages-node.txt",
    "images/vm/packages.txt",
    "images/vm/build.py",
    "requirements/runtime.txt",
    "requirements/build.txt",
)
DISK_MIB = 3072

# Drivers of hardware that QEMU does not have: two thirds of the kernel's modules.
NO_DRIVERS = (
    "drivers/gpu", "drivers/media", "drivers/infiniband", "drivers/scsi", "drivers/iio",
    "drivers/staging", "drivers/net/ethernet", "drivers/hwmon", "drivers/platform", "drivers/usb",
    "drivers/input", "drivers/isdn", "drivers/mtd", "drivers/ata", "drivers/md", "drivers/nvme",
    "fs/xfs", "fs/btrfs", "fs/ocfs2", "fs/ceph", "fs/nfs", "fs/nfsd", "fs/smb", "fs/gfs2", "fs/jfs",
    "sound",
)  # fmt: skip
NO_DOCS = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
INITRD_MODULES = "virtio_pci\nvirtio_blk\next4\n"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=TREE / "build/vm")
    parser.add_argument("--python", default=sys.executable, help="with pip, for the wheels")
    options = parser.parse_args(argv)
    if os.geteuid() != 0:
        parser.error("making a Debian root needs root")
    out: Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    report, disk = Report(out / "report.json"), out / "disk.ext4"
    base = digest(RECIPE)
    if stage(report, "base", out, base, lambda: make_base(out, options.python), [out / "root"]):
        (out / "node.key").unlink(missing_ok=True)
    files = tree_files()
    key = digest([*files, "images/vm/overlay"], (base,))
    stage(report, "node", out, key, lambda: make_node(out, files), [disk])
    return 0


def make_base(out: Path, python: str) -> None:
    """The Debian root, its kernel and initrd, and a wheelhouse; `install.sh` ran in it once."""
    root = out / "root"
    shutil.rmtree(root, ignore_errors=True)
    run(
        python, "-m", "pip", "wheel", "-q", "--require-hashes", "-w", str(out / "wheels"),
        "-r", str(TREE / "requirements/runtime.txt"), "-r", str(TREE / "requirements/build.txt"),
    )  # fmt: skip
    excluded = [f"/lib/modules/*/kernel/{d}/*" for d in NO_DRIVERS] + list(NO_DOCS)
    run(
        "mmdebstrap", "--mode=root", "--variant=minbase", "--quiet",
        f"--include=ca-certificates,{','.join(listed('images/packages-node.txt'))}",
        f"--include={','.join(listed('images/vm/packages.txt'))}",
        '--aptopt=Acquire::Check-Valid-Until "false"',
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in excluded),
        # The initrd is made once, by us, with three modules: not by the kernel's own hook.
        '--essential-hook=printf "do_initrd = no\\n" > "$1/etc/kernel-img.conf"',
        "bookworm", str(root), *_host_sources(),
        env={**os.environ, "INITRD": "No"},
    )  # fmt: skip
    make_initrd(root, out)


def make_initrd(root: Path, out: Path) -> None:
    version = next((root / "lib/modules").iterdir()).name
    (root / "etc/initramfs-tools/modules").write_text(INITRD_MODULES)
    conf = root / "etc/initramfs-tools/initramfs.conf"
    conf.write_text(conf.read_text().replace("MODULES=most", "MODULES=list"))
    run("chroot", str(root), "depmod", version)
    run("chroot", str(root), "mkinitramfs", "-c", "gzip", "-o", "/boot/initrd.img", version)
    shutil.move(root / "boot/initrd.img", out / "initrd.img")
    shutil.copy2(root / f"boot/vmlinuz-{version}", out / "vmlinuz")


def make_node(out: Path, files: Sequence[str]) -> None:
    """Our programs by `install.sh`, what only a virtual node has, then the disk."""
    root = out / "root"
    source = root / "src"
    shutil.rmtree(source, ignore_errors=True)
    for name in files:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(TREE / name, source / name, follow_symlinks=False)
    wheels = root / "wheels"
    shutil.rmtree(wheels, ignore_errors=True)
    shutil.copytree(out / "wheels", wheels)
    run(
        "chroot", str(root), "/src/images/install.sh",
        "--wheelhouse", "/wheels", "--no-packages", "--no-start",
    )  # fmt: skip
    shutil.rmtree(wheels)
    shutil.rmtree(source)
    shutil.copytree(HERE / "overlay", root, dirs_exist_ok=True)
    run("chroot", str(root), "/usr/lib/plaza-vm/prepare")
    make_disk(root, out / "disk.ext4")


def make_disk(root: Path, disk: Path) -> None:
    fresh = disk.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with fresh.open("wb") as file:
        file.truncate(DISK_MIB * 1024 * 1024)
    run("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(root), str(fresh))
    fresh.replace(disk)


def _host_sources() -> list[str]:
    """The host's own apt sources, so that the root is made from the mirror the host uses."""
    folder = Path("/etc/apt/sources.list.d")
    files = [Path("/etc/apt/sources.list"), *folder.glob("*.list"), *folder.glob("*.sources")]
    return [str(f) for f in files if f.is_file() and "bookworm" in f.read_text()]


if __name__ == "__main__":
    sys.exit(main())
