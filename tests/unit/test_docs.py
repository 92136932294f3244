"""The documentation says what the programs do: commands, settings and links are checked."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from plaza.cli import main
from plaza.commands.settings import settings_table

ROOT = Path(__file__).parents[2]
PAGES = [
    p
    for p in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
    if not {".venv", "node_modules"} & set(p.parts)
]


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += _commands(command, (*path, name))
    return found


def test_the_settings_page_holds_the_table_of_the_program() -> None:
    assert settings_table() in (ROOT / "docs/reference/ajustes.md").read_text()


@pytest.mark.parametrize("path", _commands(main), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    helped = CliRunner().invoke(main, [*path, "--help"])

    assert helped.exit_code == 0
    assert len(helped.output.split("Options:")[0].strip().splitlines()) >= 3, "no sentence of help"


def test_the_page_of_commands_is_what_the_program_says() -> None:
    checked = subprocess.run([sys.executable, "-P", str(ROOT / "tests/commands_page.py")])

    assert checked.returncode == 0, "run `make strings`"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_link_of_a_page_is_dead(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    dead = [
        link
        for link in links
        if not link.startswith(("http://127.0.0.1", "mailto:"))
        and not (page.parent / link).exists()
    ]

    assert dead == []


def test_the_two_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    listed = subprocess.run(
        ["make", "-n", "-C", str(ROOT), "run", "test"], capture_output=True, text=True
    )

    assert listed.returncode == 0
