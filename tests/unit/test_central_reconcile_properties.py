"""Money is neither made nor lost by reconciling, however the bank's movements are cut into files."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from central.app import create_app
from central.city import City
from central.context import Central
from central.demo_padron import known_accounts
from central.ingest import Taken, take_batch
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.predial import liquidacion_row, liquidate
from central.projector import Projector
from central.reconcile import import_file, reconcile
from central.schema import accounts, liquidaciones, payments
from central.schema_money import settlement_lines
from central.settlements import parse_mapping, read_file
from central.store import Store, insert_missing, open_store
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane
from municipio.liquidacion import Liquidacion
from municipio.references import collection_reference, oxxo_25
from municipio.wire.batch import Batch, decode_batch

CITY = City()
DAY = date(2026, 1, 20)
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
KEY = CityKey(Ed25519PrivateKey.generate())
FOLDER = resources.files("central").joinpath("demo/conciliacion")
CARD = parse_mapping(FOLDER.joinpath("adquirente-demo.toml").read_text(encoding="utf-8"))
OXXO = parse_mapping(FOLDER.joinpath("oxxo-demo.toml").read_text(encoding="utf-8"))
HEAD = ",".join(title for title in CARD.columns.values() if title)
ENDS = {
    "taken": FactType.PAYMENT_TAKEN,
    "unknown": FactType.PAYMENT_UNKNOWN,
    "declined": FactType.PAYMENT_RESOLVED,
}
ends = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(sorted(ENDS))), min_size=1, max_size=6)


def open_town(path: str) -> tuple[Store, NodeSimulator, list[Liquidacion]]:
    store, node = open_store(f"sqlite:///{path}/c.sqlite"), NodeSimulator()
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    owed = []
    with store.begin() as connection:
        for _, account in known_accounts(DAY)[:3]:
            row = account.row(CITY.inegi)
            signed = liquidate(demo_perfil(), row["tax"], 0, DAY, KEY.sign)
            insert_missing(connection, accounts, [row])
            insert_missing(connection, liquidaciones, [liquidacion_row(CITY.inegi, signed)])
            owed.append(signed.liquidacion)
    return store, node, owed


def deliver(store: Store, node: NodeSimulator) -> None:
    batch = decode_batch(node.batch(Lane.PAY))
    assert isinstance(batch, Batch)
    assert isinstance(take_batch(store, CITY.inegi, batch, NOW), Taken)


def charge(node: NodeSimulator, owed: Liquidacion, key: str, end: str) -> None:
    about = {"key": key, "clave": owed.clave, "liquidacion_id": owed.id, "method": "card"}
    data = {**about, "amount_centavos": owed.total_centavos}
    node.record(FactType.PAYMENT_INTENDED, data)
    node.record(ENDS[end], {**data, "folio": node.folio(Lane.PAY), "outcome": "declined"})


def sale(id: int, key: str, centavos: int) -> str:
    pesos = f"{centavos // 100}.{centavos % 100:02d}"
    return f"{id},20/01/2026,{pesos},0,0,{pesos},,,{key},VENTA\n"


@given(ends, st.lists(st.integers(0, 5), max_size=10), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_every_reported_centavo_is_once_in_the_books(
    made: list[tuple[int, str]], reported: list[int], cuts: int
) -> None:
    with tempfile.TemporaryDirectory() as path:
        store, node, owed = open_town(path)
        for number, (account, end) in enumerate(made):
            charge(node, owed[account], f"k{number}", end)
        deliver(store, node)
        known = [n % len(made) for n in reported]
        rows = [sale(id, f"k{n}", owed[made[n][0]].total_centavos) for id, n in enumerate(known)]
        for cut in range(cuts):  # files that overlap: each repeats all that came before
            text = HEAD + "\n" + "".join(rows[: (cut + 1) * len(rows) // cuts])
            file = read_file(text.encode(), CARD)
            import_file(store, CITY, f"{cut}.csv", file, CARD, NOW)
            reconcile(store, CITY, NOW)
        before = reconcile(store, CITY, NOW)
        assert reconcile(store, CITY, NOW) == before
        with store.begin() as connection:
            posted = connection.execute(select(payments)).all()
            lines = connection.execute(select(settlement_lines)).all()
        store.close()
    told = {n for n, (_, end) in enumerate(made) if end == "taken"}
    expected = sum(owed[made[n][0]].total_centavos for n in told | set(known))
    again = [n for place, n in enumerate(known) if n in known[:place]]
    expected += sum(owed[made[n][0]].total_centavos for n in again)
    assert sum(row.amount_centavos for row in posted) == expected
    settled = [row.clave for row in posted if row.state == "posted"]
    assert len(settled) == len(set(settled)), "one debt is settled once, the rest is owed back"
    assert {row.state for row in posted} <= {"posted", "refund_owed"}
    assert len(lines) == len(known)
    assert sum(row.state == "doubled" for row in lines) == len(again)


def test_a_kiosk_sees_the_new_balance_after_a_pase_was_paid(tmp_path: Path) -> None:
    store, node, (_, owed, _) = open_town(str(tmp_path))
    data = {"clave": owed.clave, "liquidacion_id": owed.id, "due": owed.valid_until.isoformat()}
    node.record(FactType.PASE_ISSUED, {**data, "amount_centavos": owed.total_centavos})
    deliver(store, node)
    projector = Projector(store, CITY, lambda: NOW)
    app = create_app(Central(store, CITY, KEY, demo_perfil(), "t", lambda: NOW, projector))
    path = f"/v1/predial/{owed.clave}"

    def ask() -> dict[str, object]:
        reply = app.test_client().get(path, headers=node.headers("GET", path))
        return dict(json.loads(reply.data))

    assert "liquidacion" in ask()
    reference = collection_reference("039", 7, 1)
    code = oxxo_25("09", reference, owed.total_centavos, owed.valid_until)
    text = f"FECHA|IMPORTE|COMISION|CODIGO\n20260121|{owed.total_centavos}|0|{code}\n"
    import_file(store, CITY, "o.csv", read_file(text.encode(), OXXO), OXXO, NOW)
    assert reconcile(store, CITY, NOW).pases_paid == 1
    assert ask() == {
        "already_paid": {
            "clave": owed.clave,
            "paid_on": "2026-01-21",
            "folio": node.folio(Lane.PAY),
        }
    }
    store.close()
