"""The reference page of the `plaza` command, made from the program itself (`make strings` renews it)."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from plaza.cli import main as plaza

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "ordenes.md"

HEAD = """\
# Órdenes

`plaza` es la única orden de un nodo. Termina con 0 si todo está bien, 1 si algo falla (y lo dice
en una línea) y 2 si se usó mal. Casi todas aceptan `--json` para programas
y `--data CARPETA` (o `PLAZA_DATA`) para la carpeta del nodo.
La API de la ciudad tiene la suya, `plaza-central`. Los programas se inician también por su módulo:
`python -P -m kiosk`, `captive_portal`, `sync`, `central`.
"""


def _walk(group: click.Group, path: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    context = click.Context(group, info_name=" ".join(path))
    for name in sorted(group.list_commands(context)):
        command = group.get_command(context, name)
        assert command is not None
        here = (*path, name)
        with click.Context(command, info_name=" ".join(here)) as inner:
            inner.terminal_width = 96
            usage = inner.get_help().strip()
        lines += [f"{'#' * len(here)} `{' '.join(here)}`", "", "```", usage, "```", ""]
        if isinstance(command, click.Group):
            lines += _walk(command, here)
    return lines


def page() -> str:
    return HEAD + "\n" + "\n".join(_walk(plaza, ("plaza",))).rstrip() + "\n"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page())
    sys.exit(0 if PAGE.read_text() == page() else 1)
