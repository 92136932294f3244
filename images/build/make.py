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
import programs
import roots
import slot
import squash
import wheels
from boards import BASES, BOARDS, Board
from recipe import ImageKeys, RootKeys, image_keys, root_keys
from stages import TREE, Report, run, say, size_of, stage


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
        self.base, self.installed = (out / board.base / n for n in ("root", "installed"))
        self.firmware = out / "firmware/root"

    def image(self) -> Path:
        began = time.monotonic()
        key = self._parts()
        image = self.folder / f"plaza-{self.board.name}.img"
        made = self._stage(
            "disk", image, key.disk,
            lambda: disk.make_disk(
                self.folder, self.base, self.firmware, self.board, self.tools, self.release.epoch
            ),
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
        self._stage(
            "bundle", path, key.bundle,
            lambda: bundle.make_bundle(
                self.folder, self.board, self.release, self._signer, self.tools
            ),
        )  # fmt: skip
        say(f"bundle   {path}")
        return path

    def _parts(self) -> ImageKeys:
        before = root_keys(self.board, node.tree_files())
        self._roots(before)
        self._signer = keys.signer(self.shared / "keys", self.tools)
        trusted = self._signer.keyring.read_text(), self._signer.certificate.read_text()
        own = image_keys(self.board, before, self.release, trusted, self.level)
        self._node(own)
        self._slot(own)
        return own

    def _roots(self, key: RootKeys) -> None:
        """What boards of one base share: Debian, wheels, and our programs in it."""
        epoch = self.release.epoch
        self._stage(
            "tools", self.tools, key.tools,
            lambda: roots.bootstrap(
                self.tools, "amd64", roots.listed("images/build/packages-tools.txt"),
                without=roots.NO_DOCS,
            ),
        )  # fmt: skip
        kind = BASES[self.board.base]
        self._stage("base", self.base, key.base, lambda: roots.make_base(self.base, kind, epoch))
        if key.firmware:
            self._stage(
                "firmware", self.firmware, key.firmware,
                lambda: roots.make_firmware(self.firmware, epoch),
            )  # fmt: skip
        folder = self.shared / f"wheels-{self.board.arch}"
        house = folder / "wheels"
        self._stage(
            "wheels", house, key.wheels,
            lambda: wheels.make_wheels(folder, self.board, self.tools, self.python, epoch),
        )  # fmt: skip
        self._stage(
            "install", self.installed, key.install,
            lambda: programs.make_installed(
                self.installed, self.base, house, self.tools, self.board.arch, epoch
            ),
        )  # fmt: skip

    def _node(self, key: ImageKeys) -> None:
        root, keyring = self.folder / "root", self._signer.keyring
        self._stage(
            "node", root, key.node,
            lambda: node.make_node(
                root, self.installed, self.tools, self.board, self.release, keyring
            ),
        )  # fmt: skip

    def _slot(self, key: ImageKeys) -> None:
        root = self.folder / "root"
        self._stage(
            "rootfs", self.folder / "rootfs.img", key.rootfs,
            lambda: squash.make_root_image(
                self.folder, root, self.tools, self.release.epoch, self.level
            ),
        )  # fmt: skip
        self._stage(
            "boot", self.folder / "boot", key.boot,
            lambda: slot.make_boot_files(
                self.folder, root, self.base, self.board, self.tools
            ),
        )  # fmt: skip

    def _stage(self, name: str, what: Path, key: str, make: Callable[[], object]) -> bool:
        return stage(self.report, name, what.parent, key, make, [what])

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
