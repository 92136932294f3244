"""A technician's stick with bundles, as a disk; and the next version's bundle, made beside the images."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STICK_BYTES = 2 << 30
SHARED = ("tools", "firmware", "keys")


def next_bundle(images: Path, board: str, base: str, version: str) -> Path:
    """A bundle of this tree as that version, in `image-next` beside the images' folder.

    What the two can share is shared. RuntimeError with the recipe's last words.
    """
    built = images.resolve().parent / "image-next"
    built.mkdir(exist_ok=True)
    for name in (*SHARED, f"base-{base}", f"wheels-{base}"):
        if not (built / name).exists():
            (built / name).symlink_to(images.resolve() / name)
    make = str(ROOT / "images/build/make.py")
    words = ("--board", board, "--quick", "--out", str(built), "--version", version, "bundle")
    done = subprocess.run(
        [sys.executable, make, *words], capture_output=True, text=True, timeout=1500
    )
    if done.returncode != 0:
        raise RuntimeError((done.stdout + done.stderr)[-3000:])
    return built / board / f"plaza-{board}-{version}.raucb"


def make_stick(disk: Path, *files: Path) -> Path:
    """A disk with these files and nothing else."""
    folder = disk.with_suffix("")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path in files:
        shutil.copy(path, folder)
    disk.unlink(missing_ok=True)
    disk.touch()
    os.truncate(disk, STICK_BYTES)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(folder), str(disk)], check=True)
    shutil.rmtree(folder)
    return disk
