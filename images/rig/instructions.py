"""How many instructions a machine executed: a figure that a busy host does not change.

A plugin of QEMU adds them up in a file. The machine must have one processor (`Spec.paced`), for the sum is
not atomic.
"""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


@dataclass(frozen=True, slots=True)
class Instructions:
    """`extra` goes to the machine's command line; `read` may be asked at any time."""

    plugin: Path
    file: Path

    @property
    def extra(self) -> tuple[str, ...]:
        return ("-plugin", f"{self.plugin},count={self.file}")

    def read(self) -> int:
        return int(struct.unpack("<Q", self.file.read_bytes())[0])


def count_instructions(folder: Path) -> Instructions:
    """A new count, at nought. subprocess.CalledProcessError or OSError where it cannot be compiled."""
    plugin, file = folder / "instructions.so", folder / "instructions.count"
    words = ["gcc", "-shared", "-fPIC", "-O2", "-o", str(plugin), str(SOURCE)]
    subprocess.run(words, check=True, capture_output=True, timeout=60)
    file.write_bytes(bytes(8))
    return Instructions(plugin, file)
