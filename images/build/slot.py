"""The slot's folder of the boot partition: the kernel, the initrd made by hand, what the loader must say."""

from __future__ import annotations

import gzip
import io
import lzma
import re
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from boards import Board
from node import kernel_of
from roots import inside
from stages import HERE, run

DISK_SIGNATURE = "504c5a41"
INITRD_PROGRAMS = (
    "usr/bin/busybox", "usr/sbin/veritysetup", "usr/sbin/e2fsck", "usr/sbin/mke2fs", "usr/sbin/tune2fs",
)  # fmt: skip
PI_CHIPS = ("bcm2837", "bcm2711", "bcm2712")
# What the firmware asks for where the kernel has another name.
FIRMWARE_NAMES = {
    "bcm2711-rpi-cm4.dtb": "bcm2711-rpi-cm4-io.dtb",
    "bcm2712d0-rpi-5-b.dtb": "bcm2712-d-rpi-5-b.dtb",
}
# Only signed modules, no way into the kernel's memory, for root either.
HARDENED = "lockdown=integrity"
# For pages of 2 MiB the kernel keeps a twentieth of the memory free at all times (not below 512 MB).
SMALL = "transparent_hugepage=never"
APPLETS = (
    "sh", "mount", "umount", "cat", "echo", "sleep", "dd", "hexdump", "insmod", "mkdir", "switch_root",
    "reboot", "sync", "tr", "wc", "mv", "chmod", "touch", "grep", "printf", "blockdev", "ls", "dmesg",
)  # fmt: skip


def make_boot_files(out: Path, root: Path, base: Path, board: Board, tools: Path) -> None:
    """The slot's folder: kernel, initrd, device trees, and `slot.env` that GRUB and U-Boot read."""
    folder = out / "boot"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    version = kernel_of(root)
    _kernel(base / f"boot/vmlinuz-{version}", folder / "vmlinuz")
    (out / "initrd.cpio").write_bytes(initrd(root, board, version))
    inside(
        tools, "zstd", "-q", "-19", "-T1", "-f", "/output/initrd.cpio", "-o", "/output/boot/initrd.img",
        binds={out: "/output"},
    )  # fmt: skip
    (out / "initrd.cpio").unlink()
    words = (
        f"plaza.disk={DISK_SIGNATURE} ro panic=15 net.ifnames=0 {HARDENED} {SMALL} quiet"
        f" {board.console}"
    )
    slot = (out / "verity.env").read_text()
    (folder / "slot.env").write_text(slot + f'cmdline="{words}"\n')
    if board.boot == "uboot":
        # U-Boot's variables are plain text, quotes would be part of them.
        (folder / "slot.env").write_text(slot + f"cmdline={words}\n")
    if board.name == "pi":
        for name, original in device_trees(base, version).items():
            shutil.copy(original, folder / name)


def device_trees(base: Path, version: str) -> dict[str, Path]:
    """The kernel's device trees of our boards, also under the names that the firmware asks for."""
    top = base / f"usr/lib/linux-image-{version}/broadcom"
    found = {p.name: p for p in sorted(top.glob("bcm*.dtb")) if p.name.startswith(PI_CHIPS)}
    for asked, ours in FIRMWARE_NAMES.items():
        if ours in found:
            found.setdefault(asked, found[ours])
    return found


def _kernel(packed: Path, plain: Path) -> None:
    """U-Boot's `booti` and the firmware want a plain kernel; Debian's may be gzipped."""
    raw = packed.read_bytes()
    plain.write_bytes(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)


