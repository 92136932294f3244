"""The virtual node that images/vm/build.py makes, and the jobs it is given.

A job is a `main.py` with what lies beside it. It reaches the node as a tar on the second disk and runs
there as root with the node's own Python; each of its steps writes one line of JSON, which comes out of the
second serial port. Nothing that the node writes to its disk is kept, and it has no network card.
"""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from rig.guest import agent_disk
from rig.machine import Disk, Machine, Spec

WORDS = "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet systemd.show_status=0 mitigations=off"


def steps_of(main: Path) -> list[str]:
    """The names in `STEPS`, in their order, read without importing what only the guest has."""
    for node in ast.parse(main.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "STEPS":
            return [str(name) for name in ast.unparse(node.value).strip("[]").split(", ")]
    raise ValueError(f"{main} has no STEPS")


@dataclass(frozen=True, slots=True)
class Report:
    """What a job said: its lines by the name of their step, or else by their first word."""

    lines: dict[str, dict[str, Any]]

    def expect(self, step: str) -> None:
        """AssertionError with what the step said, unless it ended well."""
        line = self.lines.get(step, {"ok": False, "error": "was not reached"})
        assert line["ok"], f"{line.get('error')}\n{line.get('where', '')}"

    @property
    def ended(self) -> bool:
        """The job came to its own end, and that was a good one."""
        return self.lines.get("end", {}).get("end") == 0


@dataclass(frozen=True, slots=True)
class VirtualNode:
    """`folder` holds what images/vm/build.py left there: the disk, its kernel and initrd, the wheels."""

    folder: Path

    def spec(self, job: Disk, *more: Disk, memory_mib: int = 1024) -> Spec:
        """The machine with a job on its second disk."""
        disks = (Disk(self.folder / "disk.ext4", keep=False), job, *more)
        kernel, initrd = self.folder / "vmlinuz", self.folder / "initrd.img"
        return Spec(disks, kernel=kernel, initrd=initrd, words=WORDS, memory_mib=memory_mib)

    @contextmanager
    def begin(self, name: str, files: Sequence[Path], *, memory_mib: int = 1536) -> Iterator[Job]:
        """Start the machine with these files and folders; the console and the lines stay in `name`.

        At the end the machine is off.
        """
        work = self.folder / name
        work.mkdir(exist_ok=True)
        spec = self.spec(agent_disk(files, work / "job.tar"), memory_mib=memory_mib)
        with (
            (work / "told.ndjson").open("w+b", buffering=0) as told,
            Machine(spec, work) as machine,
        ):
            yield Job(machine, told)

    def run(
        self, name: str, files: Sequence[Path], *, memory_mib: int = 1536, limit_s: float = 1500
    ) -> Report:
        """One job from its beginning to its end. AssertionError if it did not even start."""
        with self.begin(name, files, memory_mib=memory_mib) as job:
            return job.report(limit_s)


class Job:
    """A job under way in a machine of its own, which says its lines into `told`."""

    def __init__(self, machine: Machine, told: BinaryIO) -> None:
        self._machine, self._told = machine, told
        self._heard_s = 0.0
        machine.ports["control"].on_data = self._hear

    def _hear(self, data: bytes) -> None:
        self._heard_s = self._machine.seconds
        self._told.write(data)

    def report(self, limit_s: float) -> Report:
        """Once the machine switched itself off, or after this long. AssertionError if it did not start."""
        with suppress(subprocess.TimeoutExpired):
            self._machine.wait_off(limit_s)
        self._machine.cut()
        self._told.write(b'\n{"host_s": %.1f}\n' % self._heard_s)
        self._told.seek(0)
        told = dict(filter(None, map(_named, self._told)))
        console = self._machine.console[-2000:]
        assert "booted_s" in told, f"it did not start; its console: {console}"
        return Report(told)


def _named(raw: bytes) -> tuple[str, dict[str, Any]] | None:
    """A line with its name; None for what is none, such as one that the end cut short."""
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(line, dict) or not line:
        return None
    return line.get("step") or next(iter(line)), line
