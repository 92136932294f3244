"""Debian roots made by mmdebstrap: the builder's tools, the board's base, and the node itself."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from boards import NEVER, Base
from stages import HERE, TREE, run

RELEASE = "trixie"
COMPONENTS = "main non-free-firmware"
FIRMWARE = ("raspi-firmware", "u-boot-rpi", "u-boot-qemu")
NO_DOCS = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
    "/usr/share/lintian/*", "/usr/share/bug/*", "/usr/share/gtk-doc/*", "/usr/share/bash-completion/*",
)  # fmt: skip
NEXT = "forky"
FROM_NEXT = ("rauc", "libnl3")  # source packages
PINS = f"""\
Package: src:linux src:linux-base src:linux-signed-amd64 src:linux-signed-arm64 src:firmware-nonfree
Pin: release n={RELEASE}-backports
Pin-Priority: 900

Package: *
Pin: release n={NEXT}
Pin-Priority: -10

Package: {" ".join(f"src:{source}" for source in FROM_NEXT)}
Pin: release n={NEXT}
Pin-Priority: 900
"""
"""The kernel of backports; RAUC, with the one library that it needs newer, of the next Debian: its 1.13
refuses every bundle under a kernel from 6.19 on, whose dm-verity tells its state in one word more."""


def listed(name: str) -> list[str]:
    lines = (TREE / name).read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def sources(arch: str, *, with_next: bool = False) -> list[str]:
    """apt lines for the release, from the mirrors that this host itself uses (deb822 files).

    `with_next` only where `PINS` says what may be taken from it.
    """
    text = Path("/etc/os-release").read_text()
    own = re.search(r"VERSION_CODENAME=(\w+)", text)
    assert own is not None, "this host does not say which Debian it is"
    lines: list[str] = []
    for block in _blocks():
        suites = block.get("suites", "").split()
        wanted = {own[1]: RELEASE, f"{own[1]}-security": f"{RELEASE}-security"}
        for suite in (wanted[s] for s in suites if s in wanted):
            lines += [_line(block, suite, arch)]
            if suite == RELEASE:
                lines += [
                    _line(block, s, arch) for s in (f"{RELEASE}-updates", f"{RELEASE}-backports")
                ]
                lines += [_line(block, NEXT, arch)] if with_next else []
    if not lines:
        raise SystemExit("[image] no Debian mirror found in /etc/apt/sources.list.d/*.sources")
    return lines


def _line(block: Mapping[str, str], suite: str, arch: str) -> str:
    signed = f" signed-by={block['signed-by']}" if "signed-by" in block else ""
    return f"deb [arch={arch}{signed}] {block['uris'].split()[0]} {suite} {COMPONENTS}"


def _blocks() -> Iterable[dict[str, str]]:
    for path in sorted(Path("/etc/apt/sources.list.d").glob("*.sources")):
        for part in path.read_text().split("\n\n"):
            fields = (line.partition(":") for line in part.splitlines() if line[:1] not in "# \t")
            yield {name.strip().lower(): value.strip() for name, _, value in fields}


def bootstrap(
    root: Path, arch: str, packages: Iterable[str], *, without: Iterable[str] = (), epoch: int = 0
) -> None:
    """A fresh root with these packages; no initrd is made (an emulated one takes eight minutes)."""
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    pins = root.parent / "pins.pref"
    pins.write_text(PINS)
    run(
        "mmdebstrap", "--mode=root", "--variant=minbase", "--quiet", f"--architectures={arch}",
        f"--include={','.join(packages)}",
        '--aptopt=Acquire::Check-Valid-Until "false"',
        "--aptopt=Acquire::Languages none",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in without),
        f"--setup-hook=mkdir -p \"$1/etc/apt/preferences.d\" && cp {pins} \"$1/etc/apt/preferences.d/\"",
        '--essential-hook=printf "do_initrd = no\\n" > "$1/etc/kernel-img.conf"',
        RELEASE, str(root), *sources(arch, with_next=True),
        env={**os.environ, "INITRD": "No", "SOURCE_DATE_EPOCH": str(epoch)},
    )  # fmt: skip


def make_base(root: Path, base: Base, epoch: int) -> None:
    """A Debian: what a node needs, what only an image needs, the kernel without strangers."""
    packages = [
        "ca-certificates", *listed("images/packages-node.txt"),
        *listed("images/build/packages-image.txt"), *base.packages, base.kernel,
    ]  # fmt: skip
    folders = [*NEVER, *base.without_modules]
    modules = [f"{top}/modules/*/kernel/{d}/*" for d in folders for top in ("/lib", "/usr/lib")]
    without = [*modules, *NO_DOCS, *base.without_files]
    bootstrap(root, base.arch, packages, without=without, epoch=epoch)
    for version in (root / "usr/lib/modules").iterdir():
        inside(root, "depmod", version.name)


def make_firmware(root: Path, epoch: int) -> None:
    """Files of packages that are only unpacked: the boards' firmware and U-Boot, which no root needs."""
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    run(
        "mmdebstrap", "--mode=root", "--variant=extract", "--quiet", "--architectures=arm64",
        f"--include={','.join(FIRMWARE)}", '--aptopt=Acquire::Check-Valid-Until "false"',
        RELEASE, str(root), *sources("arm64"),
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
    )  # fmt: skip


def inside(root: Path, *argv: str, binds: Mapping[Path, str] | None = None, epoch: int = 0) -> str:
    """Run a program inside a root, with folders of this host where `binds` says."""
    words = [w for host, guest in (binds or {}).items() for w in ("--bind", str(host), guest)]
    return run(
        str(HERE / "in-root"), str(root), *words, "--", *argv,
        env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
    )  # fmt: skip


def copy_root(base: Path, root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    run("cp", "-a", "--reflink=auto", str(base), str(root))


def lay(overlay: Path, root: Path) -> None:
    """Put a folder of the tree over a root."""
    for path in sorted(overlay.rglob("*")):
        target = root / path.relative_to(overlay)
        if path.is_dir() and not path.is_symlink():
            target.mkdir(exist_ok=True)
        else:
            copy_plain(path, target)


def copy_plain(file: Path, target: Path) -> None:
    """A file or link of the tree as git knows it: its bytes and whether it may be run. The other rights and
    the time are of whoever made the checkout."""
    target.unlink(missing_ok=True)
    shutil.copyfile(file, target, follow_symlinks=False)
    if not file.is_symlink():
        target.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
