"""`plaza settings`: what can be set on a node, and whether a settings file is right."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import click

from municipio.city_settings import FROM_CITY
from municipio.settings import SETTINGS, Setting, Settings, SettingsError, parse_settings
from plaza.options import json_option
from plaza.settings_city import city, settle

_TYPE_WORDS = {str: "texto", int: "entero", bool: "sí/no"}


@click.group()
def settings() -> None:
    """List every setting of a node; check a settings file."""


@settings.command("list")
@json_option
@click.option("--markdown", is_flag=True, help="As the table of docs/reference/ajustes.md.")
def list_settings(as_json: bool, markdown: bool) -> None:
    """Every setting: name, type, default, help."""
    if as_json:
        rows = [
            {"name": s.name, "type": s.type.__name__, "default": s.default, "help": s.help}
            for s in SETTINGS
        ]
        click.echo(json.dumps(rows, ensure_ascii=False))
    elif markdown:
        click.echo(settings_table())
    else:
        for s in SETTINGS:
            click.echo(f"{s.name:<34} {_default(s)!s:<38} {s.help}")


@settings.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def check(file: Path, as_json: bool) -> None:
    """Judge a settings FILE; exit 1 with the key and the nearest known one if it is wrong."""
    try:
        read_settings(file)
    except (OSError, SettingsError, UnicodeDecodeError) as trouble:
        if as_json:
            click.echo(json.dumps({"ok": False, "problem": str(trouble)}, ensure_ascii=False))
        else:
            click.echo(f"{file}: {trouble}", err=True)
        sys.exit(1)
    click.echo(json.dumps({"ok": True}) if as_json else f"{file}: correcto")


def read_settings(file: Path) -> Settings:
    """Parse a settings file. Raises OSError, or SettingsError that names the line or the key."""
    try:
        return parse_settings(tomllib.loads(file.read_text(encoding="utf-8-sig")))
    except tomllib.TOMLDecodeError as bad:
        raise SettingsError(f"not TOML: {bad}") from bad


def settings_table() -> str:
    """The Markdown table of all settings, for the reference page."""
    lines = ["| ajuste | tipo | si no se indica | ciudad | qué es |", "|--|--|--|--|--|"]
    for s in SETTINGS:
        kind = " · ".join(f"`{c}`" for c in s.choices) or _TYPE_WORDS[s.type]
        remote = "sí" if s.name in FROM_CITY else ""
        lines.append(f"| `{s.name}` | {kind} | {_default(s)} | {remote} | {s.help} |")
    return "\n".join(lines)


def _default(setting: Setting) -> str:
    if isinstance(setting.default, bool):
        return "sí" if setting.default else "no"
    return str(setting.default) if setting.default != "" else "(vacío)"


settings.add_command(city)
settings.add_command(settle)
