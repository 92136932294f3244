#!/usr/bin/env python3
"""Prints the figures of the images that were built, beside their goals and what others publish.

    images/build/figures.py [--out build/image] [--proof build/proof]

Sizes and seconds are those that the builds wrote to report.json (a stage that was taken from the cache keeps
the seconds of the time it was made); what a virtual machine took is what `make test-appliance` left.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from boards import BOARDS
from stages import TREE

GOALS = (("every profile", 700_000_000), ("a portal alone", 450_000_000))
RESIDENT_MB = {"portal": 200}
MB = (1 << 20) / 1e6
RELEASE_LEVEL = 19
COLD = ("tools", "base", "firmware", "wheels", "install", "node", "rootfs", "boot", "disk")
# By Raspberry Pi Imager's own list of images (os_list_imagingutility_v4.json) as it was in November 2024.
PEERS = (
    ("Raspberry Pi OS Lite, 64-bit (2024-10-22)", "459 MB .img.xz, 2,865 MB unpacked"),
    ("Home Assistant OS 13.2, Pi 4 (2024-10-15)", "285 MB .img.xz, 2,147 MB unpacked"),
    ("Home Assistant OS 13.2, Pi 5 (2024-10-15)", "292 MB .img.xz, 2,147 MB unpacked"),
    ("OctoPi 1.0.0, OctoPrint 1.10.3 (2024-11-05)", "1,087 MB .zip, 2,907 MB unpacked"),
    ("nymea:kiosk (2024-10-29)", "1,010 MB .zip, 3,813 MB unpacked"),
    ("FullPageOS 0.13.0 (2022-03-07)", "922 MB .zip, 3,269 MB unpacked"),
)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=TREE / "build/image")
    parser.add_argument("--proof", type=Path, default=TREE / "build/proof")
    options = parser.parse_args(argv)
    found = False
    for board in sorted(BOARDS):
        report = options.out / board / "report.json"
        if report.is_file():
            found = True
            sys.stdout.writelines(
                f"{line}\n" for line in table(board, json.loads(report.read_text()))
            )
    if not found:
        sys.stdout.write(f"no image in {options.out}: make image BOARD=...\n")
        return 1
    for path in sorted(options.proof.glob("figures*.json")):
        sys.stdout.write(f"\nIn a virtual machine ({path.name})\n")
        document = json.loads(path.read_text())
        sys.stdout.writelines(f"  {line}\n" for line in resident(document))
        for name, value in flat(document):
            text = str(value).strip().replace("\n", "\n" + " " * 47)
            sys.stdout.write(f"  {name:<44} {text}\n")
    sys.stdout.write("\nPublished by others, in Raspberry Pi Imager's list of November 2024\n")
    sys.stdout.writelines(f"  {name:<44} {size}\n" for name, size in PEERS)
    return 0


def table(board: str, report: dict[str, Any]) -> Iterable[str]:
    """What one board's image weighs and how long it took."""
    yield f"\n{board} {report.get('image', {}).get('version', '')}"
    cold = sum(float(report[s].get("seconds", 0)) for s in COLD if s in report)
    yield f"  {'build, every stage made':<44} {cold:.0f} s"
    yield f"  {'last build, with what the cache held':<44} {report.get('image', {}).get('seconds', '?')} s"
    if "warm" in report:
        yield f"  {'build, nothing changed':<44} {report['warm']['seconds']} s"
    for stage in COLD:
        if stage in report:
            sizes = ", ".join(
                f"{n} {b / 1e6:.1f} MB" for n, b in report[stage].get("bytes", {}).items()
            )
            yield f"    {stage:<42} {report[stage].get('seconds', '?')} s   {sizes}"
    level = report.get("image", {}).get("level", RELEASE_LEVEL)
    if level != RELEASE_LEVEL:
        yield f"  packed for trying (level {level}): make it without QUICK for the figures of a release"
    packed = report.get("xz", {}).get("bytes")
    for name, goal in GOALS if packed else ():
        verdict = "within" if packed < goal else "OVER"
        yield (
            f"  {f'image, compressed: {name}':<44} {packed / 1e6:.0f} MB"
            f" ({verdict} the goal of {goal / 1e6:.0f} MB)"
        )
    if "bundle" in report:
        for name, size in report["bundle"].get("bytes", {}).items():
            yield f"  {'update ' + name:<44} {size / 1e6:.0f} MB in {report['bundle']['seconds']} s"
    if "sbom" in report:
        yield f"  {'parts in the SBOM':<44} {report['sbom']['components']}"


def resident(document: dict[str, Any]) -> Iterable[str]:
    """What a profile keeps in memory at rest, without the proof's own agent, beside its goal."""
    for profile, figures in document.items():
        memory = figures.get("memory_mib, at rest") if isinstance(figures, dict) else None
        if memory is None:
            continue
        used = (memory["used"] - memory["proof"]) * MB
        goal = RESIDENT_MB.get(profile)
        verdict = "within" if goal and used <= goal else "OVER"
        judged = f" ({verdict} the goal of {goal} MB)" if goal else ""
        yield f"{f'{profile}: resident at rest':<44} {used:.0f} MB{judged}"


def flat(document: object, above: str = "") -> Iterable[tuple[str, object]]:
    if isinstance(document, dict):
        for name, value in document.items():
            yield from flat(value, f"{above}{name} ")
    else:
        yield above.strip(), document


if __name__ == "__main__":
    sys.exit(main())
