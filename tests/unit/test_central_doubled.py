"""Two copies of a card gave one folio to two people: neither is shown the other's matter."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from sqlalchemy import select

from central.app import create_app
from central.city import City
from central.context import Central
from central.demo_padron import known_accounts
from central.desk import Desk, DeskError, to_csv
from central.desk_access import all_facts_of
from central.desk_log import DeskLog, decode_log
from central.desk_page import create_desk_page
from central.ingest import Taken, take_batch
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import NodeState, add_node, set_state
from central.predial import liquidacion_row, liquidate
from central.projections import project
from central.projector import Projector
from central.rights import Erased, Held, Kept, erase, find_held
from central.rights_export import export
from central.schema import accounts, facts, liquidaciones, payments
from central.store import Store, insert_missing
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
TOKEN = "ficha-de-prueba"
KEY = CityKey(Ed25519PrivateKey.generate())
OFFICE = pyrage.x25519.Identity.generate()


def filed(node: NodeSimulator, description: str, service: str, folio: str = "") -> bytes:
    plain = json.dumps({"description": description}).encode()
    data = {"service_code": service, "recipient": "siac", "colonia": ""}
    data["sealed"] = bytes(pyrage.encrypt(plain, [OFFICE.to_public()], armored=True)).decode()
    if folio:
        return node.record(FactType.REPORT_PHOTO_ADDED, data | {"folio": folio})
    return node.record(FactType.REPORT_FILED, data)


class Cards:
    """One card and its copy, which file for two people under one folio; the copy speaks second."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.first = NodeSimulator()
        self.second = NodeSimulator(epoch=2, key=self.first.key)
        add_node(store, CITY.inegi, "COA007", self.first.public, NOW, replace=False)
        self.hers = filed(self.first, "La luz de Ana", "luminaria")
        self.folio = self.first.folio(Lane.REP)
        copy = NodeSimulator(key=self.first.key)
        self.his = filed(copy, "El bache de Beto", "bache")
        self.second.record(
            FactType.REPORT_RECOVERED, {"fact": self.his.decode(), "reason": "other_future"}
        )

    def deliver(self, *cards: NodeSimulator) -> None:
        for card in cards or (self.first, self.second):
            batch = decode_batch(card.batch(Lane.REP))
            assert isinstance(batch, Batch)
            assert isinstance(take_batch(self.store, CITY.inegi, batch, NOW), Taken)
        project(self.store, CITY.inegi, CITY.zone, NOW)

    def held(self) -> Held:
        found = find_held(self.store, CITY.inegi, self.folio)
        assert isinstance(found, Held)
        return found

    def desk(self, folder: Path) -> Desk:
        made = Desk(folder / "desk", "siac", OFFICE, "Eva")
        for raw in all_facts_of(self.store, CITY.inegi, "siac"):
            made.put(raw)
        return made


def id_of(raw: bytes) -> str:
    return str(json.loads(raw)["id"])


@pytest.fixture
def cards(store: Store) -> Cards:
    return Cards(store)


@pytest.fixture
def client(store: Store) -> FlaskClient:
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    made = Central(store, CITY, key, demo_perfil(), TOKEN, lambda: NOW, projector)
    return create_app(made).test_client()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_citizen_is_shown_neither_and_sent_to_the_window(
    cards: Cards, client: FlaskClient, order: tuple[int, int]
) -> None:
    both = (cards.first, cards.second)
    cards.deliver(both[order[0]])
    assert "Pendiente" in client.get(f"/f/{cards.folio}").text
    cards.deliver(both[order[1]])

    shown = client.get(f"/f/{cards.folio}").text

    assert "Vaya a la ventanilla con su comprobante" in shown
    assert CITY.help_phone in shown
    for said in ("Pendiente", "SIAC-", "Reporte", "20 de enero"):
        assert said not in shown
    path = f"/v1/folios/{cards.folio}"
    told = client.get(path, headers=cards.first.headers("GET", path)).json
    assert told == {
        "folio": cards.folio, "kind": "doble", "state": "Acuda a ventanilla",
        "city_folio": "", "opened_on": "", "updated_on": "",
    }  # fmt: skip


def test_the_same_matter_by_two_ways_is_one(cards: Cards, client: FlaskClient) -> None:
    again = NodeSimulator(epoch=2, key=cards.first.key)
    again.record(FactType.REPORT_RECOVERED, {"fact": cards.hers.decode(), "reason": "salvaged"})
    cards.deliver(cards.first, again)

    assert "Pendiente" in client.get(f"/f/{cards.folio}").text


def test_while_the_staff_have_not_looked_the_page_warns(cards: Cards, client: FlaskClient) -> None:
    cards.deliver(cards.first)
    assert "está en revisión" not in client.get(f"/f/{cards.folio}").text
    set_state(cards.store, CITY.inegi, "COA007", NodeState.QUARANTINED)

    assert "está en revisión" in client.get(f"/f/{cards.folio}").text


