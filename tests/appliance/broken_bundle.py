"""A bundle that is signed and whole, and whose version cannot start: `broken_bundle.py IMAGES VERSION`.

Everything is taken from the last bundle that was built there but the kernel, which is noise. It is
signed with the demonstration key of the build, as every bundle that is made without a city's key.
"""

from __future__ import annotations

import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path

BUILD = Path(__file__).parents[2] / "images/build"
sys.path.insert(0, str(BUILD))


def main(images: Path, version: str) -> None:
    import bundle
    import keys
    import make
    from boards import BOARDS

    built, out = images / "vm-amd64", images / "broken-amd64"
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(built / "boot", out / "boot")
    (out / "rootfs.img").hardlink_to(built / "rootfs.img")
    (out / "boot/vmlinuz").write_bytes(random.Random(version).randbytes(1 << 20))
    tools = images / "tools/root"
    release = replace(make.release(version), version=version)
    path = bundle.make_bundle(
        out, BOARDS["vm-amd64"], release, keys.signer(images / "keys", tools), tools
    )
    print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2])
