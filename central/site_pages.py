"""The staff's page 'Nuevo sitio': makes a node's enrolment code, approved beforehand, and its plaza.toml.

The form is drawn from the same keys that a node judges by, without JavaScript. What the city knows of
itself (its address, letters, INEGI code and public key) it fills in.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations

from flask import Blueprint, Response, request

from central.context import Central, central
from central.dashboard import page, staff_only
from central.dashboard_door import staff_name_of_form
from central.enrolment import Enrolling, make_code, next_free_node
from central.nodes import CITY_NUMBER, NODE_CODE, NodeError
from central.pages import error_page
from central.rights_audit import note
from municipio.site_file.fault import SiteFault, fault_lines
from municipio.site_file.form import typed_value
from municipio.site_file.judge import judge, typed_words
from municipio.site_file.keys import BY_NAME, KEYS, SECTIONS
from municipio.site_file.parse import parse_site_file
from municipio.site_file.plan import SitePlan
from municipio.site_file.shape import Key, Kind, Value
from municipio.site_file.write import write_site_file

site_pages = Blueprint("sites", __name__)

DAYS = 14
OF_THE_CITY = ("city.letters", "city.inegi", "city.code", "city.key", "site.number")
"""Keys that nobody types here."""


@dataclass(frozen=True, slots=True)
class MadeSite:
    """What the technician gets. The codes are shown this once."""

    node: str
    name: str
    code: str
    site_code: str
    text: str
    days: int = DAYS

    @property
    def download(self) -> str:
        """The file as a link: with a mark and CRLF, so that any Windows editor shows it right."""
        raw = b"\xef\xbb\xbf" + self.text.replace("\n", "\r\n").encode()
        return f"data:application/octet-stream;base64,{base64.b64encode(raw).decode()}"


@site_pages.get("/sitios/nuevo")
@staff_only
def new_page() -> Response:
    return _form({"city.url": request.url_root.rstrip("/")}, "", ())


@site_pages.post("/sitios/nuevo")
def make() -> Response:
    who = staff_name_of_form()
    if not who:
        return error_page(401)
    typed = {k.name: request.form.get(k.name, "").strip() for k in KEYS}
    wanted = request.form.get("node", "").strip().upper()
    done = make_site(central(), typed, wanted, who)
    if isinstance(done, MadeSite):
        return page("site_made.html", made=done)
    return _form(typed, wanted, tuple(fault_lines(done)), 422)


def make_site(
    c: Central, typed: Mapping[str, str], wanted: str, who: str
) -> MadeSite | tuple[SiteFault, ...]:
    """Judge everything first: a code is made only for a file that a node will believe."""
    values = _values(c, typed)
    if isinstance(values, tuple):
        return values
    try:
        node = wanted or next_free_node(c.store, c.city.inegi, c.city.code)
    except NodeError as e:
        return (SiteFault(str(e)),)
    if not NODE_CODE.fullmatch(node) or not node.startswith(c.city.code):
        example = f"{c.city.code}007"
        return (SiteFault("el nodo no es uno de esta ciudad", allowed=f"como {example}, o vacío"),)
    if node.endswith(CITY_NUMBER):
        allowed = f"{c.city.code}001 a {c.city.code}999, o vacío"
        return (
            SiteFault(f"{node} es el número de la ciudad misma, no de un nodo", allowed=allowed),
        )
    values["site.number"] = int(node[3:])
    judged = parse_site_file(write_site_file(values).encode())
    if not isinstance(judged, SitePlan):
        return tuple(SiteFault(f.what, f.key, 0, f.allowed, f.nearest) for f in judged)
    name = judged.text("site.name")
    enrolling = Enrolling(node, name, timedelta(days=DAYS), is_preapproved=True)
    code = str(make_code(c.store, c.city.inegi, enrolling, secrets.randbelow, c.now()))
    with c.store.begin() as connection:
        note(connection, c.city.inegi, who, "site.made", c.now(), detail=f"{node} {name}")
    text = write_site_file({**judged.values, "city.code": code})
    return MadeSite(node, name, code, judged.text("technician.code"), text)


def _values(c: Central, typed: Mapping[str, str]) -> dict[str, Value] | tuple[SiteFault, ...]:
    values: dict[str, Value] = {}
    faults = []
    for key in KEYS:
        if key.name in OF_THE_CITY or not typed.get(key.name):
            continue
        value = judge(key, typed_value(key, typed[key.name].replace("\r\n", "\n")))
        if isinstance(value, SiteFault):
            faults.append(value)
        else:
            values[key.name] = value
    values |= {
        "city.letters": c.city.code,
        "city.inegi": c.city.inegi,
        "city.key": c.key.public_pem.decode("ascii"),
    }
    values.setdefault("technician.code", f"{secrets.randbelow(10**8):08d}")
    return tuple(faults) or values


def _form(
    typed: Mapping[str, str], wanted: str, faults: tuple[str, ...], status: int = 200
) -> Response:
    asked = [k for k in KEYS if k.name not in OF_THE_CITY]
    sections = [
        (title, *_split([k for k in asked if k.section == name]))
        for name, title in SECTIONS.items()
    ]
    return page(
        "site_new.html",
        status,
        sections=sections,
        typed=typed,
        wanted=wanted,
        faults=faults,
        shown=_shown,
        options=_options,
        help=_help,
        when=_when,
        days=DAYS,
    )


def _split(keys: list[Key]) -> tuple[list[Key], list[Key]]:
    return [k for k in keys if not k.is_rare], [k for k in keys if k.is_rare]


def _shown(key: Key, typed: Mapping[str, str]) -> str:
    default = ",".join(key.default) if isinstance(key.default, tuple) else str(key.default)
    return typed.get(key.name, "" if default == "0" and key.low else default)


def _options(key: Key) -> list[tuple[str, str]]:
    """The choices; of a list every order of them, because the order means something."""
    if key.kind is not Kind.LIST:
        return list(key.choices)
    words = dict(key.choices)
    orders = [o for n in range(len(words), 0, -1) for o in permutations(words, n)]
    said = ([words[o[0]], *(words[value].lower() for value in o[1:])] for o in orders)
    return [(",".join(o), ", después ".join(s)) for o, s in zip(orders, said, strict=True)]


def _help(key: Key) -> str:
    """What a field is, and what may be typed in it."""
    words = "" if key.choices else typed_words(key)
    return f"{key.help} {words[:1].upper()}{words[1:]}.".removesuffix(" .")


def _when(key: Key) -> str:
    """On what a field hangs, for a form that cannot hide it."""
    if key.when is None:
        return ""
    other = BY_NAME[key.when.key]
    words = dict(other.choices)
    values = " o ".join(f"«{words.get(v, v)}»" for v in key.when.values)
    return f"Solo con {other.label}{'' if not words else f': {values}'}."
