"""The reference page of `plaza.toml`, made from its keys."""

from __future__ import annotations

from municipio.site_file.judge import allowed_words
from municipio.site_file.keys import BY_NAME, KEYS, SECTIONS
from municipio.site_file.shape import ANY, Key, Value

HEAD = """\
# `plaza.toml`: todas las claves

El único archivo que edita un técnico. Va en la partición `PLAZA` de la tarjeta. Se hace con la página
`nuevo-sitio.html`, con la página «Nuevo sitio» de la ciudad o con `plaza site new`; lo juzga
`plaza site check`. Una clave que no se indica tiene el valor de la columna «si no se indica».
🔒: al encender se guarda en el nodo y aquí queda `"(guardado en el nodo)"`."""


def keys_page() -> str:
    """Markdown, one table a section."""
    lines = [HEAD]
    for section, title in SECTIONS.items():
        lines += ["", f"## `[{section}]` {title}", ""]
        lines += ["| clave | si no se indica | se admite | qué es |", "|--|--|--|--|"]
        lines += [_row(key) for key in KEYS if key.section == section]
    return "\n".join(lines)


def _row(key: Key) -> str:
    mark = " 🔒" if key.is_secret else ""
    default = "**obligatorio**" if key.is_needed else default_words(key.default)
    when = f" Solo si {_when(key)}." if key.when else ""
    return f"| `{key.word}`{mark} | {default} | {_choices(key)} | {key.label}. {key.help}{when} |"


def _choices(key: Key) -> str:
    if key.allowed or not key.choices:
        return allowed_words(key).replace("|", "\\|")
    return "<br>".join(f'`"{value}"` {words}' for value, words in key.choices)


def default_words(value: Value) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value) if value != "" else "(vacío)"


def _when(key: Key) -> str:
    assert key.when is not None, "asked only of keys with a condition"
    other = BY_NAME[key.when.key]
    place = "" if other.section == key.section else f" de `[{other.section}]`"
    if key.when.values == (ANY,):
        return f"se indica `{other.word}`{place}"
    return f"`{other.word}`{place} es " + " o ".join(f'`"{v}"`' for v in key.when.values)
