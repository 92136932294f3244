"""RAUC behind a port: two slots, one runs, the other is written; a start loader counts tries.

Rule of this edge: RAUC is asked by argv and answers JSON; whatever it cannot do is a `RaucTrouble` with
its own words. Which slot runs is believed from RAUC; whether a version is good never is, that is ours.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

RAUC = "/usr/bin/rauc"
SHORT_S = 60
INSTALL_S = 3600
"""A slot on a slow card; a power cut is harmless, so patience costs nothing."""


@dataclass(frozen=True, slots=True)
class RaucTrouble:
    detail: str


@dataclass(frozen=True, slots=True)
class Slot:
    """`bootable` as the start loader sees it: a version in its trial is not, until it is marked good."""

    name: str
    bootname: str
    is_booted: bool
    bootable: bool
    version: str
    """Of the bundle that was written there, empty for the image that the card was flashed with."""


@dataclass(frozen=True, slots=True)
class Slots:
    compatible: str
    booted: Slot
    other: Slot


@dataclass(frozen=True, slots=True)
class BundleFile:
    """What a bundle says of itself once its signature fits."""

    compatible: str
    version: str


class Mark(StrEnum):
    GOOD = "good"
    BAD = "bad"
    ACTIVE = "active"
    """What starts next."""


class Rauc(Protocol):
    def status(self) -> Slots | RaucTrouble:
        """How the slots are."""

    def info(self, file: Path) -> BundleFile | RaucTrouble:
        """What a file is, if it is signed by a key that this image trusts."""

    def install(self, file: Path) -> RaucTrouble | None:
        """Write the slot that does not run and make it what starts next. Takes minutes."""

    def mark(self, mark: Mark, *, other: bool = False) -> RaucTrouble | None:
        """Tell the start loader about the slot that runs, or about the other one."""


class RaucCommand:
    """`conf` and `environment` are for a RAUC that is not the machine's own."""

    def __init__(
        self,
        program: str = RAUC,
        conf: Path | None = None,
        keyring: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._head = [program, *(["-c", str(conf)] if conf is not None else [])]
        self._keyring = [] if keyring is None else ["--keyring", str(keyring)]
        self._environment = environment

    def status(self) -> Slots | RaucTrouble:
        said = self._run(SHORT_S, "status", "--detailed", "--output-format=json")
        return said if isinstance(said, RaucTrouble) else parse_status(said)

    def info(self, file: Path) -> BundleFile | RaucTrouble:
        said = self._run(SHORT_S, *self._keyring, "info", "--output-format=json", str(file))
        return said if isinstance(said, RaucTrouble) else parse_info(said)

    def install(self, file: Path) -> RaucTrouble | None:
        said = self._run(INSTALL_S, "install", str(file))
        return said if isinstance(said, RaucTrouble) else None

    def mark(self, mark: Mark, *, other: bool = False) -> RaucTrouble | None:
        which = "other" if other else "booted"
        said = self._run(SHORT_S, "status", f"mark-{mark.value}", which)
        return said if isinstance(said, RaucTrouble) else None

    def _run(self, limit_s: float, *words: str) -> str | RaucTrouble:
        try:
            done = subprocess.run(
                [*self._head, *words], capture_output=True, text=True, errors="replace",
                timeout=limit_s, check=False, env=self._environment,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as e:
            return RaucTrouble(f"rauc {words[0]}: {e}")
        if done.returncode:
            return RaucTrouble(f"rauc {words[0]}: {_last_words(done.stderr) or done.returncode}")
        return done.stdout


def parse_status(text: str) -> Slots | RaucTrouble:
    """`rauc status --detailed --output-format=json` of a machine with two root slots."""
    try:
        document = json.loads(text)
        slots = [
            _slot(name, about) for entry in document["slots"] for name, about in entry.items()
            if about["class"] == "rootfs"
        ]  # fmt: skip
        compatible = str(document["compatible"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as e:
        return RaucTrouble(f"rauc status said what cannot be read: {e!r}")
    booted = [slot for slot in slots if slot.is_booted]
    others = [slot for slot in slots if not slot.is_booted]
    if len(booted) != 1 or len(others) != 1:
        return RaucTrouble(f"rauc status: {len(slots)} root slots, {len(booted)} of them running")
    return Slots(compatible, booted[0], others[0])


def parse_info(text: str) -> BundleFile | RaucTrouble:
    """`rauc info --output-format=json`, whose document is the last line that begins with a brace."""
    try:
        lines = [line for line in text.splitlines() if line.startswith("{")]
        document = json.loads(lines[-1])
        return BundleFile(str(document["compatible"]), str(document["version"]))
    except (ValueError, TypeError, KeyError, IndexError, RecursionError) as e:
        return RaucTrouble(f"rauc info said what cannot be read: {e!r}")


def _slot(name: str, about: Mapping[str, Any]) -> Slot:
    bundle = (about.get("slot_status") or {}).get("bundle") or {}
    return Slot(
        name,
        str(about["bootname"]),
        about["state"] == "booted",
        about.get("boot_status") == "good",
        str(bundle.get("version") or ""),
    )


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if "rror" in line or "ailed" in line]
    return (errors or lines or [""])[-1][:300]
