#!/usr/bin/env python3
"""Judges the SBOM of an image against copies of vulnerability lists that somebody downloaded.

    images/build/cve.py SBOM --debian TRACKER.json [--osv FOLDER] [--accepted FILE.toml] [--json]

Asks no network. TRACKER.json is the Debian security tracker's data; FOLDER holds OSV records (JSON) of the
ecosystems PyPI and crates.io (Rust that wheels bring along). What was looked at and does not matter to a node
stands in FILE.toml, a table for each ("CVE-2026-0001" with `reason` and `until`, the date until which that
holds).
Exit: 0 nothing open, 1 something is, 2 wrong use.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from functools import total_ordering
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

# The tracker does not follow backports: they are mended by what has mended unstable.
TRACKED_AS = {"trixie-backports": "sid"}
ECOSYSTEMS = {"pkg:pypi/": "PyPI", "pkg:cargo/": "crates.io"}


@dataclass(frozen=True, order=True)
class Open:
    """One vulnerability that a package of the image has. `fixed` is empty where no version mends it yet."""

    cve: str
    package: str
    version: str
    fixed: str
    urgency: str
    accepted: str = ""


@total_ordering
class DebianVersion:
    """Order of versions as dpkg has it (deb-version(7)): epoch, upstream, revision; `~` before the end."""

    def __init__(self, text: str) -> None:
        epoch, _, rest = text.rpartition(":") if ":" in text else ("0", "", text)
        upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "")
        self.key = (int(epoch or 0), _sortable(upstream), _sortable(revision))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DebianVersion) and self.key == other.key

    def __lt__(self, other: DebianVersion) -> bool:
        return self.key < other.key

    def __hash__(self) -> int:
        return hash(self.key)


def _sortable(part: str) -> list[tuple[list[int], int]]:
    """Runs of non-digits and digits in turn; a non-digit run ends with the weight of an end."""
    pairs = re.findall(r"([^0-9]*)([0-9]*)", part)
    runs = [
        ([_weight(c) for c in text] + [0], int(digits or 0))
        for text, digits in pairs
        if text or digits
    ]
    return [*runs, ([0], 0)]


def _weight(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 256


def judge_debian(sbom: Mapping[str, Any], tracker: Mapping[str, Any]) -> list[Open]:
    """Each source package once, by what the tracker says of the suite that it was taken from."""
    found = []
    for source, version, suite in sorted(_sources(sbom)):
        for cve, about in tracker.get(source, {}).items():
            state = about.get("releases", {}).get(TRACKED_AS.get(suite, suite))
            fault = _debian_fault(cve, source, version, state) if state else None
            found += [fault] if fault else []
    return found


def _sources(sbom: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    """Source package, its version, the suite that the package is from."""
    named = set()
    for component in sbom["components"]:
        own = {p["name"]: p["value"] for p in component.get("properties", ())}
        if "debian:source" in own:
            source = own["debian:source"].replace("linux-signed-amd64", "linux")
            source = source.replace("linux-signed-arm64", "linux")
            version = own["debian:source-version"].replace("+1~bpo", "-1~bpo")
            named.add((source, version, own["debian:suite"]))
    return named


def _debian_fault(cve: str, source: str, version: str, state: Mapping[str, Any]) -> Open | None:
    fixed = str(state.get("fixed_version", ""))
    urgency = str(state.get("urgency", ""))
    if not cve.startswith("CVE-") or fixed == "0" or urgency == "unimportant":
        return None
    if state.get("status") == "resolved" and DebianVersion(version) >= DebianVersion(fixed):
        return None
    return Open(cve, source, version, fixed if state.get("status") == "resolved" else "", urgency)


def judge_osv(sbom: Mapping[str, Any], records: Iterable[Mapping[str, Any]]) -> list[Open]:
    """Wheels and crates by the versions that a record names one by one, or by its ranges of them."""
    own = _parts(sbom)
    found = []
    for record in records:
        for affected in record.get("affected", ()):
            package = affected.get("package", {})
            name = _plain(str(package.get("name", "")))
            for version in sorted(own.get((str(package.get("ecosystem")), name), ())):
                if _osv_concerns(version, affected) and not record.get("withdrawn"):
                    cves = (a for a in record.get("aliases", ()) if a.startswith("CVE-"))
                    cve = next(cves, record["id"])
                    found.append(Open(cve, name, version, _osv_fixed(affected), ""))
    return found


def _parts(sbom: Mapping[str, Any]) -> dict[tuple[str, str], set[str]]:
    """Versions by ecosystem and name."""
    found: dict[tuple[str, str], set[str]] = {}
    for component in sbom["components"]:
        for start, ecosystem in ECOSYSTEMS.items():
            if str(component.get("purl", "")).startswith(start):
                key = (ecosystem, _plain(str(component["name"])))
                found.setdefault(key, set()).add(str(component["version"]))
    return found


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")


def _osv_concerns(version: str, affected: Mapping[str, Any]) -> bool:
    return version in affected.get("versions", ()) or any(
        _in_range(version, r.get("events", ()))
        for r in affected.get("ranges", ())
        if r.get("type") != "GIT"
    )


def _in_range(version: str, events: Iterable[Mapping[str, Any]]) -> bool:
    """As the schema of OSV judges events in their order. What cannot be compared concerns us."""
    try:
        own = Version(version)
        told = sorted((Version(str(at)), kind) for e in events for kind, at in e.items())
    except InvalidVersion:
        return True
    inside = False
    for at, kind in told:
        if kind == "introduced" and own >= at:
            inside = True
        elif (kind == "fixed" and own >= at) or (kind == "last_affected" and own > at):
            inside = False
    return inside


def _osv_fixed(affected: Mapping[str, Any]) -> str:
    events = (e for r in affected.get("ranges", ()) for e in r.get("events", ()))
    return next((str(e["fixed"]) for e in events if "fixed" in e), "")


def accept(found: Iterable[Open], accepted: Mapping[str, Any], today: date) -> list[Open]:
    """The same list with the reason of what was looked at, as long as that holds."""
    out = []
    for fault in found:
        note = accepted.get(fault.cve)
        holds = (
            isinstance(note, dict) and note.get("reason") and note.get("until", date.min) >= today
        )
        out.append(
            Open(**asdict(fault) | {"accepted": note["reason"]}) if holds and note else fault
        )
    return sorted(out)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sbom", type=Path)
    parser.add_argument("--debian", type=Path, required=True, metavar="TRACKER.json")
    parser.add_argument("--osv", type=Path, metavar="FOLDER")
    parser.add_argument("--accepted", type=Path, metavar="FILE.toml")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    sbom = json.loads(options.sbom.read_text())
    found = judge_debian(sbom, json.loads(options.debian.read_text()))
    if options.osv:
        files = sorted(options.osv.rglob("*.json"))
        if not files:
            parser.error(f"{options.osv} holds no OSV record (*.json)")
        found += judge_osv(sbom, (json.loads(p.read_text()) for p in files))
    notes = tomllib.loads(options.accepted.read_text()) if options.accepted else {}
    judged = accept(found, notes, datetime.now(UTC).date())
    if options.json:
        sys.stdout.write(json.dumps([asdict(f) for f in judged], indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in told(judged))
    return 1 if any(not f.accepted for f in judged) else 0


def told(judged: Sequence[Open]) -> list[str]:
    """A table for people: what can be mended first."""
    rows = sorted(judged, key=lambda f: (bool(f.accepted), not f.fixed, f.package, f.cve))
    lines = [
        f"{f.cve:<18} {f.package:<24} {f.version:<28} "
        + (
            f"accepted: {f.accepted}"
            if f.accepted
            else f"fixed in {f.fixed}"
            if f.fixed
            else "no fix yet"
        )
        for f in rows
    ]
    mend = sum(1 for f in rows if f.fixed and not f.accepted)
    left = sum(1 for f in rows if not f.fixed and not f.accepted)
    return [
        *lines,
        f"{mend} to mend by building anew, {left} without a fix, {len(rows) - mend - left} accepted",
    ]


if __name__ == "__main__":
    sys.exit(main())
