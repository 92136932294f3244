"""The image's recipe where it decides something: the slot, the versions, what goes to which folder."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from datetime import date
from pathlib import Path

import pytest
from boards import BASES, BOARDS
from bundle import boot_tar
from cve import DebianVersion, Open, accept, judge_debian, judge_osv
from cve import main as judge_image
from disk import firmware_words
from figures import resident, table
from stages import Report, stage
from uboot import settle

BUILD = Path(__file__).parents[2] / "images/build"
SLOT_ENV = "roothash=abc123\nhashstart=4096\ncmdline=quiet console=tty1\n"

# --- which slot is started


@pytest.fixture
def counters(tmp_path: Path) -> Path:
    """A folder with `fw_printenv` and `fw_setenv` that keep each variable in a file."""
    tools, kept = tmp_path / "bin", tmp_path / "vars"
    tools.mkdir()
    kept.mkdir()
    (tools / "fw_printenv").write_text(f'#!/bin/sh\nexec cat "{kept}/$4"\n')
    (tools / "fw_setenv").write_text(f'#!/bin/sh\necho "$4" > "{kept}/$3"\n')
    for tool in tools.iterdir():
        tool.chmod(0o755)
    return tmp_path


def choose(counters: Path, running: str, **known: str) -> tuple[str, dict[str, str], str]:
    """What `choose_slot` says, the counters and slot.txt afterwards."""
    kept = counters / "vars"
    for name, value in known.items():
        (kept / name).write_text(value + "\n")
    fat = counters / "fat"
    fat.mkdir(exist_ok=True)
    done = subprocess.run(
        ["sh", "-euc", f'. "{BUILD}/initrd/choose"; choose_slot "{fat}" conf {running}'],
        capture_output=True, text=True, check=True,
        env={"PATH": f"{counters / 'bin'}:{os.environ['PATH']}"},
    )  # fmt: skip
    slot = fat / "slot.txt"
    after = {p.name: p.read_text().strip() for p in kept.iterdir()}
    return done.stdout.strip(), after, slot.read_text() if slot.exists() else ""


def test_a_card_that_was_never_counted_starts_the_first_slot(counters: Path) -> None:
    said, after, _ = choose(counters, "A")

    assert (said, after) == ("go", {"BOOT_A_LEFT": "2"})


def test_after_an_update_the_other_slot_is_started_and_only_then_counted(counters: Path) -> None:
    state = {"BOOT_ORDER": "B A", "BOOT_A_LEFT": "3", "BOOT_B_LEFT": "3"}

    assert choose(counters, "A", **state) == ("switch", state, "os_prefix=b/\n")
    assert choose(counters, "B")[:2] == ("go", state | {"BOOT_B_LEFT": "2"})


def test_a_version_that_used_up_its_tries_gives_way_to_the_one_before(counters: Path) -> None:
    state = {"BOOT_ORDER": "B A", "BOOT_A_LEFT": "3", "BOOT_B_LEFT": "0"}

    assert choose(counters, "B", **state) == ("switch", state, "os_prefix=a/\n")
    assert choose(counters, "A")[0] == "go"


def test_when_every_try_is_used_up_the_slots_get_theirs_back(counters: Path) -> None:
    said, after, _ = choose(counters, "A", BOOT_ORDER="A B", BOOT_A_LEFT="0", BOOT_B_LEFT="0")

    assert (said, after["BOOT_A_LEFT"], after["BOOT_B_LEFT"]) == ("go", "2", "3")


def test_a_counter_that_cannot_be_read_counts_as_none(counters: Path) -> None:
    said, _, slot = choose(counters, "A", BOOT_ORDER="A B", BOOT_A_LEFT="x", BOOT_B_LEFT="1")

    assert (said, slot) == ("switch", "os_prefix=b/\n")


# --- what an update writes to the boot partition


def install(tmp_path: Path, bootname: str, *, firmware: bool) -> Path:
    boot, made, mount = tmp_path / "boot", tmp_path / "made", tmp_path / "bundle"
    for folder in (boot / "a", boot / "b", made, mount):
        folder.mkdir(parents=True)
    (boot / "b/old").write_text("from the last update")
    (made / "vmlinuz").write_bytes(b"kernel")
    (made / "slot.env").write_text(SLOT_ENV)
    if firmware:
        (boot / "slot.txt").write_text("os_prefix=a/\n")
    (mount / "boot.tar").write_bytes(boot_tar(made, 0))
    subprocess.run(
        [str(BUILD / "boot/hook"), "slot-post-install"], check=True, capture_output=True,
        env={**os.environ, "PLAZA_BOOT": str(boot), "RAUC_SLOT_BOOTNAME": bootname,
             "RAUC_BUNDLE_MOUNT_POINT": str(mount)},
    )  # fmt: skip
    return boot


def test_an_update_replaces_the_folder_of_its_slot_and_no_other(tmp_path: Path) -> None:
    boot = install(tmp_path, "B", firmware=False)

    assert sorted(p.name for p in boot.iterdir()) == ["a", "b"]
    assert sorted(p.name for p in (boot / "b").iterdir()) == ["SHA256SUMS", "slot.env", "vmlinuz"]
    assert list((boot / "a").iterdir()) == []


@pytest.mark.parametrize("slot", ["A", "B"])
def test_the_firmwares_words_are_the_same_from_the_hook_and_from_the_recipe(
    tmp_path: Path, slot: str
) -> None:
    boot = install(tmp_path, slot, firmware=True)

    assert (boot / slot.lower() / "cmdline.txt").read_text() == firmware_words(SLOT_ENV, slot)


def test_the_boot_files_of_one_root_are_the_same_bytes_with_their_sums(tmp_path: Path) -> None:
    (tmp_path / "vmlinuz").write_bytes(b"kernel")
    first = boot_tar(tmp_path, 7)

    assert first == boot_tar(tmp_path, 7)
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        sums = archive.extractfile("SHA256SUMS")
        assert sums is not None
        assert sums.read().decode() == f"{hashlib.sha256(b'kernel').hexdigest()}  vmlinuz\n"


# --- U-Boot in a public place


VARIABLES = (
    b"bootcmd=bootflow scan", b"bootdelay=2", b"preboot=pci enum; usb start;", b"stdin=serial,usbkbd",
    b"dhcpuboot=usb start; dhcp u-boot.uimg; bootm", b"boot_targets=mmc usb pxe dhcp",
)  # fmt: skip


def test_uboot_looks_at_no_key_and_starts_from_the_card_alone() -> None:
    raw = b"code\0" + b"\0".join(VARIABLES) + b"\0\0more code"
    made = settle(raw)

    assert len(made) == len(raw)
    assert made.startswith(
        b"code\0bootcmd=bootflow scan\0bootdelay=-2\0stdin=serial\0boot_targets=mmc\0\0"
    )
    assert made.endswith(b"\0\0more code")


@pytest.mark.parametrize("wrong", [b"", b"code", b"\0".join(VARIABLES[:3]) + b"\0\0"])
def test_an_unknown_uboot_stops_the_build(wrong: bytes) -> None:
    with pytest.raises(SystemExit):
        settle(wrong)


# --- stages


def test_a_stage_is_made_again_only_for_another_key(tmp_path: Path) -> None:
    report, made = Report(tmp_path / "report.json"), tmp_path / "made"
    calls: list[str] = []

    def make() -> None:
        calls.append("made")
        made.write_text("x")

    for key in ("one", "one", "two"):
        stage(report, "part", tmp_path, key, make, [made])

    assert len(calls) == 2
    assert json.loads((tmp_path / "report.json").read_text())["part"]["bytes"] == {"made": 1}


def test_a_stage_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    report, made = Report(tmp_path / "report.json"), tmp_path / "made"

    def fails() -> None:
        made.write_text("half")
        raise OSError

    with pytest.raises(OSError):
        stage(report, "part", tmp_path, "key", fails, [made])

    assert stage(report, "part", tmp_path, "key", lambda: made.write_text("whole"), [made])


def test_every_board_has_a_base_of_its_own_kind() -> None:
    assert {b.name: BASES[b.base].arch for b in BOARDS.values()} == {
        b.name: b.arch for b in BOARDS.values()
    }


def test_the_figures_judge_an_image_by_both_goals_and_say_when_it_was_packed_for_trying() -> None:
    lines = "\n".join(table("pi", {"xz": {"bytes": 500_000_000}, "image": {"level": 3}}))

    assert "500 MB (within the goal of 700 MB)" in lines
    assert "500 MB (OVER the goal of 450 MB)" in lines
    assert "packed for trying" in lines


@pytest.mark.parametrize(
    ("used", "said"), [(180, "178 MB (within"), (200.0, "199 MB (within"), (201, "200 MB (OVER")]
)
def test_the_figures_judge_what_a_portal_alone_keeps_in_memory(used: float, said: str) -> None:
    document = {"portal": {"memory_mib, at rest": {"used": used, "proof": 10.0}}, "note": "x"}

    assert [said in line for line in resident(document)] == [True]


# --- known vulnerabilities


SBOM = {
    "components": [
        {
            "name": "libssl3t64", "version": "3.5.1-1", "purl": "pkg:deb/debian/libssl3t64@3.5.1-1",
            "properties": [
                {"name": "debian:source", "value": "openssl"},
                {"name": "debian:source-version", "value": "3.5.1-1"},
                {"name": "debian:suite", "value": "trixie"},
            ],
        },
        {"name": "Flask", "version": "3.1.3", "purl": "pkg:pypi/flask@3.1.3"},
    ]
}  # fmt: skip


def tracked(**state: str) -> dict[str, object]:
    return {"openssl": {"CVE-2026-1": {"releases": {"trixie": state}}}}


@pytest.mark.parametrize(
    ("state", "fixed"),
    [
        ({"status": "open", "urgency": "high"}, ""),
        ({"status": "resolved", "fixed_version": "3.5.1-1+deb13u1"}, "3.5.1-1+deb13u1"),
        ({"status": "resolved", "fixed_version": "3.5.1-1"}, None),
        ({"status": "resolved", "fixed_version": "0"}, None),
        ({"status": "open", "urgency": "unimportant"}, None),
    ],
)
def test_a_package_is_judged_by_what_the_tracker_says_of_its_source(
    state: dict[str, str], fixed: str | None
) -> None:
    found = judge_debian(SBOM, tracked(**state))

    assert [f.fixed for f in found] == ([] if fixed is None else [fixed])


def test_a_wheel_is_judged_by_the_versions_that_a_record_names() -> None:
    record = {
        "id": "PYSEC-2026-1", "aliases": ["CVE-2026-2"],
        "affected": [{
            "package": {"ecosystem": "PyPI", "name": "flask"}, "versions": ["3.1.3"],
            "ranges": [{"events": [{"introduced": "0"}, {"fixed": "3.1.4"}]}],
        }],
    }  # fmt: skip

    assert judge_osv(SBOM, [record]) == [Open("CVE-2026-2", "flask", "3.1.3", "3.1.4", "")]
    assert judge_osv(SBOM, [record | {"withdrawn": "2026-02-01"}]) == []


@pytest.mark.parametrize(
    ("events", "concerns"),
    [
        ([{"introduced": "0"}, {"fixed": "3.1.4"}], True),
        ([{"introduced": "0"}, {"fixed": "3.1.3"}], False),
        ([{"introduced": "0"}, {"fixed": "2.3"}, {"introduced": "3.0"}, {"fixed": "3.2"}], True),
        ([{"introduced": "0"}, {"fixed": "2.3"}, {"introduced": "3.2"}], False),
        ([{"introduced": "3.1"}, {"last_affected": "3.1.3"}], True),
        ([{"introduced": "3.1"}, {"last_affected": "3.1.2"}], False),
        ([{"introduced": "3.0rc1"}], True),
        ([{"introduced": "yesterday"}], True),
    ],
)
def test_a_record_without_a_list_of_versions_is_judged_by_its_ranges(
    events: list[dict[str, str]], concerns: bool
) -> None:
    package = {"ecosystem": "PyPI", "name": "flask"}
    ranged = {"package": package, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    commits = {"package": package, "ranges": [{"type": "GIT", "events": [{"introduced": "0"}]}]}

    found = judge_osv(SBOM, [{"id": "GHSA-1", "affected": [ranged]}])

    assert [f.cve for f in found] == (["GHSA-1"] if concerns else [])
    assert judge_osv(SBOM, [{"id": "GHSA-1", "affected": [commits]}]) == []


def test_a_folder_without_records_is_wrong_use_and_not_a_clean_image(tmp_path: Path) -> None:
    (tmp_path / "sbom.json").write_text(json.dumps(SBOM))
    (tmp_path / "tracker.json").write_text("{}")
    words = [str(tmp_path / "sbom.json"), "--debian", str(tmp_path / "tracker.json")]
    (tmp_path / "osv").mkdir()

    with pytest.raises(SystemExit, match="2"):
        judge_image([*words, "--osv", str(tmp_path / "osv")])
    assert judge_image(words) == 0


def test_what_was_accepted_counts_again_after_its_date() -> None:
    found = [Open("CVE-2026-1", "openssl", "1", "", "")]
    notes = {"CVE-2026-1": {"reason": "not reachable", "until": date(2026, 6, 1)}}

    assert accept(found, notes, date(2026, 6, 1))[0].accepted == "not reachable"
    assert accept(found, notes, date(2026, 6, 2))[0].accepted == ""


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="NOT RUN: dpkg is the judge")
def test_versions_are_ordered_as_dpkg_orders_them() -> None:
    texts = [
        "0", "1.0~rc1", "1.0~~", "1.0", "1.0-1~bpo1", "1.0-1", "1.0-1+b1", "1.0a", "1.0+b1", "1.0.1",
        "1:0.5", "7.2.12-1~bpo13+1", "2.10", "2.9",
    ]  # fmt: skip
    wrong = [
        (a, b)
        for a in texts
        for b in texts
        if (subprocess.run(["dpkg", "--compare-versions", a, "lt", b], check=False).returncode == 0)
        != (DebianVersion(a) < DebianVersion(b))
    ]
    assert wrong == []


# --- what is in an image


STATUS = """\
Package: libssl3t64
Status: install ok installed
Source: openssl
Version: 3.5.1-1
Architecture: arm64

