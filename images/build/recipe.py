"""What each stage of an image is made from, as its key: a stage is made anew when any of it changes.

Files are taken whole, and a stage's key holds the keys of those before it: sooner made once too often than
kept when it should not be. What Debian's mirrors hold is in no key: a base stays as it was on the day it was
made, which the build says each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from boards import BASES, NEVER, Board
from node import Release
from stages import TREE, digest
from wheels import LISTS

RECIPE = "images/build"
IDS = f"{RECIPE}/overlay/usr/lib/sysusers.d/00-plaza-ids.conf"
DEBIAN = (f"{RECIPE}/roots.py", f"{RECIPE}/in-root")


@dataclass(frozen=True, slots=True)
class RootKeys:
    """Keys of what boards of one base share."""

    tools: str
    base: str
    firmware: str
    wheels: str
    install: str


@dataclass(frozen=True, slots=True)
class ImageKeys:
    """Keys of what one board has for itself."""

    node: str
    rootfs: str
    boot: str
    disk: str
    bundle: str


def root_keys(board: Board, programs: Sequence[str], tree: Path = TREE) -> RootKeys:
    """`programs` are the files that a node is made of (`node.tree_files`)."""
    tools = digest((f"{RECIPE}/packages-tools.txt", *DEBIAN), tree=tree)
    packages = (f"{RECIPE}/packages-image.txt", "images/packages-node.txt")
    kind = BASES[board.base]
    base = digest((*packages, *DEBIAN), (repr(kind), *NEVER), tree=tree)
    firmware = digest(DEBIAN, tree=tree) if board.boot == "uboot" else ""
    wheels = digest((*LISTS, f"{RECIPE}/wheels.py"), (tools, board.arch), tree=tree)
    install = digest(
        (*programs, IDS, f"{RECIPE}/programs.py"), (tools, base, wheels, board.arch), tree=tree
    )
    return RootKeys(tools, base, firmware, wheels, install)


def image_keys(
    board: Board, before: RootKeys, release: Release, signer: tuple[str, str], level: int,
    tree: Path = TREE,
) -> ImageKeys:  # fmt: skip
    """`signer` are the texts of the keyring that a node trusts and of the certificate that signs."""
    keyring, certificate = signer
    own = [f for f in (f"{RECIPE}/overlay-{board.boot}",) if (tree / f).is_dir()]
    node = digest(
        (f"{RECIPE}/node.py", f"{RECIPE}/overlay", f"{RECIPE}/boot", *own),
        (before.install, repr(release), keyring, repr(board)),
        tree=tree,
    )
    rootfs = digest((f"{RECIPE}/squash.py",), (node, str(level)), tree=tree)
    boot = digest((f"{RECIPE}/slot.py", f"{RECIPE}/initrd"), (rootfs,), tree=tree)
    disk = digest((f"{RECIPE}/disk.py", f"{RECIPE}/uboot.py"), (boot, before.firmware), tree=tree)
    bundle = digest((f"{RECIPE}/bundle.py",), (boot, certificate), tree=tree)
    return ImageKeys(node, rootfs, boot, disk, bundle)
