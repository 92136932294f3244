"""The staff's page of the fleet with 2,000 nodes, as the application answers it (no browser, no network).

Prints one JSON object per figure: the slowest of several pages, on a SQLite file and on PostgreSQL.
"""

from __future__ import annotations

import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from sqlalchemy import text

from central.app import create_app
from central.city import City
from central.context import Central
from central.keys import CityKey
from central.projector import Projector
from central.schema import nodes
from central.schema_fleet import places, tallies, vitals
from central.store import open_store
from central.trial_postgres import NoPostgres, trial_postgres
from central.wiring import demo_perfil
from municipio.facts import format_time

NODES = 2000
PAGES = 20
TRAMITES = 20
MONTH = (
    *(("connections", "es_MX"), ("transactions", "card"), ("centavos", "card"), ("receipts", "")),
    *(("consulted", f"COA-T-X-{n}") for n in range(TRAMITES)),
)
PARTS = ("clock", "device:health", "device:printer", "energy", "node", "queue:pay", "queue:vit")


def measure(url: str, engine: str) -> None:
    store, city, now = open_store(url), City(), datetime.now(UTC)
    at = format_time(now)
    codes = [f"{'COA' if n < 1000 else 'COB'}{n % 1000:03d}" for n in range(NODES)]
    with store.begin() as connection:
        connection.execute(nodes.insert(), [
            {"inegi": city.inegi, "node": code, "state": "active", "note": "", "added_at": at,
             "last_contact_at": at, "site": f"Plaza {code}"} for code in codes
        ])  # fmt: skip
        connection.execute(places.insert(), [
            {"inegi": city.inegi, "node": code, "placed_at": at,
             "lat_e6": 18_000_000 + n * 37 % 300_000, "lon_e6": -94_500_000 + n * 91 % 400_000}
            for n, code in enumerate(codes)
        ])  # fmt: skip
        connection.execute(vitals.insert(), [
            {"inegi": city.inegi, "node": code, "name": name, "cause": "", "detail": "", "since": at,
             "state": "unknown" if n % 20 == 0 and name == "device:printer" else "ready",
             "told_at": at, "epoch": 1, "seq": 1}
            for n, code in enumerate(codes) for name in PARTS
        ])  # fmt: skip
        month = now.astimezone(city.zone).strftime("%Y-%m")
        connection.execute(tallies.insert(), [
            {"inegi": city.inegi, "month": month, "node": code, "what": what, "part": part, "value": 7}
            for code in codes for what, part in MONTH
        ])  # fmt: skip
        connection.execute(text("ANALYZE"))
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, city, lambda: now)
    central = Central(store, city, key, demo_perfil(), "t", lambda: now, projector)
    client = create_app(central).test_client()
    fleet = [f"/flota?token=t&pagina={page}" for page in range(1, PAGES + 1)]
    show(client, f"fleet page with {NODES:,} nodes, {engine}", fleet)
    month = ["/indicadores?token=t"] * 5
    show(client, f"month of {NODES:,} nodes, {TRAMITES} trámites in each, {engine}", month)
    store.close()


def show(client: FlaskClient, what: str, paths: list[str]) -> None:
    spent = []
    for path in paths:
        began = time.perf_counter()
        assert client.get(path).status_code == 200
        spent.append(1000 * (time.perf_counter() - began))
    worst, middle = max(spent[1:]), sorted(spent)[len(spent) // 2]
    print(json.dumps({"what": what, "value": round(middle, 1), "unit": "ms p50", "goal": "< 200"}))
    print(json.dumps({"what": what, "value": round(worst, 1), "unit": "ms worst", "goal": "< 200"}))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        measure(f"sqlite:///{Path(folder)}/central.sqlite", "SQLite")
    try:
        with trial_postgres() as url:
            measure(url.format(database="postgres"), "PostgreSQL")
    except NoPostgres as missing:
        print(json.dumps({"what": "fleet page, PostgreSQL", "value": str(missing)}))