Package: gone
Status: deinstall ok config-files
Version: 1
Architecture: arm64

Package: linux-binary-7.2.12
Status: install ok installed
Source: linux-signed-arm64 (7.2.12+1~bpo13+1)
Version: 7.2.12-1~bpo13+1
Architecture: arm64

Package: rauc
Status: install ok installed
Version: 1.15.2-1
Architecture: arm64
"""


BROUGHT = {
    "bomFormat": "CycloneDX",
    "components": [
        {"name": "flask", "version": "3.1.3", "purl": "pkg:pypi/flask@3.1.3"},
        {"name": "aead", "version": "0.5.2", "purl": "pkg:cargo/aead@0.5.2"},
        {"name": "openssl", "version": "4.0.3", "purl": "pkg:generic/openssl@4.0.3"},
        {"name": "libXau", "version": "1.0.9"},
    ],
}


def test_the_sbom_names_each_installed_package_with_its_source(tmp_path: Path) -> None:
    pytest.importorskip(
        "cyclonedx", reason="NOT RUN: only `make image` installs the SBOM's library"
    )
    from sbom import make_sbom

    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS)
    info = tmp_path / "opt/plaza/venv/lib/python3.13/site-packages/Flask-3.1.3.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: Flask\nVersion: 3.1.3\n")
    (info / "sboms").mkdir()
    (info / "sboms/rust.cdx.json").write_text(json.dumps(BROUGHT))
    text = make_sbom(tmp_path, "pi", "1.0", 0, "0" * 64)

    assert text == make_sbom(tmp_path, "pi", "1.0", 0, "0" * 64)
    document = json.loads(text)
    assert sorted(c["name"] for c in document["components"]) == [
        "Flask", "aead", "libXau", "libssl3t64", "linux-binary-7.2.12", "openssl", "rauc",
    ]  # fmt: skip
    affected = [{"package": {"ecosystem": "crates.io", "name": "aead"}, "versions": ["0.5.2"]}]
    assert judge_osv(document, [{"id": "RUSTSEC-1", "affected": affected}]) == [
        Open("RUSTSEC-1", "aead", "0.5.2", "", "")
    ]
    mended = {"status": "resolved", "fixed_version": "7.2.13-1"}
    tracker = {
        "linux": {"CVE-2026-3": {"releases": {"sid": mended, "trixie": {"status": "open"}}}},
        "rauc": {"CVE-2026-4": {"releases": {"trixie": {"status": "open"}, "forky": {
            "status": "resolved", "fixed_version": "1.14-1",
        }}}},
    }  # fmt: skip
    found = [(f.package, f.fixed) for f in judge_debian(document, tracker)]
    assert found == [("linux", "7.2.13-1")], "each is judged by the suite that it was taken from"
