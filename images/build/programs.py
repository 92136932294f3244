"""A Debian base with our programs in it, by `images/install.sh`: the same for every board of the base."""

from __future__ import annotations

import shutil
from pathlib import Path

from node import tree_files
from roots import copy_plain, copy_root, inside
from stages import HERE, TREE
from wheels import platform_words

BUILDER_ARCH = "amd64"


def make_installed(
    root: Path, base: Path, wheels: Path, tools: Path, arch: str, epoch: int
) -> None:
    """A base with our programs in it: the same for every board of the base."""
    copy_root(base, root)
    if arch != BUILDER_ARCH:
        carry_wheels(root, wheels, tools, arch)
    install(root, wheels, epoch)


def carry_wheels(root: Path, wheels: Path, tools: Path, arch: str) -> None:
    """What `install.sh` would do under emulation in ten minutes: it finds the wheels already unpacked."""
    binds = {root: "/input", wheels: "/wheels"}
    inside(tools, "python3", "-m", "venv", "--without-pip", "/input/opt/plaza/venv", binds=binds)
    inside(tools, "python3", "-m", "venv", "/venv")
    site = "/input/opt/plaza/venv/lib/python3.13/site-packages"
    names = sorted(f"/wheels/{p.name}" for p in wheels.glob("*.whl"))
    inside(
        tools, "/venv/bin/python", "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-compile",
        "--target", site, *platform_words(arch), *names, binds=binds,
    )  # fmt: skip
    shutil.rmtree(root / site.removeprefix("/input/") / "bin", ignore_errors=True)


def install(root: Path, wheels: Path, epoch: int) -> None:
    """Fixed user numbers first (what /data holds outlives the root), then the ordinary install."""
    ids = root / "usr/lib/sysusers.d/00-plaza-ids.conf"
    copy_plain(HERE / "overlay/usr/lib/sysusers.d/00-plaza-ids.conf", ids)
    _refuse_unpinned(ids)
    inside(root, "systemd-sysusers", ids.name)
    source = root / "src"
    for name in tree_files():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        copy_plain(TREE / name, source / name)
    inside(
        root, "/src/images/install.sh", "--wheelhouse", "/wheels", "--no-packages", "--no-start",
        binds={wheels: "/wheels"}, epoch=epoch,
    )  # fmt: skip
    shutil.rmtree(source)
    (root / "wheels").rmdir()


def _refuse_unpinned(ids: Path) -> None:
    """Every user of ours needs a number that is the same in every image."""
    ours = TREE / "images/overlay/usr/lib/sysusers.d/plaza.conf"
    wanted = {line.split()[1] for line in ours.read_text().splitlines() if line[:2] in ("u ", "g ")}
    pinned = {line.split()[1] for line in ids.read_text().splitlines() if line[:2] in ("u ", "g ")}
    if wanted - pinned:
        raise SystemExit(f"[image] no fixed number in {ids.name} for: {sorted(wanted - pinned)}")
