"""The node's root: a base with our programs in it, what only an image has; tidied."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from boards import Board
from roots import copy_plain, copy_root, inside, lay
from stages import HERE, TREE, run

NOT_IN_A_NODE = (
    "tests/",
    "docs/",
    ".ci/",
    ".github/",
    "images/vm/",
    "images/rig/",
    "images/build/",
)
# What a root made by apt holds and a read-only root never uses. Folders stay, as empty mount points.
EMPTIED = (
    "var/cache/apt", "var/cache/debconf", "var/cache/ldconfig", "var/log", "boot",
    "tmp", "run", "var/tmp", "root", "var/lib/plaza", "var/lib/systemd",
    "usr/lib/python3/dist-packages/__pycache__",
)  # fmt: skip
GONE = (
    "etc/apt", "etc/machine-id", "var/lib/dbus/machine-id", "etc/kernel", "etc/kernel-img.conf",
    "etc/initramfs-tools", "usr/share/initramfs-tools", "var/lib/initramfs-tools", "etc/hostname",
    "var/lib/systemd/catalog", "etc/resolv.conf", "usr/lib/apt", "var/lib/apt", "usr/share/perl",
    "usr/share/python-wheels", "var/lib/dpkg/status-old", "opt/plaza/venv/made-from.sha256",
    "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-",
)  # fmt: skip
# A root that nobody may write installs nothing.
INSTALLERS = (
    "pip",
    "pip-*",
    "setuptools",
    "setuptools-*",
    "wheel",
    "wheel-*",
    "_distutils_hack",
    "distutils-*.pth",
)
MOUNT_POINTS = (
    "data",
    "boot/plaza",
    "proc",
    "sys",
    "dev",
    "etc/systemd/network",
    "etc/NetworkManager/system-connections",
)
MASKED = (
    "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer",
    "e2scrub_reap.service", "fstrim.timer", "getty@tty1.service", "serial-getty@.service",
    "autovt@.service", "systemd-networkd-wait-online.service", "NetworkManager-wait-online.service",
    "hostapd.service", "dnsdist.service", "systemd-firstboot.service", "systemd-binfmt.service",
    "proc-sys-fs-binfmt_misc.automount", "ldconfig.service", "systemd-hwdb-update.service",
    "systemd-journal-catalog-update.service", "systemd-sysusers.service",
    "systemd-update-done.service", "ssh.socket", "sshd-keygen.service", "grub-common.service",
    "systemd-homed.service", "alsa-state.service",
    "alsa-restore.service", "rauc-mark-good.service", "nftables.service", "console-setup.service",
    "keyboard-setup.service",
)  # fmt: skip
ENABLED = (
    "systemd-networkd.service", "systemd-resolved.service", "systemd-timesyncd.service",
    "plaza-keep-log.timer", "plaza-zram.service", "plaza-rest.timer", "ModemManager.service", "rauc.service",
    "NetworkManager.service", "ssh.service",
)  # fmt: skip


@dataclass(frozen=True)
class Release:
    """Which build this is; `epoch` is the commit's time, the only time that enters the image."""

    version: str
    commit: str
    epoch: int
    built: str


def tree_files() -> list[str]:
    """What a node is made of: every file of the source tree but tests, docs and the recipe itself."""
    listed = run("git", "-C", str(TREE), "ls-files", "-co", "--exclude-standard")
    names = sorted(set(listed.splitlines()))
    there = (n for n in names if (TREE / n).is_file() or (TREE / n).is_symlink())
    return [n for n in there if not n.startswith(NOT_IN_A_NODE)]


def make_node(
    root: Path, installed: Path, tools: Path, board: Board, release: Release, keyring: Path
) -> None:
    copy_root(installed, root)
    for name in ("overlay", f"overlay-{board.boot}"):
        lay(HERE / name, root)
    (root / "etc/rauc").mkdir(exist_ok=True)
    copy_plain(HERE / "boot" / f"system-{board.boot}.conf", root / "etc/rauc/system.conf")
    _fill(root / "etc/rauc/system.conf", {"@COMPATIBLE@": board.compatible})
    (root / "etc/rauc/keyring.pem").write_bytes(keyring.read_bytes())
    inside(root, "systemctl", "mask", "-q", *MASKED)
    inside(root, "systemctl", "enable", "-q", *ENABLED)
    inside(root, "systemctl", "set-default", "-q", "multi-user.target")
    _tidy(root, release.epoch)
    _compile(root, tools, release.epoch)
    describe(root, board, release)


