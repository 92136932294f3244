"""Running nftables commands: libnftables in this process, or the `nft` program by argv.

In process a change costs about a tenth of a millisecond; the program some milliseconds. Both apply
one text as one transaction.
"""

from __future__ import annotations

import importlib.util
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

DEBIAN_MODULE = Path("/usr/lib/python3/dist-packages/nftables/nftables.py")


@dataclass(frozen=True, slots=True)
class NftRefused:
    """Nothing of the text was applied."""

    detail: str


class NftRunner(Protocol):
    def run(self, commands: str) -> str | NftRefused:
        """Apply commands in one transaction; the text they print."""
        ...

    def listing(self, tables: Sequence[str]) -> str:
        """These tables as the kernel has them, without elements and counts; empty when one is missing."""
        ...


class LibNft:
    """libnftables through Debian's python3-nftables, which a virtual environment does not see."""

    def __init__(self, module: Path = DEBIAN_MODULE) -> None:
        """Raises OSError or ImportError where the package or the library is missing."""
        spec = importlib.util.spec_from_file_location("plaza_nftables", module)
        if spec is None or spec.loader is None or not module.is_file():
            raise ImportError(f"no python3-nftables at {module}")
        loaded: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        self._nft = loaded.Nftables()
        self._reader = loaded.Nftables()
        self._reader.set_terse_output(True)
        self._reader.set_stateless_output(True)
        self._lock = threading.Lock()

    def run(self, commands: str) -> str | NftRefused:
        with self._lock:
            code, output, error = self._nft.cmd(commands)
        return str(output) if code == 0 else NftRefused(_first_line(str(error)))

    def listing(self, tables: Sequence[str]) -> str:
        shown = []
        for table in tables:
            with self._lock:
                code, output, _ = self._reader.cmd(f"list table {table}")
            if code != 0:
                return ""
            shown.append(str(output))
        return "".join(shown)


class ArgvNft:
    """The `nft` program, for hosts without the Python package."""

    def __init__(self, program: str = "/usr/sbin/nft") -> None:
        self._program = program

    def run(self, commands: str) -> str | NftRefused:
        return self._run(commands)

    def listing(self, tables: Sequence[str]) -> str:
        shown = [self._run(f"list table {table}", "-t", "-s") for table in tables]
        return "" if any(isinstance(s, NftRefused) for s in shown) else "".join(map(str, shown))

    def _run(self, commands: str, *flags: str) -> str | NftRefused:
        try:
            done = subprocess.run(
                [self._program, *flags, "-f", "-"],
                input=commands,
                capture_output=True,
                text=True,
                timeout=10,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as e:
            return NftRefused(f"nft: {e}")
        return done.stdout if done.returncode == 0 else NftRefused(_first_line(done.stderr))


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[0][:200]


def best_runner() -> NftRunner:
    """In process where possible."""
    try:
        return LibNft()
    except (ImportError, OSError):
        return ArgvNft()
