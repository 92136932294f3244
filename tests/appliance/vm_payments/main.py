"""In the virtual node without an image: a data partition of its own, and people who pay on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DATA = Path("/data")
OPTIONS = "noatime,commit=5,data=ordered"
"""As the image mounts its data partition."""


def run(*argv: str) -> None:
    subprocess.run(argv, check=True)


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    run("mount", "-t", "ext4", "-o", OPTIONS, "/dev/vdc", str(DATA))
    if not (DATA / "plaza").exists():
        run("cp", "-a", "/var/lib/plaza", str(DATA / "plaza"))
        run("sync")
    payments = Path(__file__).parent / "payments.py"
    words = ("--data", str(DATA / "plaza"), "--tell", "/dev/ttyS1", "--tag", "vm")
    sys.exit(subprocess.run([sys.executable, "-P", str(payments), *words]).returncode)
