"""The list of everything in an image (CycloneDX 1.6): Debian's packages and the Python wheels, with what they
were made from, so that a CVE check and an auditor need nothing but this file."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from uuid import UUID, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from roots import FROM_NEXT, NEXT, RELEASE

ON_THE_CARD = ("raspi-firmware", "u-boot-rpi")
NAMESPACE = UUID("706c617a-6100-4000-8000-736f62647063")
SOURCE = re.compile(r"^(?P<name>\S+)(?: \((?P<version>[^)]+)\))?$")


def make_sbom(
    root: Path,
    board: str,
    version: str,
    epoch: int,
    packages_sha256: str,
    firmware: Path | None = None,
) -> str:
    """The document's text: the same for the same root. `firmware` is the root of what is only unpacked."""
    image = Component(
        name=f"plaza-{board}", version=version, type=ComponentType.OPERATING_SYSTEM, bom_ref="image",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=packages_sha256)],
    )  # fmt: skip
    bom = Bom(
        components=[
            *debian(root / "var/lib/dpkg/status"),
            *python(root / "opt/plaza/venv/lib"),
            *(unpacked(firmware) if firmware else ()),
        ],
        serial_number=uuid5(NAMESPACE, f"{board} {version} {packages_sha256}"),
    )
    bom.metadata.component = image
    bom.metadata.timestamp = datetime.fromtimestamp(epoch, UTC)
    bom.register_dependency(image, list(bom.components))
    return JsonV1Dot6(bom).output_as_string(indent=1)


def debian(status: Path) -> Iterable[Component]:
    """Every installed package with its source package: Debian's security tracker speaks of sources."""
    for block in status.read_text().split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", block, re.MULTILINE))
        if not fields.get("Status", "").endswith(" installed"):
            continue
        name, version, arch = fields["Package"], fields["Version"], fields["Architecture"]
        source = SOURCE.match(fields.get("Source") or name)
        assert source is not None, f"{name}: Source is {fields['Source']}"
        yield _debian(name, version, arch, source["name"], source["version"] or version)


def _debian(name: str, version: str, arch: str, source: str, source_version: str) -> Component:
    suite = suite_of(source, version)
    purl = PackageURL("deb", "debian", name, version, {"arch": arch, "distro": suite})
    return Component(
        name=name, version=version, purl=purl, bom_ref=str(purl), type=ComponentType.LIBRARY,
        properties=[
            Property(name="debian:source", value=source),
            Property(name="debian:source-version", value=source_version),
            Property(name="debian:suite", value=suite),
        ],
    )  # fmt: skip


def suite_of(source: str, version: str) -> str:
    """Where a package was taken from: what mends it is published there."""
    if source in FROM_NEXT:
        return NEXT
    return f"{RELEASE}-backports" if "~bpo" in version else RELEASE


def unpacked(root: Path) -> Iterable[Component]:
    """Packages whose files are on the boot partition, by the first line of their changelogs."""
    for path in sorted(root.glob("usr/share/doc/*/changelog.Debian.gz")):
        with gzip.open(path, "rt", errors="replace") as file:
            said = re.match(r"(\S+) \(([^)]+)\)", file.readline())
        if said and path.parent.name in ON_THE_CARD:
            yield _debian(path.parent.name, said[2], "all", said[1], said[2])


def python(lib: Path) -> Iterable[Component]:
    """Every wheel of the node's environment, by the metadata that pip left."""
    for metadata in sorted(lib.glob("python3*/site-packages/*.dist-info/METADATA")):
        fields = HeaderParser().parsestr(metadata.read_text(errors="replace"))
        name, version = str(fields["Name"]), str(fields["Version"])
        purl = PackageURL("pypi", None, name.lower().replace("_", "-"), version)
        said = fields.get("License-Expression") or fields.get("License") or ""
        licence = [DisjunctiveLicense(name=said)] if said and "\n" not in said else []
        yield Component(
            name=name, version=version, purl=purl, bom_ref=str(purl), type=ComponentType.LIBRARY,
            licenses=licence,
        )  # fmt: skip
        yield from inside(metadata.parent, str(purl))


def inside(info: Path, wheel: str) -> Iterable[Component]:
    """C libraries and crates that a wheel says it brings along, by its own CycloneDX lists (PEP 770)."""
    seen: set[str] = set()
    for path in sorted(info.glob("sboms/*.json")):
        for part in json.loads(path.read_text(encoding="utf-8")).get("components", ()):
            name, version, said = (str(part.get(key) or "") for key in ("name", "version", "purl"))
            if said.startswith("pkg:pypi/") or f"{name}@{version}" in seen:
                continue  # the wheel itself, and pieces of it
            seen.add(f"{name}@{version}")
            yield Component(
                name=name, version=version, purl=PackageURL.from_string(said) if said else None,
                bom_ref=f"{wheel}#{name}@{version}", type=ComponentType.LIBRARY,
                properties=[Property(name="plaza:inside", value=wheel)],
            )  # fmt: skip
