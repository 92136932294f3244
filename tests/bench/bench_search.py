"""Search over 5,000 trámites, and how long a padrón takes to import. One JSON object per line."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.content import write_content
from central.demo import content_files, demo_tramites
from municipio.content import RECIPIENTS, encode_recipients, encode_values
from municipio.padron import PadronRow, encode_padron
from municipio.predial import (
    Account,
    Liquidacion,
    LiquidacionRow,
    SignedLiquidacion,
    encode_liquidacion,
)
from municipio.tramites import Tramite
from municipio.wire.keys import verify
from sync.catalogue import SqliteCatalogue
from sync.content_folder import Installed, install_content

TRAMITES = 5_000
ACCOUNTS = 20_000
AGE_KEY = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
ESCROW_KEY = "age1ggyxu8hsmdl0p6hsyd3grkejx8tfvvqgszuwwylt8jfp0qyz0pssks6tst"
PLACES = (
    "centro", "norte", "sur", "oriente", "poniente", "puerto", "playa", "monte", "laguna", "estero",
    "mercado", "parque", "escuela", "hospital", "avenida", "malecon", "terminal", "aduana",
)  # fmt: skip
QUERIES = (
    "pago predyal", "numero de casa", "acta nacimiento", "poda arbol", "permiso fiesta calle", "agua",
    "casarme", "licencia", "l", "li", "pago", "constancia de no adeudo", "lisensia de construcion",
    "perdial", "divorsio", "permiso para vender tacos en la calle", "quiero sacar el acta de mi hijo",
    "a", "c", "xqzwvk", "de la", "certificado de valor catastral norte 41", "cartiya militar",
)  # fmt: skip


def many_tramites() -> tuple[Tramite, ...]:
    """The demo cards again and again, each with words of its own so that the vocabulary grows too."""
    demo = demo_tramites()
    found = []
    for n in range(TRAMITES):
        source, turn = demo[n % len(demo)], n // len(demo)
        place = f"{PLACES[turn % len(PLACES)]} {turn}"
        prefix = source.id.rsplit("-", 1)[0]
        own = (*source.synonyms, f"{PLACES[n % len(PLACES)]}{n:x}")
        name = source.name if turn == 0 else f"{source.name} {place}"
        found.append(replace(source, id=f"{prefix}-{n + 1}", name=name, synonyms=own))
    return tuple(found)


def padron(key: Ed25519PrivateKey) -> list[PadronRow]:
    row = LiquidacionRow(2026, 124500, 12450, "1", 0, 0, 0, 27390, 109560)
    day, until = date(2026, 1, 20), date(2026, 1, 31)
    rows = []
    for n in range(ACCOUNTS):
        clave = f"{n:022d}"
        due = Liquidacion(f"L{n}", clave, day, until, (row,), 109560, "", "demo")
        payload = encode_liquidacion(due)
        account = Account(clave, "M. L. H.", "Calle Juárez", "Centro", "urbano")
        rows.append(PadronRow(account, SignedLiquidacion(due, payload, key.sign(payload))))
    return rows


def say(what: str, value: float, unit: str, goal: str = "") -> None:
    line = {"what": what, "value": round(value, 2), "unit": unit, "goal": goal}
    print(json.dumps(line, ensure_ascii=False))


def main() -> None:
    key = Ed25519PrivateKey.generate()
    with tempfile.TemporaryDirectory() as name:
        folder, target = Path(name) / "content", Path(name) / "catalogue.sqlite"
        files = {
            **content_files(),
            "tramites.json": encode_values(many_tramites()),
            "recipients.json": encode_recipients({r: [AGE_KEY, ESCROW_KEY] for r in RECIPIENTS}),
            "padron.ndjson": encode_padron(padron(key)),
        }
        write_content(
            folder,
            files,
            version="2026-01-20.1",
            created=date(2026, 1, 20),
            inegi="30039",
            sign=key.sign,
        )
        start = time.perf_counter()
        done = install_content(
            folder, target, verify=partial(verify, key.public_key()), inegi="30039"
        )
        took = time.perf_counter() - start
        assert isinstance(done, Installed), done
        say(f"content import: {TRAMITES:,} trámites and padrón", ACCOUNTS / took, "accounts/s")
        catalogue = SqliteCatalogue(target)
        start = time.perf_counter()
        catalogue.content_date()
        say(f"catalogue open, {TRAMITES:,} trámites", (time.perf_counter() - start) * 1000, "ms")
        measure(catalogue)


def measure(catalogue: SqliteCatalogue) -> None:
    times = []
    for _ in range(10):
        for query in QUERIES:
            start = time.perf_counter()
            catalogue.search_tramites(query, 20)
            times.append((time.perf_counter() - start) * 1000)
    p95 = statistics.quantiles(times, n=20)[-1]
    say(f"search over {TRAMITES:,} trámites", p95, "ms p95", "<= 10")
    say(f"search over {TRAMITES:,} trámites", statistics.median(times), "ms median")
    say(f"search over {TRAMITES:,} trámites", max(times), "ms worst")


if __name__ == "__main__":
    main()
