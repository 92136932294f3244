"""The wheelhouse: every Python package of the lock, as a wheel for the board's Python.

What has a published wheel is downloaded for the board (hashes checked by pip); the few that have none
are downloaded as source, checked the same way, and built inside a Debian 13 root of the board's kind.
"""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from pathlib import Path

from boards import Board
from roots import NO_DOCS, bootstrap, inside
from stages import TREE, run, say

PYTHON = "3.13"
LISTS = ("requirements/runtime.txt", "requirements/build.txt")
SOURCE_ONLY = ("evdev", "pyscard")
MACHINE = {"amd64": "x86_64", "arm64": "aarch64"}
BUILDER = ("python3-dev", "gcc", "libc6-dev", "pkg-config", "swig", "libpcsclite-dev")
BUILD = "from setuptools import build_meta; build_meta.build_wheel('/wheels')"


def make_wheels(folder: Path, board: Board, tools: Path, python: str, epoch: int) -> None:
    wheels, source = folder / "wheels", folder / "source"
    for path in (wheels, source):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    entries = [e for name in LISTS for e in _entries(TREE / name)]
    published, own = folder / "published.txt", folder / "source.txt"
    published.write_text("".join(e for e in entries if _name(e) not in SOURCE_ONLY))
    own.write_text("".join(e for e in entries if _name(e) in SOURCE_ONLY))
    pip = (python, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps")
    run(
        *pip, "--require-hashes", *platform_words(board.arch), "-d", str(wheels), "-r", str(published)
    )  # fmt: skip
    run(
        *pip, "--require-hashes", "--no-binary=:all:", "--no-build-isolation",
        "-d", str(source), "-r", str(own),
    )  # fmt: skip
    builder = tools
    if board.arch != "amd64":
        builder = folder / "builder"
        say("wheels   a root of the board's kind, to build what has no published wheel")
        bootstrap(builder, board.arch, BUILDER, without=NO_DOCS, epoch=epoch)
    _build(builder, wheels, source, epoch)
    if builder is not tools:
        shutil.rmtree(builder)


def platform_words(arch: str) -> list[str]:
    """pip's words for the Python of a board, whatever it runs on itself."""
    machine = MACHINE[arch]
    tags = [f"manylinux{tag}_{machine}" for tag in ("_2_39", "_2_34", "_2_28", "_2_17", "2014")]
    words = [word for tag in (*tags, f"linux_{machine}") for word in ("--platform", tag)]
    return ["--only-binary=:all:", "--python-version", PYTHON, *words]


def _build(builder: Path, wheels: Path, source: Path, epoch: int) -> None:
    """By the lock's own setuptools and no pip: an emulated one takes minutes to say that it is there."""
    for wheel in wheels.glob("setuptools-*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(source / "setuptools")
    binds = {wheels: "/wheels", source: "/source"}
    # In folders of one name and without debug words: a temporary folder's name would be in the result.
    for packed in sorted(source.glob("*.tar.gz")):
        inside(builder, "tar", "-xf", f"/source/{packed.name}", "-C", "/source", binds=binds)
        inside(
            builder, "env", f"--chdir=/source/{packed.name.removesuffix('.tar.gz')}", "CFLAGS=-g0",
            "PYTHONPATH=/source/setuptools", "python3", "-c", BUILD, binds=binds, epoch=epoch,
        )  # fmt: skip


def _entries(path: Path) -> list[str]:
    """The lock's requirements, each with its hashes."""
    text = "".join(line for line in path.read_text().splitlines(True) if line[:1] != "#")
    text = re.sub(r"^\s+#.*\n", "", text, flags=re.MULTILINE)
    return re.findall(r"^[A-Za-z0-9].*?(?<!\\)\n", text, flags=re.MULTILINE | re.DOTALL)


def _name(entry: str) -> str:
    return re.split(r"[=\s]", entry, maxsplit=1)[0].lower()


if __name__ == "__main__":
    from boards import BOARDS

    make_wheels(Path(sys.argv[1]), BOARDS[sys.argv[2]], Path(sys.argv[3]), sys.executable, 0)
