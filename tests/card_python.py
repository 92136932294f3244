#!/usr/bin/env python3
"""Runs the unit tests with the Python of the card, in the root that `make image BOARD=vm-amd64` left.

    tests/card_python.py [--root build/image/vm-amd64/root] [TESTS...]

The card's own interpreter and wheels, this tree's programs. The root is not touched: what is written goes to
memory, in a mount namespace of its own. Needs root. What the card has no use for (a browser, zbar, git) is
left out. Exit: pytest's.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TREE = Path(__file__).parents[1]
HOME = TREE / "build/card-python"
TOOLS = (
    "alembic", "attrs", "babel", "hypothesis", "iniconfig", "jsonschema", "jsonschema-specifications",
    "packaging", "pluggy", "prometheus-client", "pygments", "pymodbus", "pytest", "pytest-timeout",
    "pyyaml", "pyzbar", "referencing", "rpds-py", "selenium", "sortedcontainers",
)  # fmt: skip
"""What the tests need beside the programs, at the versions and hashes of requirements/dev.txt."""
LEFT_OUT = (
    "captive_portal_qr", "hardware_escpos_differential", "hardware_virtual_paper",  # zbar
    "sync_former_software",  # git
)  # fmt: skip
INSIDE = """
mount -t tmpfs tmpfs "$2"; mkdir "$2/up" "$2/work" "$2/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/up,workdir=$2/work" "$2/root"
tree="$3" tools="$4"; cd "$2/root"; shift 4
mount -t proc proc proc; mount --rbind /dev dev; mount -t sysfs -o ro sysfs sys; mount -t tmpfs tmpfs tmp
mkdir -p tree tools; mount --bind -o ro "$tree" tree; mount --bind -o ro "$tools" tools
exec chroot . /usr/bin/env --chdir=/tree PYTHONPATH=/tree:/tools PYTHONPYCACHEPREFIX=/tmp/pyc HOME=/tmp \
  LC_ALL=C.UTF-8 HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis /opt/plaza/venv/bin/python -P -m pytest "$@"
"""


def pinned(names: Sequence[str]) -> str:
    """The blocks of these packages in the lock file."""
    blocks = re.split(r"\n(?=[a-z])", (TREE / "requirements/dev.txt").read_text())
    found = {block.partition("==")[0]: block for block in blocks}
    return "\n".join(found[name] for name in names) + "\n"


def fetch_tools(python: str) -> Path:
    """Wheels for the card's Python, unpacked; nothing where they are there already."""
    tools, wanted = HOME / "tools", HOME / "tools.txt"
    text = f"# {python}\n{pinned(TOOLS)}"
    if wanted.exists() and wanted.read_text() == text:
        return tools
    HOME.mkdir(parents=True, exist_ok=True)
    listed = HOME / "wanted.txt"
    listed.write_text(text)
    words = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps",
             "--require-hashes", "--only-binary=:all:", "--upgrade", "--target", str(tools),
             "--python-version", python, "--implementation", "cp", "-r", str(listed)]  # fmt: skip
    words += [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    words += [
        f"--platform={p}_x86_64" for p in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
    ]
    subprocess.run(words, check=True)
    listed.replace(wanted)
    return tools


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=TREE / "build/image/vm-amd64/root")
    parser.add_argument("tests", nargs="*", default=["tests/unit"])
    options = parser.parse_args()
    pythons = sorted((options.root / "opt/plaza/venv/lib").glob("python3.*"))
    if not pythons:
        parser.error(f"{options.root} is no root of a card: make image BOARD=vm-amd64")
    tools = fetch_tools(pythons[-1].name.removeprefix("python"))
    work = HOME / "work"
    work.mkdir(exist_ok=True)
    words = ["-q", "-p", "no:cacheprovider", "--timeout", "600"]
    # pyscard made with SWIG 4.3 ends in a segmentation fault where this warning is an error, as it is in
    # our tests and nowhere on a node (swig/swig#3061).
    words += ["-W", "ignore:builtin type:DeprecationWarning"]
    words += [
        "-m",
        "not browser and not network and not hw",
        "-k",
        "not camera_reads and not made_of_links",
    ]
    words += [f"--ignore=tests/unit/test_{name}.py" for name in LEFT_OUT]
    places = [str(p.absolute()) for p in (options.root, work, TREE, tools)]
    inside = ["unshare", "--mount", "sh", "-euc", INSIDE, "sh", *places, *words, *options.tests]
    return subprocess.run(inside, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
