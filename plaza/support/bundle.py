"""What goes into a help bundle, gathered from one node and scrubbed, as files of a tar that is then sealed.

Nothing of the ledger's content, of the gate's visits or of the leases is ever read for it: counts and
states only. Settings go by their known names; a secret's value never.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import tarfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyrage

from municipio.settings import SETTINGS, SettingsError
from plaza.doctor.collect import collect
from plaza.doctor.host import SERVICES, Host
from plaza.doctor.report import as_document, as_text
from plaza.doctor.snapshot import Snapshot
from plaza.doctor.table import examine
from plaza.doctor.words import words
from plaza.support.scrub import GONE, by_shape, plain_of, scrub, words_of
from sync.datadir import DataDir

LOG_LINES, LOG_BYTES = 300, 48 * 1024
"""Of each unit, the newest."""
FILE_BYTES = 256 * 1024
MIN_SECRET = 6
_SOURCES = ("municipio", "sync", "hardware", "captive_portal", "plaza", "kiosk")
_NOT_WORDS = ("demo", "simulat", "gallery", "strings", "assets", "static")
"""Parts of our source with names of imaginary people, or with none of our sentences."""
_SECRET = re.compile(r"pass|secret|token|(^|[._])key$|code|pin|credential", re.IGNORECASE)
README = """\
Paquete de ayuda de un nodo de Plaza.

No lleva datos de personas, direcciones de aparatos, folios ni llaves: lo que había en su lugar es «·».
doctor.txt       la revisión del nodo, con qué hacer
doctor.json      lo mismo para programas
node.json        lo que se vio: versiones, disco, red, cola, contenido
units.txt        los servicios según systemd
settings.json    los ajustes que no son los de fábrica
log/             los últimos renglones de cada servicio y del kernel
"""


def gather(data: DataDir, host: Host) -> dict[str, str]:
    """File name -> text, each bounded. Looks for some seconds."""
    seen = collect(data, host)
    findings, _ = examine(seen), words()
    known = vocabulary()
    made = {
        "LEEME.txt": README,
        "doctor.txt": by_shape(as_text(seen.node, findings, _)),
        "doctor.json": _json(plain_of(as_document(seen.node, findings, _))),
        "node.json": _json(plain_of(_figures(seen))),
        "units.txt": scrub(_units(host), known),
        "settings.json": _json(_settings(data, known)),
    }
    made |= {f"log/{name}.txt": scrub(text, known) for name, text in _logs(host)}
    held = held_secrets(data)
    return {name: _without(text, held)[-FILE_BYTES:] for name, text in made.items()}


def held_secrets(data: DataDir) -> tuple[str, ...]:
    """Every secret of this node that can be read, so that none passes however it looks: keys, and the
    passphrases of the site's file."""
    found: set[str] = set()
    for path in sorted((data.path / "keys").glob("*")) if (data.path / "keys").is_dir() else ():
        with contextlib.suppress(OSError, UnicodeDecodeError):
            if path.suffix != ".pub":
                found.update(line.strip() for line in path.read_text("utf-8").splitlines())
    with contextlib.suppress(OSError, ValueError):
        document = tomllib.loads((data.path / "site.toml").read_text("utf-8"))
        found.update(_secret_values(document))
    return tuple(sorted((text for text in found if len(text) >= MIN_SECRET), key=len, reverse=True))


def _secret_values(document: Mapping[str, Any]) -> Iterator[str]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from _secret_values(value)
        elif isinstance(value, str) and _SECRET.search(key):
            yield value


def _without(text: str, held: tuple[str, ...]) -> str:
    for secret in held:
        text = text.replace(secret, GONE)
    return text


def vocabulary() -> frozenset[str]:
    """The words that our programs may write."""
    texts = [Path(str(files("plaza.support"))).joinpath("system_words.txt").read_text("utf-8")]
    for package in _SOURCES:
        root = Path(str(files(package)))
        for path in (p for kind in ("*.py", "*.kv", "*.html") for p in root.rglob(kind)):
            if not any(word in str(path.relative_to(root)) for word in _NOT_WORDS):
                texts.append(path.read_text(encoding="utf-8"))
    return words_of(texts)


def seal(contents: Mapping[str, str], recipients: tuple[str, ...]) -> bytes:
    """A gzipped tar, sealed with age to every recipient. ValueError for a key that is none."""
    if not recipients:
        raise ValueError("nobody to seal the bundle for")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in contents.items():
            raw = text.encode()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(raw), int(datetime.now(UTC).timestamp())
            archive.addfile(entry, io.BytesIO(raw))
    try:
        keys = [pyrage.x25519.Recipient.from_str(name) for name in recipients]
    except pyrage.RecipientError as e:
        raise ValueError(f"support.recipients: {e}") from e
    return bytes(pyrage.encrypt(buffer.getvalue(), keys))


def _figures(seen: Snapshot) -> dict[str, Any]:
    document = asdict(seen)
    document.pop("settings_trouble")  # may quote what somebody typed
    if seen.site is not None:  # and so may the faults of the site's file
        faults = len(seen.site.faults)
        document["site"] = {
            "standing": seen.site.standing.value,
            "node": seen.site.node,
            "faults": faults,
        }
    return document


def _settings(data: DataDir, known: frozenset[str]) -> dict[str, Any]:
    """What is not as from the factory, by names that exist; a secret only says that it is set."""
    try:
        settings = data.settings()
    except SettingsError as e:
        return {"trouble": scrub(str(e), known)}
    told: dict[str, Any] = {}
    for setting in SETTINGS:
        value = settings.values[setting.name]
        if value == setting.default:
            continue
        hidden = bool(_SECRET.search(setting.name))
        told[setting.name] = "(oculto)" if hidden else value
        if isinstance(value, str) and not hidden:
            told[setting.name] = by_shape(value)
    return told


def _units(host: Host) -> str:
    names = ["plaza*"]
    return host.run(["systemctl", "list-units", "--all", "--plain", "--no-pager", *names]) or ""


def _logs(host: Host) -> Iterator[tuple[str, str]]:
    for name in SERVICES:
        yield name, _log(host, "-u", f"plaza-{name}.service")
    yield "kernel", _log(host, "-k", "-b", "-p", "warning")


def _log(host: Host, *which: str) -> str:
    """Newest lines: seconds of the clock, then what was said."""
    shown = host.run(
        ["journalctl", "--no-pager", "-q", "-o", "short-unix", "-n", str(LOG_LINES), *which]
    )
    lines = [_stamped(line) for line in (shown or "").splitlines()]
    return "\n".join(lines)[-LOG_BYTES:]


def _stamped(line: str) -> str:
    """`1767225600.123456 host unit[12]: text` as `2026-01-01T00:00:00Z text`; long numbers would go."""
    stamp, _, rest = line.partition(" ")
    said = rest.partition(": ")[2] or rest
    try:
        moment = datetime.fromtimestamp(float(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        return line
    return f"{moment:%Y-%m-%dT%H:%M:%SZ} {said}"


def _json(document: Any) -> str:
    """Dates are written as text."""
    return json.dumps(document, ensure_ascii=False, indent=1, default=str)
