"""What an option means does not hang on the command that has it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from plaza.cli import main


def _options(group: click.Group, path: str = "plaza") -> Iterator[tuple[str, click.Option]]:
    """Every option of every command, with the command's whole name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from ((f"{path} {name}", p) for p in command.params if isinstance(p, click.Option))
        if isinstance(command, click.Group):
            yield from _options(command, f"{path} {name}")


def _named(option: str) -> dict[str, click.Option]:
    assert isinstance(main, click.Group)
    return {where: o for where, o in _options(main) if option in o.opts}


def test_the_data_directory_is_the_same_for_every_command() -> None:
    found = _named("--data")

    assert len(found) > 30
    strange = {
        where: (option.help, option.envvar)
        for where, option in found.items()
        if not (option.help or "").startswith("Data directory of the node")
        or option.envvar != "PLAZA_DATA"
        or not isinstance(option.type, click.Path)
        or option.type.file_okay
    }
    assert strange == {}


def test_the_answer_for_machines_is_the_same_for_every_command() -> None:
    found = _named("--json")

    assert len(found) > 20
    assert {option.help for option in found.values()} == {"One JSON document for machines."}
