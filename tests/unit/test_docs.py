"""What the pages tell people to type, open and look at is there: commands, options, links, pictures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from central.cli import main as plaza_central
from plaza.cli import main as plaza

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
NOW = [p for p in PAGES if p.name != "CHANGELOG.md"]
"""Pages that tell what is; the changelog tells what was."""
NO_COMMANDS = {"plaza technician login v1"}
"""The words under a technician's signature."""
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
CODE = re.compile(r"^```[^\n]*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^(?:sudo )?(plaza|plaza-central) (.+)$", re.MULTILINE)


def _named(page: Path) -> Iterator[list[str]]:
    """The words of each command in a page's code; what is left out (…) ends one."""
    for block, span in CODE.findall(page.read_text(encoding="utf-8")):
        for program, rest in COMMAND.findall((block or span).replace("\\\n", " ")):
            words = re.split(r"\s*(?:…|#|;|&&|\||>)", f"{program} {rest}")[0].split()
            if " ".join(words) not in NO_COMMANDS:
                yield words


def _trouble(words: list[str]) -> str:
    """What of a command does not exist. A word after a whole command is a value."""
    command: click.Command = plaza if words[0] == "plaza" else plaza_central
    known = {"--help", "-h", "--version"}
    context = click.Context(command)
    for place, word in enumerate(words[1:], 1):
        if re.match(r"-[^0-9]", word):
            known |= {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
            if word.split("=")[0] not in known:
                return f"{' '.join(words)}: no {word}"
        elif isinstance(command, click.Group) and re.fullmatch(r"[a-z][a-z-]+", word):
            found = command.get_command(context, word)
            if found is None:
                return f"{' '.join(words)}: no {word}"
            command, context = found, click.Context(found, parent=context)
            known |= {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        elif isinstance(command, click.Group) and place == 1:
            return ""  # a placeholder such as ORDEN
    return ""


@pytest.mark.parametrize("page", NOW, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_that_a_page_names_is_there(page: Path) -> None:
    assert [t for words in _named(page) if (t := _trouble(words))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_and_picture_of_a_page_is_there(page: Path) -> None:
    missing = []
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        if ":" in target:
            continue
        there = (page.parent / target) if target else page
        if not there.exists():
            missing.append(target)
        elif anchor and there.suffix == ".md" and anchor not in _anchors(there):
            missing.append(f"{target}#{anchor}")
    assert missing == []


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_every_picture_is_shown_somewhere() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target, _ in LINK.findall(page.read_text(encoding="utf-8"))
    }
    assert [p.name for p in sorted((ROOT / "docs/images").iterdir()) if p not in shown] == []
