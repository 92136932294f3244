"""`plaza.toml` to a `SitePlan`, or every fault at once. Hostile bytes end as a fault and never raise."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from municipio.site_file.decode import decode
from municipio.site_file.fault import SiteFault
from municipio.site_file.judge import judge, judge_together
from municipio.site_file.keys import BY_NAME, KEYS, SECTIONS
from municipio.site_file.lines import lines_of
from municipio.site_file.plan import SitePlan
from municipio.site_file.shape import Value

MAX_FAULTS = 40
"""More are of no use to a person, and each costs the search for its line."""


def parse_site_file(raw: bytes) -> SitePlan | tuple[SiteFault, ...]:
    """Judge a whole file. Its name does not matter: `plaza.toml.txt` holds the same bytes."""
    decoded = decode(raw)
    if isinstance(decoded, SiteFault):
        return (decoded,)
    text, _ = decoded
    document = _document(text)
    if isinstance(document, SiteFault):
        return (document,)
    said, faults = _read(document)
    values = {key.name: key.default for key in KEYS} | said
    faults += [_of_whole_file(f, said) for f in judge_together(values, _bad_keys(faults))]
    if faults:
        return _with_lines(faults[:MAX_FAULTS], text)
    return SitePlan(values)


def _document(text: str) -> dict[str, Any] | SiteFault:
    try:
        return tomllib.loads(text)
    except RecursionError:
        return SiteFault("hay demasiados corchetes o llaves unos dentro de otros")
    except ValueError as bad:
        found = re.search(r"line (\d+)", str(bad))
        line = int(found[1]) if found else text.rstrip("\n").count("\n") + 1
        words = _slip(text.split("\n")[line - 1]) or _toml_words(str(bad))
        return SiteFault(words, line=line, allowed='clave = "valor"')


_TOML_WORDS: tuple[tuple[str, str], ...] = (
    ("Cannot overwrite a value", "esta clave está dos veces en su sección"),
    ("Cannot declare", "esta sección está dos veces"),
    ("Cannot mutate immutable", "esta clave está dos veces"),
    ("Invalid value", "falta el valor, o un texto no está entre comillas"),
    ("Expected '=' after a key", "falta el signo = después de la clave"),
    ("Unescaped '\\'", "dentro de comillas dobles la diagonal \\ se escribe \\\\"),
    ("Illegal character", "hay un texto sin comilla final, o un signo que no se ve"),
    ("Unterminated string", "falta la comilla final"),
    ("Expected ']'", "falta el corchete ] de la sección"),
    ("Expected newline or end", "sobra texto después del valor (¿falta una comilla?)"),
    ("Invalid statement", "esta línea no es una clave, una sección ni un comentario (#)"),
    ("Invalid initial character", "la clave empieza con un signo que no se admite"),
    ("Unclosed array", "falta el corchete ] de la lista"),
)


_SLIPS: tuple[tuple[str, str], ...] = (
    (r"[^=#\"']*=\s*[+-]?0[0-9]+\s*(#.*)?", "un número se escribe sin ceros delante"),
    (r"[^=#\"']*=\s*[“”„«‘’].*", 'las comillas deben ser rectas, como "'),
)
"""What a person meant is plain from the line, and the parser's own words would lead astray."""


def _slip(line: str) -> str:
    return next((words for shape, words in _SLIPS if re.fullmatch(shape, line)), "")


def _toml_words(message: str) -> str:
    return next((words for start, words in _TOML_WORDS if start in message), "no se entiende")


def _read(document: Mapping[str, Any]) -> tuple[dict[str, Value], list[SiteFault]]:
    """Values that are right by themselves, and what is wrong with the others."""
    said: dict[str, Value] = {}
    faults: list[SiteFault] = []
    for section, table in document.items():
        if section not in SECTIONS:
            faults.append(_unknown_section(section, table))
        elif not isinstance(table, Mapping):
            faults.append(SiteFault(f"«{section}» es una sección", section, allowed=f"[{section}]"))
        else:
            for word, value in table.items():
                name = f"{section}.{word}"
                key = BY_NAME.get(name)
                judged = _unknown_key(name) if key is None else judge(key, value)
                if isinstance(judged, SiteFault):
                    faults.append(judged)
                else:
                    said[name] = judged
    return said, faults


def _unknown_section(section: str, table: object) -> SiteFault:
    shown = _shown(section)
    if not isinstance(table, Mapping):
        words = [k.word for k in KEYS]
        near = difflib.get_close_matches(section[:64], words, n=1, cutoff=0.6)
        key = next((k for k in KEYS if near and k.word == near[0]), None)
        allowed = f"después de su sección, como [{key.section}]" if key else ""
        name = key.name if key else ""
        return SiteFault(
            f"la clave «{shown}» no está en ninguna sección", section, 0, allowed, name
        )
    near = difflib.get_close_matches(section[:64], SECTIONS, n=1, cutoff=0.5)
    return SiteFault(
        f"la sección [{shown}] no existe", section, 0,
        "" if near else ", ".join(f"[{s}]" for s in SECTIONS), f"[{near[0]}]" if near else "",
    )  # fmt: skip


def _unknown_key(name: str) -> SiteFault:
    section, _, word = name.partition(".")
    here = [k.name for k in KEYS if k.section == section]
    near = (
        difflib.get_close_matches(name[:64], here, n=1, cutoff=0.6)
        or [k.name for k in KEYS if k.word == word][:1]
    )
    close = near or difflib.get_close_matches(name[:64], BY_NAME, n=1, cutoff=0.6)
    allowed = "" if close else ", ".join(n.partition(".")[2] for n in here)
    return SiteFault(
        f"la clave «{_shown(word)}» no existe en [{section}]", name, 0, allowed, "".join(close)
    )


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:40])


def _bad_keys(faults: list[SiteFault]) -> frozenset[str]:
    """Keys that were said, wrongly: they are not missing, and nothing is judged by them."""
    return frozenset(f.key for f in faults) | {f.nearest for f in faults}


def _of_whole_file(fault: SiteFault, said: Mapping[str, Value]) -> SiteFault:
    """A key that the file does not hold has no line: then the fault is of the whole file."""
    return fault if fault.key in said else replace(fault, line=-1)


def _with_lines(faults: Sequence[SiteFault], text: str) -> tuple[SiteFault, ...]:
    paths = {f.key: tuple(f.key.split(".", 1)) for f in faults if f.key and f.line != -1}
    lines = lines_of(text, list(paths.values()))
    return tuple(replace(f, line=lines[paths[f.key]] if f.key in paths else 0) for f in faults)
