"""Keep the gettext catalogues whole: extract, update, compile (`make strings`), or only check.

Every msgid is the Spanish sentence itself; es_MX and en must both have every one of them.
"""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
PACKAGES = ("municipio", "kiosk", "captive_portal", "plaza")
LOCALES = ("es_MX", "en")
_METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}


def extracted(package: str) -> Catalog:
    """Every message that the package's code and templates ask for."""
    catalog = Catalog(project="Plaza", version="", copyright_holder="", charset="utf-8")
    for name, line, message, comments, context in extract_from_dir(
        ROOT / package, method_map=_METHODS, keywords=_KEYWORDS
    ):
        catalog.add(
            message, None, [(f"{package}/{name}", line)], auto_comments=comments, context=context
        )
    return catalog


def po_path(package: str, locale: str) -> Path:
    return ROOT / package / "strings" / locale / "LC_MESSAGES" / f"{package}.po"


def mo_bytes(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def problems(package: str, locale: str) -> list[str]:
    """What is missing, fuzzy or out of date in one catalogue."""
    path = po_path(package, locale)
    if not path.exists():
        return [f"{path.relative_to(ROOT)} does not exist"]
    with path.open("rb") as file:
        catalog = read_po(file, locale=locale)
    where = path.relative_to(ROOT)
    found = []
    for message in extracted(package):
        if not message.id:
            continue
        entry = catalog.get(message.id, message.context)
        if entry is None:
            found.append(f"{where}: missing {message.id!r}")
        elif (
            entry.fuzzy
            or not entry.string
            or (isinstance(entry.string, tuple | list) and not all(entry.string))
        ):
            found.append(f"{where}: untranslated {message.id!r}")
    compiled = path.with_suffix(".mo")
    if not compiled.exists() or compiled.read_bytes() != mo_bytes(catalog):
        found.append(f"{where}: the compiled .mo is out of date (run `make strings`)")
    return found


def renew(package: str, locale: str) -> None:
    """Bring one catalogue up to date; Spanish fills itself, other languages are left to a person."""
    path = po_path(package, locale)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalog = Catalog(locale=locale)
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale=locale)
    catalog.update(extracted(package), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    _dress(catalog, package)
    if locale == "es_MX":
        for message in catalog:
            if message.id and not message.string:
                message.string = message.id
    with path.open("wb") as file:
        write_po(
            file, catalog, width=100, sort_output=True, omit_header=False, include_lineno=False
        )
    with path.open("rb") as file:
        path.with_suffix(".mo").write_bytes(mo_bytes(read_po(file, locale=locale)))


def _dress(catalog: Catalog, package: str) -> None:
    """The same head every time, so that a catalogue changes only when its texts do."""
    catalog.header_comment = f"# Texts of {package}. The msgid is the Spanish sentence itself."
    catalog.project, catalog.version = "Plaza", "1"
    catalog.msgid_bugs_address = catalog.last_translator = catalog.language_team = ""
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)
    catalog.fuzzy = False


def main() -> int:
    everything = [(p, loc) for p in PACKAGES for loc in LOCALES]
    if "--write" in sys.argv:
        for package, locale in everything:
            renew(package, locale)
    found = [line for package, locale in everything for line in problems(package, locale)]
    print("\n".join(found) or "The catalogues are whole.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
