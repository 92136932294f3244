"""A signed update: one file that RAUC installs from the network or from a stick."""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
from pathlib import Path

from boards import Board
from keys import Signer
from node import Release
from roots import inside
from stages import HERE

MANIFEST = """\
[update]
compatible={compatible}
version={version}
description=Plaza for {board}
build={built}

[bundle]
format=verity

[hooks]
filename=hook

[image.rootfs]
filename=rootfs.img
hooks=post-install
adaptive=block-hash-index
"""


def make_bundle(out: Path, board: Board, release: Release, signer: Signer, tools: Path) -> Path:
    """`plaza-<board>-<version>.raucb`: root, boot files, hook; signed."""
    work = out / "bundle"
    shutil.rmtree(work, ignore_errors=True)
    content = work / "content"
    content.mkdir(parents=True)
    (content / "rootfs.img").hardlink_to(out / "rootfs.img")
    (content / "boot.tar").write_bytes(boot_tar(out / "boot", release.epoch))
    shutil.copy(HERE / "boot/hook", content / "hook")
    (content / "hook").chmod(0o755)
    (content / "manifest.raucm").write_text(
        MANIFEST.format(
            compatible=board.compatible,
            version=release.version,
            board=board.name,
            built=release.built,
        )
    )
    name = f"plaza-{board.name}-{release.version}.raucb"
    keys = work / "keys"
    keys.mkdir(mode=0o700)
    shutil.copy(signer.key, keys / "key.pem")
    shutil.copy(signer.certificate, keys / "cert.pem")
    try:
        inside(
            tools, "rauc", "bundle", "--key=/work/keys/key.pem", "--cert=/work/keys/cert.pem",
            "--mksquashfs-args=-comp zstd -Xcompression-level 1 -no-progress -quiet",
            "/work/content", f"/work/{name}", binds={work: "/work"}, epoch=release.epoch,
        )  # fmt: skip
        shutil.move(work / name, out / name)
    finally:
        shutil.rmtree(work)
    return out / name


def boot_tar(folder: Path, epoch: int) -> bytes:
    """The slot's boot files with their sums, the same bytes for the same files."""
    files = {
        str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items())
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in [*files.items(), ("SHA256SUMS", sums.encode())]:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(data), epoch, 0o644
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()
