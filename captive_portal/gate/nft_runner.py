"""Running nftables commands: libnftables in this process, or the `nft` program by argv.

In process a change costs about a tenth of a millisecond; the program some milliseconds. Both apply
one text as one transaction.
"""

from __future__ import annotations

import importlib.util
import subprocess
import threading
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
        self._lock = threading.Lock()

    def run(self, commands: str) -> str | NftRefused:
        with self._lock:
            code, output, error = self._nft.cmd(commands)
        return str(output) if code == 0 else NftRefused(_first_line(str(error)))


class ArgvNft:
    """The `nft` program, for hosts without the Python package."""

    def __init__(self, program: str = "/usr/sbin/nft") -> None:
        self._program = program

    def run(self, commands: str) -> str | NftRefused:
        try:
            done = subprocess.run(
                [self._program, "-f", "-"],
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
