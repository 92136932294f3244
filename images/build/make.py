#!/usr/bin/env python3
"""Makes the SD image of a board, in stages; what has not changed is taken from the last time.

    images/build/make.py image|bundle --board pi|vm-amd64|vm-arm64 [--version V] [--out build/image]

Leaves in OUT/<board>: plaza-<board>.img (sparse), .img.xz with --xz, sbom.cdx.json,
report.json; or the signed update.
No container engine, no loop device, no file system of the host's kernel: roots are folders, disks are
written by their own tools. Needs root.
"""

from __future__ import annotations

import argparse
import fcntl
import inspect
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import bundle
import disk
import keys
import node
import roots
import slot
import squash
import wheels
from boards import BASES, BOARDS, NEVER, Board
from stages import TREE, Report, digest, run, say, size_of, stage

RECIPE = "images/build"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("what", choices=("image", "bundle"))
    parser.add_argument("--board", choices=sorted(BOARDS), required=True)
    parser.add_argument("--version", default=os.environ.get("PLAZA_VERSION", ""))
    parser.add_argument("--out", type=Path, default=TREE / "build/image")
    parser.add_argument("--python", default=sys.executable, help="with pip, to fetch the wheels")
    parser.add_argument("--xz", action="store_true", help="also the compressed image (minutes)")
    parser.add_argument("--quick", action="store_true", help="a larger root in a fifth of the time")
    options = parser.parse_args(argv)
    if os.geteuid() != 0:
        parser.error("making a Debian root needs root")
    os.umask(0o022)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "lock").open("w") as alone:
        fcntl.flock(
            alone, fcntl.LOCK_EX
        )  # two builds in one folder would take each other's roots away
        return _build(options)


def _build(options: argparse.Namespace) -> int:
    builder = Builder(options.out.resolve(), BOARDS[options.board], options.python, options.version)
    builder.level = 3 if options.quick else 19
    if options.what == "bundle":
        builder.bundle()
        return 0
    builder.image()
    if options.xz:
        builder.compress()
    return 0


