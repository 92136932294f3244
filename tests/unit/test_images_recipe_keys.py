"""Which stages of an image are made anew when something that they are made from changes."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from boards import BOARDS
from node import Release, tree_files
from recipe import image_keys, root_keys
from roots import lay
from stages import Report, stage, write_anew

TREE = Path(__file__).parents[2]
RELEASE = Release("1.0", "c0ffee", 1_000_000, "1970-01-12T13:46:40Z")
PROGRAMS = (
    "kiosk/__main__.py",
    "images/install.sh",
    "images/overlay/usr/lib/sysusers.d/plaza.conf",
)
EVERY = (
    "tools",
    "base",
    "firmware",
    "wheels",
    "install",
    "node",
    "rootfs",
    "boot",
    "disk",
    "bundle",
)
BOARD = EVERY[EVERY.index("node") :]
MADE_ANEW = {
    "images/build/roots.py": EVERY,
    "images/build/in-root": EVERY,
    "images/build/packages-tools.txt": tuple(n for n in EVERY if n not in ("base", "firmware")),
    "images/packages-node.txt": ("base", "install", *BOARD),
    "images/build/packages-image.txt": ("base", "install", *BOARD),
    "requirements/runtime.txt": ("wheels", "install", *BOARD),
    "requirements/build.txt": ("wheels", "install", *BOARD),
    "images/build/wheels.py": ("wheels", "install", *BOARD),
    "images/build/programs.py": ("install", *BOARD),
    "kiosk/__main__.py": ("install", *BOARD),
    "images/install.sh": ("install", *BOARD),
    "images/overlay/usr/lib/sysusers.d/plaza.conf": ("install", *BOARD),
    "images/build/overlay/usr/lib/sysusers.d/00-plaza-ids.conf": ("install", *BOARD),
    "images/build/node.py": BOARD,
    "images/build/overlay/new.conf": BOARD,
    "images/build/overlay-uboot/new.conf": BOARD,
    "images/build/boot/boot.cmd": BOARD,
    "images/build/boot/hook": BOARD,
    "images/build/squash.py": ("rootfs", "boot", "disk", "bundle"),
    "images/build/slot.py": ("boot", "disk", "bundle"),
    "images/build/initrd/init": ("boot", "disk", "bundle"),
    "images/build/disk.py": ("disk",),
    "images/build/uboot.py": ("disk",),
    "images/build/bundle.py": ("bundle",),
    "images/build/figures.py": (),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the recipe is made of, to be changed."""
    copy = tmp_path_factory.mktemp("tree")
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(TREE / "images", copy / "images", ignore=unwanted, symlinks=True)
    for name in ("kiosk/__main__.py", "requirements/runtime.txt", "requirements/build.txt"):
        (copy / name).parent.mkdir(exist_ok=True)
        shutil.copy(TREE / name, copy / name)
    return copy


def keys(
    tree: Path, *, board: str = "pi", release: Release = RELEASE,
    signer: tuple[str, str] = ("ring", "certificate"), level: int = 19,
) -> dict[str, str]:  # fmt: skip
    programs = [name for name in PROGRAMS if (tree / name).exists()]
    roots = root_keys(BOARDS[board], programs, tree)
    own = image_keys(BOARDS[board], roots, release, signer, level, tree)
    return asdict(roots) | asdict(own)


def changed(before: dict[str, str], after: dict[str, str]) -> tuple[str, ...]:
    return tuple(name for name in EVERY if before[name] != after[name])


@pytest.mark.parametrize("name", MADE_ANEW)
def test_a_changed_file_makes_anew_what_is_made_from_it(tree: Path, name: str) -> None:
    before, file = keys(tree), tree / name
    was = file.read_bytes() if file.exists() else None
    file.write_bytes((was or b"") + b"\n")
    after = keys(tree)
    file.unlink() if was is None else file.write_bytes(was)

    assert changed(before, after) == MADE_ANEW[name]
    assert keys(tree) == before, "the same files have the same keys"


def test_a_file_that_may_be_run_now_is_another_file(tree: Path) -> None:
    before, file = keys(tree), tree / "images/build/overlay/etc/fstab"
    mode = file.stat().st_mode
    file.chmod(mode ^ 0o111)
    after = keys(tree)
    file.chmod(mode)

    assert changed(before, after) == BOARD


@pytest.mark.parametrize(
    ("another", "anew"),
    [
        ({"release": replace(RELEASE, version="1.1")}, BOARD),
        ({"release": replace(RELEASE, commit="0dd")}, BOARD),
        ({"release": replace(RELEASE, epoch=1)}, BOARD),
        ({"signer": ("another ring", "certificate")}, BOARD),
        ({"signer": ("ring", "another certificate")}, ("bundle",)),
        ({"level": 3}, ("rootfs", "boot", "disk", "bundle")),
    ],
)
def test_other_words_make_anew_what_says_them(
    tree: Path, another: dict[str, object], anew: tuple[str, ...]
) -> None:
    assert changed(keys(tree), keys(tree, **another)) == anew  # type: ignore[arg-type]


def test_boards_of_one_base_share_roots_and_nothing_of_their_own(tree: Path) -> None:
    assert changed(keys(tree), keys(tree, board="vm-arm64")) == BOARD
    assert changed(keys(tree), keys(tree, board="vm-amd64")) == tuple(
        n for n in EVERY if n != "tools"
    )


def test_every_file_of_the_recipe_is_known_here(tree: Path) -> None:
    """A new file of the recipe wants a line above, and a key that it is in."""
    apart = {
        "boards.py",
        "check.py",
        "cve.py",
        "keys.py",
        "make.py",
        "recipe.py",
        "sbom.py",
        "stages.py",
    }
    top = TREE / "images/build"
    files = {p.name for p in top.iterdir() if p.is_file()}

    assert files - apart == {
        Path(n).name for n in MADE_ANEW if Path(n).parent == Path("images/build")
    }


# --- what a checkout's own modes and times must not decide


def test_an_overlay_is_laid_as_git_knows_it_whoever_checked_it_out(tmp_path: Path) -> None:
    overlay, root = tmp_path / "overlay", tmp_path / "root"
    (overlay / "etc").mkdir(parents=True)
    for name, mode in (("text", 0o666), ("program", 0o775), ("secret", 0o600)):
        (overlay / "etc" / name).write_text(name)
        (overlay / "etc" / name).chmod(mode)
    (overlay / "etc/link").symlink_to("/dev/null")
    (root / "etc").mkdir(parents=True)
    (root / "etc/text").symlink_to("elsewhere")
    for _ in range(2):
        lay(overlay, root)

    found = {p.name: oct(p.lstat().st_mode & 0o777) for p in (root / "etc").iterdir()}
    assert found == {"text": "0o644", "program": "0o755", "secret": "0o644", "link": "0o777"}
    assert (root / "etc/text").read_text() == "text"


def test_a_node_is_made_of_links_too() -> None:
    assert "images/overlay/etc/systemd/system/dnsdist.service" in tree_files()


def test_a_cache_that_was_copied_by_hard_links_stays_as_it_was(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"

    def build(folder: Path, key: str) -> None:
        made, report = folder / "made", Report(folder / "report.json")
        stage(report, "part", folder, key, lambda: write_anew(made, key), [made])

    build(one, "first")
    shutil.copytree(one, two, copy_function=os.link)
    build(two, "the second")

    assert json.loads((one / "part.made.json").read_text())["bytes"] == {"made": 5}
    assert json.loads((one / "report.json").read_text())["part"]["bytes"] == {"made": 5}
    assert (one / "part.key").read_text() == "first"
