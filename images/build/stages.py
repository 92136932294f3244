"""Stages with a cache: a stage is made again only when what it is made from has changed.

The key of a stage is the hash of its recipe's files, its words and the keys of the stages before it; it
is written last, so that a stage that was cut short is made again. Sizes and seconds go to the report.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def say(text: str) -> None:
    sys.stderr.write(f"[image] {text}\n")
    sys.stderr.flush()


def run(*argv: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run one program to its end and return what it said; on failure show its words and stop."""
    done = subprocess.run(argv, capture_output=True, text=True, env=env, cwd=cwd)
    if done.returncode != 0:
        sys.stderr.write(done.stdout[-3000:] + done.stderr[-6000:])
        raise SystemExit(f"[image] {argv[0]} failed with {done.returncode}: {' '.join(argv)[:300]}")
    return done.stdout


def digest(
    files: Iterable[str | Path] = (), words: Iterable[str] = (), *, tree: Path = TREE
) -> str:
    """One hash of these files of the tree (folders whole) and these words. FileNotFoundError."""
    total = hashlib.sha256()
    for word in words:
        total.update(word.encode() + b"\0")
    for name in files:
        for path in _walk(tree / name):
            total.update(f"{path.relative_to(tree)}\0{path.lstat().st_mode:o}\0".encode())
            total.update(str(path.readlink()).encode() if path.is_symlink() else path.read_bytes())
    return total.hexdigest()


def _walk(path: Path) -> list[Path]:
    if path.is_dir() and not path.is_symlink():
        found = (p for p in path.rglob("*") if "__pycache__" not in p.parts)
        return sorted(p for p in found if p.is_symlink() or p.is_file())
    return [path]


def size_of(path: Path) -> int:
    """Bytes of a file, or of everything below a folder (hard links counted once)."""
    if not path.is_dir():
        return path.stat().st_size
    return int(run("du", "-sx", "--block-size=1", str(path)).split()[0])


def write_anew(path: Path, text: str) -> None:
    """As a new file: a cache that was copied by hard links shares the old one."""
    path.unlink(missing_ok=True)
    path.write_text(text)


class Report:
    """What each stage took, kept from build to build, so that a cached stage keeps its own figures."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.figures: dict[str, dict[str, object]] = {}
        if path.is_file():
            self.figures = json.loads(path.read_text())

    def put(self, part: str, **figures: object) -> None:
        self.figures.setdefault(part, {}).update(figures)
        self._write()

    def drop(self, part: str) -> None:
        """Forget what is no longer there."""
        self.figures.pop(part, None)
        self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_anew(self._path, json.dumps(self.figures, indent=1, sort_keys=True) + "\n")


def stage(
    report: Report,
    name: str,
    folder: Path,
    key: str,
    make: Callable[[], object],
    what: Sequence[Path],
) -> bool:
    """Call `make` unless it already ended well for this key. True: it was made now."""
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / f"{name}.key"
    if mark.is_file() and mark.read_text() == key and all(p.exists() for p in what):
        since = datetime.fromtimestamp(mark.stat().st_mtime, UTC)
        say(f"{name:<8} unchanged since {since:%Y-%m-%d %H:%M}Z")
        made = folder / f"{name}.made.json"
        report.put(name, cached=True, **(json.loads(made.read_text()) if made.is_file() else {}))
        return False
    mark.unlink(missing_ok=True)
    say(f"{name:<8} being made ...")
    began = time.monotonic()
    make()
    mark.write_text(key)
    seconds = round(time.monotonic() - began, 1)
    sizes = {p.name: size_of(p) for p in what}
    shown = ", ".join(f"{n} {b / 1e6:.1f} MB" for n, b in sizes.items())
    say(f"{name:<8} made in {seconds:.0f} s: {shown}")
    # Beside the key: another board that finds this stage made tells the same figures.
    write_anew(folder / f"{name}.made.json", json.dumps({"seconds": seconds, "bytes": sizes}))
    report.put(name, seconds=seconds, bytes=sizes, cached=False)
    return True