class Builder:
    """The stages of one board in their order; each knows the keys of those before it."""

    def __init__(self, out: Path, board: Board, python: str, version: str) -> None:
        self.board, self.python, self.level = board, python, 19
        self.shared, self.folder = out, out / board.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.report = Report(self.folder / "report.json")
        self.release = release(version)
        self.tools = out / "tools/root"
        self.base = out / board.base / "root"
        self.firmware = out / "firmware/root"

    def image(self) -> Path:
        began = time.monotonic()
        key = self._parts()
        image = self.folder / f"plaza-{self.board.name}.img"
        recipe = digest(
            (f"{RECIPE}/disk.py", f"{RECIPE}/uboot.py", f"{RECIPE}/boot"), (key, repr(self.board))
        )
        made = stage(
            self.report, "disk", self.folder, recipe,
            lambda: disk.make_disk(
                self.folder, self.base, self.firmware, self.board, self.tools, self.release.epoch
            ),
            [image],
        )  # fmt: skip
        if made:  # the one before must not be published as this one
            image.with_suffix(".img.xz").unlink(missing_ok=True)
            self.report.drop("xz")
        self._sbom()
        if not made:
            self.report.put("warm", seconds=round(time.monotonic() - began, 1))
        self.report.put(
            "image", board=self.board.name, version=self.release.version, commit=self.release.commit,
            bytes_on_card=image.stat().st_size, bytes_on_disk=image.stat().st_blocks * 512,
            level=self.level, seconds=round(time.monotonic() - began, 1),
        )  # fmt: skip
        say(f"image    {image} ready after {time.monotonic() - began:.0f} s")
        return image

    def bundle(self) -> Path:
        key = self._parts()
        path = self.folder / f"plaza-{self.board.name}-{self.release.version}.raucb"
        recipe = digest((f"{RECIPE}/bundle.py", f"{RECIPE}/boot/hook"), (key, self.release.version))
        stage(
            self.report, "bundle", self.folder, recipe,
            lambda: bundle.make_bundle(
                self.folder, self.board, self.release, self.signer, self.tools
            ),
            [path],
        )  # fmt: skip
        say(f"bundle   {path}")
        return path

    def _parts(self) -> str:
        key = self._roots()
        self.signer = keys.signer(self.shared / "keys", self.tools)
        return self._slot(self._node(key))

    def _roots(self) -> str:
        debian = code(roots.bootstrap), roots.PINS, roots.COMPONENTS
        tools_key = digest((f"{RECIPE}/packages-tools.txt",), debian)
        stage(
            self.report, "tools", self.shared / "tools", tools_key,
            lambda: roots.bootstrap(
                self.tools, "amd64", roots.listed(f"{RECIPE}/packages-tools.txt"), without=roots.NO_DOCS
            ),
            [self.tools],
        )  # fmt: skip
        files = (f"{RECIPE}/packages-image.txt", "images/packages-node.txt")
        kind = BASES[self.board.base]
        base_key = digest(files, (repr(kind), *NEVER, *debian, code(roots.make_base)))
        base = self.base
        stage(
            self.report, "base", base.parent, base_key,
            lambda: roots.make_base(base, kind, self.release.epoch), [base],
        )  # fmt: skip
        firmware_key = ""
        if self.board.boot == "uboot":
            firmware_key = digest((), (code(roots.make_firmware), *roots.FIRMWARE))
            stage(
                self.report, "firmware", self.shared / "firmware", firmware_key,
                lambda: roots.make_firmware(self.firmware, self.release.epoch), [self.firmware],
            )  # fmt: skip
        folder = self.shared / f"wheels-{self.board.arch}"
        wheels_key = digest((*wheels.LISTS, f"{RECIPE}/wheels.py"), (tools_key, self.board.arch))
        stage(
            self.report, "wheels", folder, wheels_key,
            lambda: wheels.make_wheels(
                folder, self.board, self.tools, self.python, self.release.epoch
            ),
            [folder / "wheels"],
        )  # fmt: skip
        return digest((), (tools_key, base_key, firmware_key, wheels_key))

    def _node(self, before: str) -> str:
        installed = self.shared / self.board.base / "installed"
        ids = f"{RECIPE}/overlay/usr/lib/sysusers.d/00-plaza-ids.conf"
        installed_key = digest(
            [*node.tree_files(), ids],
            (before, code(node.make_installed), code(node.install), code(node.carry_wheels)),
        )
        house = self.shared / f"wheels-{self.board.arch}/wheels"
        stage(
            self.report, "install", installed.parent, installed_key,
            lambda: node.make_installed(
                installed, self.base, house, self.tools, self.board.arch, self.release.epoch
            ),
            [installed],
        )  # fmt: skip
        files = [f"{RECIPE}/node.py", f"{RECIPE}/overlay", f"{RECIPE}/boot"]
        own = f"{RECIPE}/overlay-{self.board.boot}"
        files += [own] if (TREE / own).is_dir() else []
        release, keyring = self.release, self.signer.keyring
        words = (
            installed_key,
            release.version,
            release.commit,
            keyring.read_text(),
            self.board.name,
        )
        key = digest(files, words)
        root = self.folder / "root"
        stage(
            self.report, "node", self.folder, key,
            lambda: node.make_node(root, installed, self.tools, self.board, release, keyring), [root],
        )  # fmt: skip
        return key

    def _slot(self, before: str) -> str:
        root_image, boot = self.folder / "rootfs.img", self.folder / "boot"
        root = self.folder / "root"
        root_key = digest((f"{RECIPE}/squash.py",), (before, str(self.level)))
        stage(
            self.report, "rootfs", self.folder, root_key,
            lambda: squash.make_root_image(self.folder, root, self.tools, self.release.epoch, self.level),
            [root_image],
        )  # fmt: skip
        key = digest((f"{RECIPE}/slot.py", f"{RECIPE}/initrd"), (root_key, repr(self.board)))
        stage(
            self.report, "boot", self.folder, key,
            lambda: slot.make_boot_files(
                self.folder, root, self.base, self.board, self.tools
            ),
            [boot],
        )  # fmt: skip
        return key

    def _sbom(self) -> None:
        """Beside the image: everything that is in it."""
        from sbom import make_sbom  # its library is not in every Python that could make a bundle

        root = self.folder / "root"
        said = json.loads((root / "usr/lib/plaza/image.json").read_text())
        firmware = self.firmware if self.board.name == "pi" else None
        text = make_sbom(
            root, self.board.name, self.release.version, self.release.epoch, said["packages_sha256"],
            firmware,
        )  # fmt: skip
        path = self.folder / "sbom.cdx.json"
        path.write_text(text + "\n")
        self.report.put(
            "sbom", components=len(json.loads(text)["components"]), bytes=path.stat().st_size
        )

    def compress(self) -> None:
        image = self.folder / f"plaza-{self.board.name}.img"
        began = time.monotonic()
        # Fixed threads: with one, xz writes other bytes. The root is packed already: more gains little.
        run("xz", "-T2", "-1", "-k", "-f", str(image))
        packed = image.with_suffix(".img.xz")
        self.report.put(
            "xz", seconds=round(time.monotonic() - began, 1), bytes=packed.stat().st_size
        )
        say(f"xz       {packed.name} {size_of(packed) / 1e6:.1f} MB")


def code(function: Callable[..., object]) -> str:
    """The text of one function: what it makes is made anew when it changes."""
    return inspect.getsource(function)


def release(version: str) -> node.Release:
    """Version, commit and time of this tree. The time is the commit's own: the only one in the image."""
    commit = run("git", "-C", str(TREE), "rev-parse", "HEAD").strip()
    epoch = int(
        os.environ.get("SOURCE_DATE_EPOCH")
        or run("git", "-C", str(TREE), "log", "-1", "--format=%ct")
    )
    found = re.search(r'^version = "([^"]+)"', (TREE / "pyproject.toml").read_text(), re.MULTILINE)
    assert found is not None, "pyproject.toml names no version"
    built = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return node.Release(version or found[1], commit, epoch, built)


if __name__ == "__main__":
    sys.exit(main())