def initrd(root: Path, board: Board, version: str) -> bytes:
    """A cpio archive, the same bytes for the same root: our `init`, five programs, the modules in order."""
    entries: dict[str, tuple[int, bytes]] = {}
    for name in (
        "bin",
        "sbin",
        "dev",
        "proc",
        "sys",
        "run",
        "root",
        "lib",
        "lib64",
        "etc",
        "modules",
    ):
        entries[name] = (stat.S_IFDIR | 0o755, b"")
    entries["init"] = (stat.S_IFREG | 0o755, (HERE / "initrd/init").read_bytes())
    entries["etc/mke2fs.conf"] = (stat.S_IFREG | 0o644, (root / "etc/mke2fs.conf").read_bytes())
    entries["choose"] = (stat.S_IFREG | 0o644, (HERE / "initrd/choose").read_bytes())
    programs: tuple[str, ...] = INITRD_PROGRAMS
    if board.name == "pi":
        programs += ("usr/bin/fw_printenv", "usr/bin/fw_setenv")
        entries["etc/fw_env.config"] = (stat.S_IFREG | 0o644, b"/boot/slots.env 0x0000 0x200\n")
    for program in programs:
        entries[f"sbin/{Path(program).name}"] = (
            stat.S_IFREG | 0o755,
            (root / program).read_bytes(),
        )
    for applet in APPLETS:
        entries[f"bin/{applet}"] = (stat.S_IFLNK | 0o777, b"/sbin/busybox")
    entries["sbin/e2label"] = (stat.S_IFLNK | 0o777, b"tune2fs")
    for guest, path in _libraries(root, programs):
        for above in reversed(Path(guest).parents):
            entries.setdefault(str(above).strip("/"), (stat.S_IFDIR | 0o755, b""))
        entries[guest.strip("/")] = (stat.S_IFREG | 0o755, path.read_bytes())
    entries.pop("", None)
    entries.pop(".", None)
    order = []
    for module in _modules(root, board, version):
        plain = module.name.removesuffix(".xz")
        order.append(f"/modules/{plain}")
        entries[f"modules/{plain}"] = (stat.S_IFREG | 0o644, _unpacked(module))
    entries["modules.order"] = (stat.S_IFREG | 0o644, ("\n".join(order) + "\n").encode())
    return _cpio(sorted(entries.items()))


def _unpacked(module: Path) -> bytes:
    if module.suffix == ".xz":
        return lzma.decompress(module.read_bytes())
    return module.read_bytes()


def _modules(root: Path, board: Board, version: str) -> Iterable[Path]:
    """The files of the modules wanted and of what they need, each after what it needs."""
    top = root / "usr/lib/modules" / version
    needs: dict[str, list[str]] = {}
    for line in (top / "modules.dep").read_text().splitlines():
        name, _, others = line.partition(":")
        needs[name] = others.split()
    by_name = {_module_name(n): n for n in needs}
    built_in = {_module_name(n) for n in (top / "modules.builtin").read_text().splitlines()}
    unknown = [m for m in board.initrd_modules if m not in by_name and m not in built_in]
    if unknown:
        raise SystemExit(f"[image] kernel {version} has no {' '.join(unknown)}")
    done: dict[str, None] = {}
    for wanted in board.initrd_modules:
        if wanted in by_name:
            for name in (*reversed(needs[by_name[wanted]]), by_name[wanted]):
                done.setdefault(name)
    return [top / name for name in done]


def _module_name(file: str) -> str:
    return Path(file).name.split(".")[0].replace("-", "_")


def _libraries(root: Path, programs: Iterable[str]) -> list[tuple[str, Path]]:
    """Shared libraries of the initrd's programs, with the loader, by what their files say they need."""
    found: dict[str, Path] = {}
    left = [root / p for p in programs]
    folders = [
        p for top in ("usr/lib",) for p in sorted((root / top).glob("*-linux-gnu*")) if p.is_dir()
    ]
    while left:
        path = left.pop()
        said = run("readelf", "-d", "-l", str(path))
        loader = re.search(r"interpreter: ([^\]]+)\]", said)
        if loader:
            found[loader[1]] = root / "usr" / loader[1].lstrip("/")
        for name in re.findall(r"NEEDED.*\[([^\]]+)\]", said):
            where = next((f / name for f in folders if (f / name).exists()), None)
            guest = f"/lib/{folders[0].name}/{name}"
            if where is not None and guest not in found:
                found[guest] = where.resolve() if not where.is_symlink() else where
                left.append(where)
    return sorted(found.items())


def _cpio(entries: Iterable[tuple[str, tuple[int, bytes]]]) -> bytes:
    """The `newc` format that the kernel unpacks; no times, no owners, numbered in order."""
    out = io.BytesIO()
    everything = [*entries, ("TRAILER!!!", (0, b""))]
    for number, (name, (mode, data)) in enumerate(everything, 1):
        raw = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(raw), 0)
        out.write(b"070701" + b"".join(b"%08X" % f for f in fields) + raw)
        out.write(b"\0" * (-out.tell() % 4) + data)
        out.write(b"\0" * (-out.tell() % 4))
    return out.getvalue()