def _tidy(root: Path, epoch: int) -> None:
    for name in GONE:
        path = root / name
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(
            missing_ok=True
        )
    for path in (root / "etc/ssh").glob("ssh_host_*"):
        path.unlink()
    # Device trees are on the boot partition; the packages bring those of every board there is, twice.
    for path in [*root.glob("usr/lib/linux-image-*"), *root.glob("usr/lib/modules/*/dtb")]:
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
    for name in EMPTIED:
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in MOUNT_POINTS:
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    (root / "var/tmp").chmod(0o1777)
    (root / "root").chmod(0o700)
    (root / "etc/machine-id").write_text("")
    (root / "etc/hostname").write_text("plaza\n")
    (root / "etc/resolv.conf").symlink_to("../run/systemd/resolve/stub-resolv.conf")
    _disarm(root)
    _forget_when(root, epoch)
    site = root / "opt/plaza/venv/lib/python3.13/site-packages"
    for name in INSTALLERS:
        for path in site.glob(name):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in ("kivy/tests", "kivy/include", "kivy/tools", "share/kivy-examples"):
        shutil.rmtree(site / name, ignore_errors=True)
    shutil.rmtree(root / "opt/plaza/venv/share/kivy-examples", ignore_errors=True)


def _disarm(root: Path) -> None:
    """Nobody but root logs in: what makes others root loses that right (D-Bus's helper keeps it)."""
    for folder in ("usr/bin", "usr/sbin", "usr/lib"):
        for path in (root / folder).rglob("*"):
            mode = path.lstat().st_mode
            if (
                stat.S_ISREG(mode)
                and mode & stat.S_ISUID
                and path.name != "dbus-daemon-launch-helper"
            ):
                path.chmod(stat.S_IMODE(mode) & ~stat.S_ISUID)


def _forget_when(root: Path, epoch: int) -> None:
    """What tells the day or the folder of a build: dates of accounts, where our wheel was built."""
    shadow = root / "etc/shadow"
    lines = [line.split(":") for line in shadow.read_text().splitlines()]
    days = str(epoch // 86400)
    shadow.write_text(
        "".join(":".join([n, p, days if d else "", *rest]) + "\n" for n, p, d, *rest in lines)
    )
    for origin in root.glob(
        "opt/plaza/venv/lib/python3.13/site-packages/plaza-*.dist-info/direct_url.json"
    ):
        origin.unlink()
        record = origin.with_name("RECORD")
        kept = (r for r in record.read_text().splitlines(True) if "/direct_url.json," not in r)
        record.write_text("".join(kept))


def _compile(root: Path, tools: Path, epoch: int) -> None:
    """Byte code that does not depend on file times, so that a read-only root starts fast and repeats.

    One after the other: what a module becomes can depend on those that the same process compiled before.

    By the builder's own Python: it is the same version, and an emulated one takes ten times as long.
    """
    for cache in sorted(root.rglob("__pycache__")):
        shutil.rmtree(cache)
    folders = ("usr/lib/python3.13", "usr/lib/python3/dist-packages", "opt/plaza/venv/lib")
    inside(
        tools, "/usr/bin/python3", "-m", "compileall", "-q", "-s", "/input",
        "--invalidation-mode", "unchecked-hash", *(f"/input/{f}" for f in folders),
        binds={root: "/input"}, epoch=epoch,
    )  # fmt: skip


def describe(root: Path, board: Board, release: Release) -> None:
    """`/usr/lib/plaza/image.json`: what a running node says about the image it was started from."""
    packages = run(
        "dpkg-query", f"--admindir={root / 'var/lib/dpkg'}", "-W", "-f=${Package}=${Version}\\n"
    )
    found = {
        "version": release.version,
        "board": board.name,
        "commit": release.commit,
        "built": release.built,
        "packages_sha256": hashlib.sha256(
            "".join(sorted(packages.splitlines(True))).encode()
        ).hexdigest(),
        "ledger_schema": ledger_schema(),
    }
    path = root / "usr/lib/plaza/image.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n")


def ledger_schema() -> int:
    for line in (TREE / "sync/database.py").read_text().splitlines():
        if line.startswith("SCHEMA_VERSION = "):
            return int(line.split("=")[1])
    raise SystemExit("[image] sync/database.py names no SCHEMA_VERSION")


def _fill(path: Path, words: dict[str, str]) -> None:
    text = path.read_text()
    for mark, value in words.items():
        text = text.replace(mark, value)
    path.write_text(text)


def kernel_of(root: Path) -> str:
    versions = sorted(p.name for p in (root / "usr/lib/modules").iterdir())
    assert len(versions) == 1, f"one kernel is wanted, found {versions}"
    return versions[0]
