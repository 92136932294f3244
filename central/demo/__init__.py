"""Demo content of a city: everything in it that a citizen could take for real is marked as demonstration.

The loaders turn the TOML files beside this module into the bytes of a content folder's files. The
padrón and the recipients' keys are not here: they are made for each demo city.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from importlib.resources import files
from typing import Any

from municipio.content import encode_emergency, encode_values
from municipio.reports import Service
from municipio.terms import LANGUAGES, Terms, make_terms
from municipio.tramites import Category, Cost, CostKind, Requirement, Tramite

CITY_CODE = "COA"
ONLINE_PAGE = "https://tramites.example/"
"""Page of the trámites that can be started on line; `.example` is reserved (RFC 2606)."""
DEMO_COST = "Costo de demostración."

Document = Mapping[str, Any]


def content_files() -> dict[str, bytes]:
    """The bytes of every demo file, by its name in a content folder; all but padrón and recipients."""
    makers: dict[str, Callable[[], bytes]] = {
        "tramites.json": lambda: encode_values(demo_tramites()),
        "categories.json": lambda: encode_values(demo_categories()),
        "services.json": lambda: encode_values(demo_services()),
        "colonias.json": lambda: encode_values(demo_colonias()),
        "emergency.json": lambda: encode_emergency(demo_emergency()),
        "terms.json": lambda: encode_values(demo_terms()),
    }
    return {name: make() for name, make in makers.items()}


def demo_tramites() -> tuple[Tramite, ...]:
    """The 115 cards, by dependency and in the order of the files."""
    folder = files(f"{__name__}.tramites")
    names = sorted(f.name for f in folder.iterdir() if f.name.endswith(".toml"))
    shared = tomllib.loads(folder.joinpath("comunes.toml").read_text("utf-8"))
    documents = (folder.joinpath(n).read_text("utf-8") for n in names if n != "comunes.toml")
    return tuple(t for text in documents for t in _cards(tomllib.loads(text), shared))


def demo_categories() -> tuple[Category, ...]:
    return tuple(Category(**row) for row in _document("categories.toml")["category"])


def demo_services() -> tuple[Service, ...]:
    rows = _document("city.toml")["service"]
    return tuple(Service(**{**row, "keywords": tuple(row["keywords"])}) for row in rows)


def demo_colonias() -> tuple[str, ...]:
    return tuple(_document("city.toml")["colonias"])


def demo_emergency() -> tuple[tuple[str, str], ...]:
    """(name, number) pairs: only numbers that are confirmed."""
    return tuple((name, number) for name, number in _document("city.toml")["emergency"])


def demo_terms() -> tuple[Terms, ...]:
    """Terms and notices in every language, with their hashes."""
    document = _document("terms.toml")
    return tuple(
        make_terms(
            version=document["version"],
            language=language,
            **{key: text.strip() for key, text in document[language].items()},
        )
        for language in LANGUAGES
    )


def _document(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__name__).joinpath(name).read_text("utf-8"))


def _cards(document: Document, shared: Document) -> Iterator[Tramite]:
    numbers: dict[str, int] = {}
    for row in document["tramite"]:
        unit = row["unit"]
        numbers[unit] = numbers.get(unit, 0) + 1
        yield _card(
            row, document, shared, f"{CITY_CODE}-T-{document['code']}-{unit}-{numbers[unit]}"
        )


def _card(row: Document, document: Document, shared: Document, id_: str) -> Tramite:
    unit = document["units"][row["unit"]]
    return Tramite(
        id=id_,
        name=row["name"],
        dependency=document["dependency"],
        unit=unit["name"],
        category=row["category"],
        description=row["description"],
        cases=row["cases"],
        requirements=tuple(_requirement(text, shared) for text in row["requires"]),
        cost=_cost(row["cost"], row.get("cost_note", ""), shared["uma_centavos"]),
        time_text=row.get("time_text", _time_text(row["days"])),
        time_days=row["days"],
        validity=row["validity"],
        hours=unit["hours"],
        place=unit["place"],
        phone=unit["phone"],
        legal_basis=tuple(row["law"]),
        obtains=tuple(row["obtains"]),
        channels=tuple(row["channels"]),
        online_url=ONLINE_PAGE + id_ if "en_linea" in row["channels"] else "",
        synonyms=tuple(row["synonyms"]),
        consulted=row["consulted"],
    )


def _requirement(text: str, shared: Document) -> Requirement:
    """`name | originals+copies | note`, `@key` for a shared one, `*` when the city already holds it."""
    line = shared["requisitos"][text[1:]] if text.startswith("@") else text
    name, count, note = (*(part.strip() for part in line.split("|")), "", "")[:3]
    if count == "*":
        return Requirement(name, 0, 0, note, held_by_government=True)
    originals, copies = count.split("+")
    return Requirement(name, int(originals), int(copies), note)


def _cost(text: str, note: str, uma_centavos: int) -> Cost:
    """`none`, `variable`, `uma 3.5` or pesos (`169.00`)."""
    marked = f"{note} {DEMO_COST}".strip()
    if text == "none":
        return Cost(CostKind.NONE, note=note)
    if text == "variable":
        return Cost(CostKind.VARIABLE, note=marked)
    if text.startswith("uma "):
        uma = text.removeprefix("uma ")
        pesos = Decimal(uma) * uma_centavos
        centavos = int(pesos.quantize(Decimal(1), ROUND_HALF_UP))
        return Cost(CostKind.UMA, amount_centavos=centavos, uma=uma, note=marked)
    return Cost(CostKind.FIXED, amount_centavos=int(Decimal(text) * 100), note=marked)


def _time_text(days: int) -> str:
    if days == 0:
        return "Inmediato"
    return "1 día hábil" if days == 1 else f"{days} días hábiles"
