"""The root of a slot: squashfs with its verity tree behind it, one file that is written to a partition."""

from __future__ import annotations

import re
from pathlib import Path

from roots import inside

# Not secret: it makes equal roots equal. What verity protects is the hash, which is on the boot partition.
SALT = "706c617a61" * 4


def make_root_image(out: Path, root: Path, tools: Path, epoch: int, level: int) -> None:
    """`rootfs.img` and what the boot loader must know of it: `verity.env`."""
    for name in ("rootfs.img", "verity.env"):
        (out / name).unlink(missing_ok=True)
    binds = {root: "/input", out: "/output"}
    # One time for every file: those of a tree that was checked out earlier would differ from another's.
    inside(
        tools, "env", "-u", "SOURCE_DATE_EPOCH", "mksquashfs", "/input", "/output/rootfs.img",
        "-comp", "zstd", "-Xcompression-level", str(level), "-b", "256K", "-noappend",
        "-mkfs-time", str(epoch), "-all-time", str(epoch), "-no-progress", "-no-exports", "-xattrs", "-quiet",
        binds=binds,
    )  # fmt: skip
    image = out / "rootfs.img"
    start = -(-image.stat().st_size // 4096) * 4096
    said = inside(
        tools, "veritysetup", "format", "/output/rootfs.img", "/output/rootfs.img", "--hash=sha256",
        f"--hash-offset={start}", f"--data-blocks={start // 4096}", f"--salt={SALT}",
        "--uuid=706c617a-6100-4000-8000-000000000000", binds=binds,
    )  # fmt: skip
    found = re.search(r"Root hash:\s+([0-9a-f]{64})", said)
    assert found is not None, said
    (out / "verity.env").write_text(f"roothash={found[1]}\nhashstart={start}\n")
