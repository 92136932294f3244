"""The house rules, measured: who imports whom, how long a thing may be, what is never written."""

from __future__ import annotations

import ast
import re
import subprocess
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("municipio", "sync", "hardware", "kiosk", "captive_portal", "central", "plaza")

MAY_IMPORT: dict[str, set[str]] = {
    "municipio": set(),
    "sync": {"municipio"},
    "hardware": {"municipio"},
    "kiosk": {"municipio", "sync", "hardware"},
    "captive_portal": {"municipio", "sync", "hardware"},
    "central": {"municipio"},
    "plaza": {"municipio", "sync", "hardware", "kiosk", "captive_portal"},
}
HARDWARE_MAY_TAKE = {"receipts", "clock", "settings", "devices"}

# municipio is pure: these modules reach the outside world.
IMPURE = {
    "os", "io", "socket", "subprocess", "threading", "time", "random", "secrets", "shutil",
    "tempfile", "sqlite3", "apsw", "httpx2", "serial", "kivy", "flask", "logging", "pathlib",
}  # fmt: skip

MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60


def _sources(*rooms: str) -> list[Path]:
    return sorted(p for room in rooms for p in (ROOT / room).rglob("*.py"))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(tree: ast.AST) -> set[str]:
    """Every module named by an import statement, dotted, wherever it stands in the file."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_imports_go_one_way(room: str) -> None:
    allowed = MAY_IMPORT[room] | {room}
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _sources(room)
        for name in sorted(_imports(_tree(path)))
        if name.split(".")[0] in ROOMS and name.split(".")[0] not in allowed
    ]
    assert wrong == []


def test_hardware_takes_only_receipts_clock_settings_and_devices_from_the_rules() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _sources("hardware")
        for name in sorted(_imports(_tree(path)))
        if name.startswith("municipio.") and name.split(".")[1] not in HARDWARE_MAY_TAKE
    ]
    assert wrong == []


def test_the_rules_do_no_input_or_output() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in _sources("municipio")
        for name in sorted(_imports(_tree(path)))
        if name.split(".")[0] in IMPURE
    ]
    assert wrong == []


def test_the_rules_never_read_a_clock() -> None:
    reads = re.compile(r"\b(datetime\.now|datetime\.utcnow|date\.today|time\.time|monotonic)\(")
    wrong = [str(p.relative_to(ROOT)) for p in _sources("municipio") if reads.search(p.read_text())]
    assert wrong == []


def test_presenters_do_not_know_kivy() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for folder in ("presenters", "usecases")
        for path in sorted((ROOT / "kiosk" / folder).rglob("*.py"))
        if any(name.split(".")[0] == "kivy" for name in _imports(_tree(path)))
    ]
    assert wrong == []


def test_modules_are_short() -> None:
    lengths = {p: len(p.read_text().splitlines()) for p in _sources(*ROOMS)}
    long = [f"{p.relative_to(ROOT)}: {n}" for p, n in lengths.items() if n > MAX_MODULE_LINES]
    assert long == []


def test_functions_are_short() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length}"
        for path in _sources(*ROOMS)
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_no_shell_interprets_a_command() -> None:
    shell = re.compile(r"shell\s*=\s*True|os\.system\(|os\.popen\(|getoutput\(")
    files = [*_sources(*ROOMS), *(p for p in (ROOT / "tests").rglob("*.py") if p != Path(__file__))]
    assert [str(p.relative_to(ROOT)) for p in files if shell.search(p.read_text())] == []


def test_nothing_of_ours_is_patched() -> None:
    fakes = re.compile(r"\bpatch(\.object|\.dict)?\(|MagicMock|AsyncMock|monkeypatch\.setattr")
    files = [p for p in (ROOT / "tests").rglob("*.py") if p != Path(__file__)]
    assert [str(p.relative_to(ROOT)) for p in files if fakes.search(p.read_text())] == []


def test_tests_are_not_packages_and_import_nothing_from_each_other() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []
    wrong = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("*.py")
        if any(name.split(".")[0] in {"tests", "conftest"} for name in _imports(_tree(path)))
    ]
    assert wrong == []


def test_no_two_test_files_share_a_name() -> None:
    names = [p.name for p in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({n for n in names if names.count(n) > 1}) == []


@pytest.mark.parametrize("room", ROOMS)
def test_each_import_name_has_one_owner(room: str) -> None:
    owners = set(packages_distributions().get(room, []))
    assert owners <= {"plaza"}, f"{room} is also installed by {owners - {'plaza'}}"


def test_expected_folders_are_not_importable() -> None:
    assert not (ROOT / "images" / "__init__.py").exists()
    assert not (ROOT / "docs" / "__init__.py").exists()


def _tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [ROOT / name for name in listing.stdout.splitlines() if (ROOT / name).is_file()]


def test_no_address_of_a_registry_and_no_private_key_is_in_the_repository() -> None:
    found = re.compile(
        rb"pythonhosted\.org|pypi\.org|registry\.npmjs|deb\.debian\.org|--index-url|"
        rb"BEGIN (EC |RSA |OPENSSH )?PRIVATE KEY|AGE-SECRET-KEY-1[0-9A-Z]{20}"
    )
    wrong = [
        str(p.relative_to(ROOT))
        for p in _tracked()
        if p != Path(__file__) and found.search(p.read_bytes())
    ]
    assert wrong == []
