"""The reference pages of the commands, made from the programs themselves (`make strings` renews them)."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from central.cli import main as plaza_central
from plaza.cli import main as plaza

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"

HEAD = """\
# Órdenes

`plaza` es la única orden de un nodo. Termina con 0 si todo está bien, 1 si algo falla (y lo dice
en una línea) y 2 si se usó mal. Casi todas aceptan `--json` para programas
y `--data CARPETA` (o `PLAZA_DATA`) para la carpeta del nodo.
La API de la ciudad tiene la suya, [`plaza-central`](ordenes-ciudad.md). Los programas se inician también
por su módulo: `python -P -m kiosk`, `captive_portal`, `sync`, `central`.
"""

CITY_HEAD = """\
# Órdenes de la ciudad

`plaza-central` es la orden del servidor de la ciudad y, con `open`, la del escritorio de una oficina.
Termina con 0 si todo está bien, 1 si algo falla (y lo dice en una línea) y 2 si se usó mal. Casi todas
aceptan `--db URL` (o `PLAZA_CENTRAL_DB`) para la base e `--inegi` para el municipio.
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


def page(head: str, program: click.Group, name: str) -> str:
    return head + "\n" + "\n".join(_walk(program, (name,))).rstrip() + "\n"


if __name__ == "__main__":
    pages = {
        REFERENCE / "ordenes.md": page(HEAD, plaza, "plaza"),
        REFERENCE / "ordenes-ciudad.md": page(CITY_HEAD, plaza_central, "plaza-central"),
    }
    for path, text in pages.items():
        if "--write" in sys.argv:
            path.write_text(text)
    sys.exit(0 if all(path.read_text() == text for path, text in pages.items()) else 1)