def test_the_staff_see_both_apart_with_their_epochs(cards: Cards, client: FlaskClient) -> None:
    filed(cards.second, "Una foto de Beto", "bache", cards.folio)
    third = NodeSimulator(epoch=3, key=cards.first.key)
    filed(third, "Foto de nadie sabe quién", "bache", cards.folio)
    cards.deliver(cards.first, cards.second, third)

    matters = [(m.id, m.is_known, [row.epoch for row in m.rows]) for m in cards.held().matters]
    assert matters[:2] == [(id_of(cards.hers), True, [1]), (id_of(cards.his), True, [2, 2])]
    assert [m[1:] for m in matters[2:]] == [(False, [3])]
    shown = client.get(f"/expediente?folio={cards.folio}&token={TOKEN}").text
    assert "Dos tarjetas del nodo COA007 dieron este folio" in shown
    assert id_of(cards.his) in shown
    node = client.get(f"/flota/COA007?token={TOKEN}").text
    assert f"folio={cards.folio}" in node.replace("&amp;", "&")


def test_one_is_erased_and_exported_without_the_other(cards: Cards, tmp_path: Path) -> None:
    cards.deliver()
    mine = {"who": "enlace", "why": "ARCO-1/2026", "at": NOW}

    refused = erase(cards.store, CITY.inegi, cards.folio, **mine)
    assert isinstance(refused, Kept)
    assert id_of(cards.hers) in refused.why
    assert isinstance(
        export(cards.store, CITY.inegi, cards.folio, tmp_path / "no", who="e", at=NOW), Kept
    )
    out = tmp_path / "out"
    found = export(cards.store, CITY.inegi, cards.folio, out, who="e", at=NOW, of=id_of(cards.hers))
    assert isinstance(found, Held)
    assert (out / "hechos.ndjson").read_bytes() == cards.hers + b"\n"
    assert json.loads((out / "expediente.json").read_text())["asunto"] is None

    done = erase(cards.store, CITY.inegi, cards.folio, of=id_of(cards.his), **mine)

    assert done == Erased(1, 0)
    with cards.store.begin() as connection:
        kept = [
            bytes(raw) for raw in connection.scalars(select(facts.c.raw).order_by(facts.c.epoch))
        ]
    assert kept[0] == cards.hers
    assert b"sealed" not in kept[1]


def test_one_debt_paid_under_one_folio_at_both_cards_is_owed_back_once(store: Store) -> None:
    account = known_accounts(NOW.date())[0][1].row(CITY.inegi)
    owed = liquidate(demo_perfil(), account["tax"], 0, NOW.date(), KEY.sign)
    first = NodeSimulator()
    copy, second = NodeSimulator(key=first.key), NodeSimulator(epoch=2, key=first.key)
    add_node(store, CITY.inegi, "COA007", first.public, NOW, replace=False)
    with store.begin() as connection:
        insert_missing(connection, accounts, [account])
        insert_missing(connection, liquidaciones, [liquidacion_row(CITY.inegi, owed)])
    paid = (owed.liquidacion.clave, owed.liquidacion.id, owed.liquidacion.total_centavos)
    assert first.pay(*paid) == copy.pay(*paid)
    for raw in copy.facts[Lane.PAY]:
        inner = {"fact": raw.decode(), "reason": "other_future"}
        second.record(FactType.PAYMENT_RECOVERED, inner)
    second.record(FactType.PAYMENT_RECOVERED, inner)  # once more changes nothing
    for card in (first, second):
        batch = decode_batch(card.batch(Lane.PAY))
        assert isinstance(batch, Batch)
        assert isinstance(take_batch(store, CITY.inegi, batch, NOW), Taken)
        project(store, CITY.inegi, CITY.zone, NOW)

    with store.begin() as connection:
        states = connection.scalars(select(payments.c.state).order_by(payments.c.state)).all()
    assert states == ["posted", "refund_owed"]


def test_at_the_desk_each_is_opened_alone(cards: Cards, tmp_path: Path) -> None:
    cards.deliver()
    desk = cards.desk(tmp_path)

    with pytest.raises(DeskError, match=id_of(cards.his)):
        desk.open(cards.folio, "Turnar", NOW)
    (opened,) = desk.open(cards.folio, "Turnar", NOW, of=id_of(cards.his))

    assert opened.said["description"] == "El bache de Beto"
    assert id_of(cards.his) in to_csv([opened])
    assert [(row["folio"], row["of"]) for row in desk.openings()] == [
        (cards.folio, id_of(cards.his))
    ]
    log = decode_log(desk.signed_log())
    assert isinstance(log, DeskLog)
    assert log.rows[0].of == id_of(cards.his)
    assert desk.never_opened() == ((cards.folio, id_of(cards.hers)),)


def test_the_desks_page_asks_which_one(cards: Cards, tmp_path: Path) -> None:
    cards.deliver()
    app, secret = create_desk_page(cards.desk(tmp_path), lambda: NOW)
    phone = app.test_client()

    listed = phone.get(f"/{secret}/").text
    assert "de dos personas" in listed
    form = {"folio": f"{cards.folio} {id_of(cards.hers)}", "why": "Turnar"}
    shown = phone.post(f"/{secret}/abrir", data=form).text

    assert "La luz de Ana" in shown
    assert "Beto" not in shown
    assert "dos asuntos" in shown
