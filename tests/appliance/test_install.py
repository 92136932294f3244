"""`images/install.sh` turns a bare Debian root into a node. Slow: it makes that root with mmdebstrap.

Needs root. Python packages come from a wheelhouse that the test fills
with the host's own pip, so the throw-away root asks no index.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: making a Debian root needs root"),
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="NOT RUN: mmdebstrap is missing"),
]

SETTINGS = """\
[city]
name = "Ayuntamiento de Prueba"
[node]
number = 12
site = "Plaza de prueba"
"""


def _run(*argv: str, timeout_s: float = 900) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s)


def _host_sources() -> list[str]:
    """The host's own apt sources, so that the root is made from the mirror the host uses."""
    files = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    return [str(f) for f in files if f.is_file() and "bookworm" in f.read_text()]


@pytest.fixture(scope="module")
def node_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A throw-away Debian 12 root with the source tree at /src and a wheelhouse beside it."""
    work = tmp_path_factory.mktemp("appliance")
    wheels, tree, target = work / "wheels", work / "src", work / "root"
    tree.mkdir()
    listed = _run("git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard").stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name, follow_symlinks=False)
    fetched = _run(
        sys.executable, "-m", "pip", "wheel", "-q", "--require-hashes", "-w", str(wheels),
        "-r", str(ROOT / "requirements/runtime.txt"), "-r", str(ROOT / "requirements/build.txt"),
    )  # fmt: skip
    assert fetched.returncode == 0, fetched.stderr
    (tree / "node.toml").write_text(SETTINGS)
    made = _run(
        "mmdebstrap", "--mode=root", "--variant=minbase", "--quiet",
        "--include=ca-certificates,systemd",
        "--aptopt=Acquire::Check-Valid-Until \"false\"",
        f"--customize-hook=copy-in {tree} /",
        f"--customize-hook=copy-in {wheels} /",
        '--customize-hook=chroot "$1" /src/images/install.sh --wheelhouse /wheels'
        ' --settings /src/node.toml --no-start > "$1/install.log" 2>&1'
        ' || { cat "$1/install.log" >&2; exit 1; }',
        '--customize-hook=chroot "$1" /src/images/install.sh --wheelhouse /wheels'
        ' --settings /src/node.toml --no-start > "$1/install-again.log" 2>&1',
        '--customize-hook=rm -r "$1"/opt/plaza/venv/lib/python3*/site-packages/municipio',
        '--customize-hook=chroot "$1" /src/images/install.sh --wheelhouse /wheels'
        ' --settings /src/node.toml --no-start --repair > "$1/install-repair.log" 2>&1',
        "bookworm", str(target), *_host_sources(),
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-4000:]
    yield target
    shutil.rmtree(target, ignore_errors=True)


def _in(root: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return _run("chroot", str(root), "env", path, *argv, timeout_s=120)


def test_the_plaza_command_works_in_the_new_node(node_root: Path) -> None:
    words = _in(node_root, "plaza", "check", "words", "1200.50")

    assert words.stdout == "MIL DOSCIENTOS PESOS 50/100 M.N.\n"


def test_the_services_are_enabled_for_the_next_boot(node_root: Path) -> None:
    wants = node_root / "etc/systemd/system/plaza.target.wants"

    assert {p.name for p in wants.iterdir()} == _wanted_by("plaza.target")
    assert {"plaza-kiosk.service", "plaza-pull.timer", "plaza-settings.path"} <= _wanted_by(
        "plaza.target"
    )
    assert (node_root / "etc/systemd/system/multi-user.target.wants/plaza.target").is_symlink()


def _wanted_by(target: str) -> set[str]:
    """Units of ours that say so themselves."""
    units = (ROOT / "images/overlay/usr/lib/systemd/system").glob("plaza*.*")
    line = f"WantedBy={target}"
    return {u.name for u in units if u.is_file() and line in u.read_text().splitlines()}


def test_systemd_accepts_every_unit(node_root: Path) -> None:
    units = sorted(
        str(p.relative_to(node_root / "usr/lib/systemd/system"))
        for p in (node_root / "usr/lib/systemd/system").glob("plaza*.service")
    )
    judged = _in(node_root, "systemd-analyze", "verify", "--man=no", *units)

    assert judged.stderr == ""
    assert judged.returncode == 0


def test_each_program_has_its_own_user_and_they_share_one_group(node_root: Path) -> None:
    group = _in(node_root, "getent", "group", "plaza").stdout.strip()

    assert set(group.split(":")[-1].split(",")) == {"plaza-kiosk", "plaza-portal", "plaza-sync"}
    assert oct((node_root / "var/lib/plaza").stat().st_mode & 0o7777) == "0o2770"


def test_the_settings_were_checked_and_installed_for_the_group_only(node_root: Path) -> None:
    settings = node_root / "var/lib/plaza/settings.toml"

    assert settings.read_text() == SETTINGS
    assert oct(settings.stat().st_mode & 0o777) == "0o640"


def test_a_wrong_setting_is_refused_with_the_nearest_key(node_root: Path) -> None:
    (node_root / "wrong.toml").write_text("[node]\nnumbre = 3\n")
    refused = _in(node_root, "plaza", "settings", "check", "/wrong.toml")

    assert refused.returncode == 1
    assert "node.number" in refused.stderr


def test_running_it_again_leaves_the_programs_that_this_tree_made(node_root: Path) -> None:
    first = (node_root / "install.log").read_text()
    again = (node_root / "install-again.log").read_text()

    assert "made from this tree already" in again
    assert "made from this tree already" not in first
    assert "[plaza] ready:" in again


def test_a_repair_puts_back_a_program_that_was_lost(node_root: Path) -> None:
    repaired = (node_root / "install-repair.log").read_text()

    assert "made from this tree already" not in repaired
    assert "[plaza] ready:" in repaired
    assert _in(node_root, "/opt/plaza/venv/bin/python", "-c", "import municipio").returncode == 0


def test_the_programs_start_by_their_module_names(node_root: Path) -> None:
    python = "/opt/plaza/venv/bin/python"
    for module in ("kiosk", "captive_portal", "sync", "central", "plaza"):
        helped = _in(node_root, python, "-P", "-m", module, "--help")

        assert helped.returncode == 0, (module, helped.stderr)
        assert "Usage" in helped.stdout or "usage" in helped.stdout


def test_no_account_of_a_node_has_a_password_and_no_program_a_shell(node_root: Path) -> None:
    hashes = [line.split(":")[1] for line in (node_root / "etc/shadow").read_text().splitlines()]
    assert all(word.startswith(("*", "!")) for word in hashes), "an account has a password"
    ours = [x for x in (node_root / "etc/passwd").read_text().splitlines() if x[:6] == "plaza-"]
    assert len(ours) == 5
    assert all(line.endswith(("/nologin", "/false")) for line in ours)


def test_a_new_node_holds_no_key_and_no_secret_of_anybody(node_root: Path) -> None:
    """Keys are made on the node's data partition; what two nodes share cannot be one."""
    words = re.compile(
        rb"-----BEGIN [A-Z ]*PRIVATE " + rb"KEY-----|AGE-SECRET-" + rb"KEY-1[0-9A-Z]{20}"
    )
    found = []
    for folder in ("etc", "opt/plaza", "var/lib/plaza", "usr/lib/plaza", "root", "home"):
        for path in (node_root / folder).rglob("*"):
            plain = path.is_file() and not path.is_symlink()
            if plain and path.stat().st_size < 1_000_000 and words.search(path.read_bytes()):
                found.append(str(path.relative_to(node_root)))
    assert [f for f in found if "/site-packages/" not in f] == []
    assert list(node_root.glob("etc/ssh/ssh_host_*")) == []


def test_the_door_is_shut_at_the_next_start(node_root: Path) -> None:
    wants = node_root / "etc/systemd/system/sysinit.target.wants/plaza-firewall.service"

    assert wants.is_symlink()
    assert (node_root / "usr/lib/plaza/node.nft").is_file()
    assert "SSH is shut" in (node_root / "install.log").read_text()
