"""The staff's pages of the fleet and the month: what they say, who may see them, what a button may do."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from sqlalchemy import update

from central.app import create_app
from central.charts import Spot, draw_bars, draw_map
from central.city import City
from central.cli import main
from central.context import Central
from central.dashboard_words import age_in_words
from central.demo import demo_tramites
from central.fleet import Standing, fleet, set_place
from central.indicators import (
    month_before,
    month_report,
    replace_services,
    replace_tramites,
)
from central.ingest import take_batch
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import NodeError, NodeState, add_node, set_state
from central.projections import project
from central.projector import Projector
from central.rights_audit import newest
from central.schema import folios, heads, nodes
from central.store import Store
from central.wiring import demo_perfil
from municipio.clock import Instant, TimeQuality
from municipio.facts import FactType, Lane, format_time
from municipio.reports import Service
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
TOKEN = "ficha-de-prueba"
ASK = f"?token={TOKEN}"


@pytest.fixture
def client(store: Store) -> FlaskClient:
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    made = Central(store, CITY, key, demo_perfil(), TOKEN, lambda: NOW, projector)
    return create_app(made).test_client()


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


def deliver(store: Store, node: NodeSimulator, *lanes: Lane) -> None:
    for lane in lanes:
        batch = decode_batch(node.batch(lane))
        assert isinstance(batch, Batch)
        take_batch(store, CITY.inegi, batch, NOW)
    project(store, CITY.inegi, CITY.zone, NOW)


def standing(store: Store, at: datetime = NOW) -> Standing:
    return fleet(store, CITY.inegi, at)[0].standing


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


PAGES = (
    "/flota",
    "/flota/COA007",
    "/indicadores",
    "/indicadores.csv",
    "/expediente",
    "/accesos",
    "/",
)


def test_strangers_see_nothing(client: FlaskClient, node: NodeSimulator) -> None:
    for path in PAGES:
        for asked in (path, f"{path}?token=otra", f"{path}?token="):
            assert client.get(asked).status_code == 401
        assert client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_node_goes_through_its_states(store: Store, node: NodeSimulator) -> None:
    assert standing(store) is Standing.NEVER
    node.record(FactType.NODE_STARTED, {"version": "1.2.0", "reason": "first"})
    deliver(store, node, Lane.VIT)
    assert standing(store) is Standing.ACTIVE
    assert standing(store, NOW + timedelta(hours=2)) is Standing.SILENT
    for state in (NodeState.WAITING, NodeState.QUARANTINED, NodeState.REVOKED):
        set_state(store, CITY.inegi, node.node, state)
        assert standing(store) == state.value


def test_the_pages_say_what_a_node_lacks(
    client: FlaskClient, store: Store, node: NodeSimulator
) -> None:
    node.record(FactType.NODE_STARTED, {"version": "1.2.0", "reason": "salvaged"})
    paper = {"device": "printer", "state": "attention", "cause": "paper_end"}
    node.record(FactType.DEVICE_CHANGED, paper)
    node.record(FactType.ENERGY_CHANGED, {"level": "reserve", "soc_percent": 22})
    deliver(store, node, Lane.VIT)
    with store.begin() as connection:
        connection.execute(update(heads).values(failures=2, trouble="KeyError"))
    set_place(store, CITY.inegi, node.node, 18.1345, -94.459, NOW)
    assert standing(store) is Standing.TROUBLED
    listed = client.get("/flota" + ASK)
    for said in ("activo, pide atención", "no hay papel", "en reserva (22 %)", "1.2.0", "exacto"):
        assert said in words(listed.text)
    assert "<circle" in listed.text
    shown = words(client.get("/flota/COA007" + ASK).text)
    for said in ("una memoria rescatada", "energía en reserva", "KeyError", "18.13450"):
        assert said in shown


def test_the_list_is_narrowed_and_paged(client: FlaskClient, store: Store) -> None:
    with store.begin() as connection:
        rows = [
            {"inegi": CITY.inegi, "node": f"COA{n:03d}", "state": "active", "note": "",
             "added_at": format_time(NOW), "last_contact_at": "", "site": f"Plaza {n}"}
            for n in range(1, 151)
        ]  # fmt: skip
        connection.execute(nodes.insert(), rows)
    first = client.get("/flota" + ASK).text
    second = client.get(f"/flota{ASK}&pagina=2").text
    assert ("COA001" in first, "COA150" in first) == (True, False)
    assert ("COA001" in second, "COA150" in second) == (False, True)
    one = client.get(f"/flota{ASK}&q=plaza 77").text
    assert "COA077" in one
    assert "COA078" not in one
    assert "Ningún nodo es así" in client.get(f"/flota{ASK}&estado=silent").text
    assert client.get(f"/flota{ASK}&pagina=²").status_code == 200


def test_a_button_approves_only_with_the_token_inside_the_form(
    client: FlaskClient, store: Store, node: NodeSimulator
) -> None:
    set_state(store, CITY.inegi, node.node, NodeState.WAITING)
    path = "/flota/COA007/approve"
    shown = client.get("/flota/COA007" + ASK).text
    assert f'action="{path}"' in shown
    for refused in (
        client.post(path),
        client.post(path + ASK),
        client.post(path, headers={"Authorization": f"Bearer {TOKEN}"}),
        client.post(path, data={"token": TOKEN}, headers={"Sec-Fetch-Site": "cross-site"}),
    ):
        assert refused.status_code == 401
    assert standing(store) is Standing.WAITING
    done = client.post(path, data={"token": TOKEN}, headers={"Sec-Fetch-Site": "same-origin"})
    assert done.status_code == 303
    assert standing(store) is Standing.NEVER
    (row,) = [r for r in newest(store, CITY.inegi) if r.what == "node.approve"]
    assert (row.who, row.detail) == ("principal", "COA007")


def test_a_button_does_nothing_from_another_state(
    client: FlaskClient, store: Store, node: NodeSimulator
) -> None:
    set_state(store, CITY.inegi, node.node, NodeState.REVOKED)
    client.post("/flota/COA007/approve", data={"token": TOKEN})
    client.post("/flota/COA007/release", data={"token": TOKEN})
    assert standing(store) is Standing.REVOKED
    assert client.post("/flota/COA007/delete", data={"token": TOKEN}).status_code == 404
    assert client.post("/flota/COA999/approve", data={"token": TOKEN}).status_code == 404


def test_without_a_token_in_the_address_the_page_shows_the_command(
    client: FlaskClient, store: Store, node: NodeSimulator
) -> None:
    set_state(store, CITY.inegi, node.node, NodeState.QUARANTINED)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    shown = client.get("/flota/COA007", headers=bearer).text
    assert "plaza-central release COA007" in shown
    assert "<form" not in shown


def test_a_place_must_be_on_earth_and_the_node_known(store: Store, node: NodeSimulator) -> None:
    for code, lat, lon in (("COA007", 91.0, 0.0), ("COA007", 0.0, 181.0), ("COA999", 18.0, -94.0)):
        with pytest.raises(NodeError):
            set_place(store, CITY.inegi, code, lat, lon, NOW)


# --- the month --------------------------------------------------------------------------------


@pytest.fixture
def month(store: Store, node: NodeSimulator) -> NodeSimulator:
    for amount in (109_560, 20_000):
        node.pay("0620000101023005000007", "L1", amount)
    for code in ("luminaria", "luminaria", "bache", "nuevo"):
        node.record(FactType.REPORT_FILED, {"service_code": code, "channel": "kiosco"})
    for _ in range(3):
        node.record(FactType.TERMS_ACCEPTED, {"language": "es_MX"})
    known = [
        Service("luminaria", "Lámpara fundida", "Alumbrado", (), ""),
        Service("bache", "Bache", "Maquinaria Pesada", (), ""),
    ]
    with store.begin() as connection:
        replace_services(connection, CITY.inegi, known)
        replace_services(connection, CITY.inegi, known)
    deliver(store, node, Lane.PAY, Lane.REP, Lane.ACC)
    with store.begin() as connection:
        first = folios.c.folio == node.folio(Lane.REP, 1)
        connection.execute(update(folios).where(first).values(state="Atendido"))
    return node


def test_a_month_has_the_figures_of_the_programme(store: Store, month: NodeSimulator) -> None:
    report = month_report(store, CITY.inegi, "2026-01")
    (site,) = report.sites
    figures = (site.connections, site.transactions, site.centavos, site.reports)
    assert figures == (3, 2, 129_560, 4)
    assert (report.modules, report.per_module) == (1, 2.0)
    assert report.by_method == {"card": (2, 129_560)}
    assert [(d.name, d.total) for d in report.dependencies] == [
        ("Alumbrado", 2), ("Maquinaria Pesada", 1), ("Sin dependencia registrada", 1),
    ]  # fmt: skip
    alumbrado = report.dependencies[0].states
    assert (alumbrado["Atendido"], alumbrado["Pendiente"]) == (1, 1)
    assert report.series[-1] == ("2026-01", 3, 2)
    assert month_report(store, CITY.inegi, "2025-12").cases.total == 0


def test_the_page_the_file_and_the_command_say_the_same(
    client: FlaskClient, store: Store, month: NodeSimulator, url: str
) -> None:
    shown = words(client.get("/indicadores" + ASK).text)
    for said in ("enero de 2026", "$ 1,295.60", "Alumbrado", "Sin dependencia registrada"):
        assert said in shown
    assert "trámites más consultados" in shown.casefold()
    got = client.get("/indicadores.csv" + ASK)
    assert got.data.startswith(b"\xef\xbb\xbfmes,nodo")
    rows = list(csv.reader(io.StringIO(got.data.decode("utf-8-sig"))))
    assert ["2026-01", "COA007", "", "importe_pesos", "", "1295.60"] in rows
    assert ["2026-01", "", "", "reportes_por_dependencia", "Alumbrado: Atendido", "1"] in rows
    asked = ["indicators", "--db", url, "--month", "2026-01"]
    assert CliRunner().invoke(main, [*asked, "--csv"]).output.splitlines()[1].startswith("2026-01")
    assert "1,295.60" in CliRunner().invoke(main, asked).output
    assert CliRunner().invoke(main, [*asked[:-1], "2026-13"]).exit_code == 2


def test_only_a_month_is_answered(client: FlaskClient) -> None:
    for asked in ("2026-13", "ayer", "0000-00"):
        assert client.get(f"/indicadores{ASK}&mes={asked}").status_code == 404


def test_no_cell_of_the_file_is_a_formula(
    client: FlaskClient, store: Store, month: NodeSimulator
) -> None:
    with store.begin() as connection:
        connection.execute(update(nodes).values(site="=HYPERLINK(1)"))
    assert b",=HYPERLINK" not in client.get("/indicadores.csv" + ASK).data


# --- pictures and words -----------------------------------------------------------------------


def test_a_map_keeps_every_node_inside_and_north_up() -> None:
    spots = [Spot(f"N{n}", 18.0 + n / 50, -94.5 + n / 40, "active", "") for n in range(9)]
    drawn = draw_map(spots)
    assert drawn is not None
    assert all(0 < d.x < drawn.width and 0 < d.y < drawn.height for d in drawn.dots)
    assert drawn.dots[0].y > drawn.dots[-1].y
    assert drawn.dots[0].x < drawn.dots[-1].x
    assert draw_map([]) is None
    alone = draw_map(spots[:1])
    assert alone is not None
    assert (alone.dots[0].x, alone.dots[0].y) == (alone.width / 2, alone.height / 2)


def test_names_on_the_map_never_cover_each_other_and_trouble_is_named_first() -> None:
    close = [Spot(f"N{n}", 18.0, -94.5 + n / 2000, "active", "") for n in range(9)]
    drawn = draw_map([*close, Spot("X", 18.0, -94.5 + 0.00025, "silent", "")])

    assert drawn is not None
    named = [d for d in drawn.dots if d.label]
    assert all(abs(a.x - b.x) >= 60 for a in named for b in named if a is not b)
    assert "X" in {d.node for d in named}
    assert {d.node for d in drawn.dots if d.roomy} <= {d.node for d in named}


def test_bars_are_measured_by_the_longest() -> None:
    assert [b.percent for b in draw_bars([("a", 4, "4"), ("b", 1, "1"), ("c", 0, "0")])] == [
        100.0, 25.0, 0.0,
    ]  # fmt: skip
    assert [b.percent for b in draw_bars([("a", 0, "0")])] == [0.0]
    assert draw_bars([]) == ()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "menos de un minuto"), (60, "1 minuto"), (7200, "2 horas"), (90_000, "1 día")],
)
def test_ages_are_said_in_words(seconds: int, said: str) -> None:
    assert age_in_words(seconds) == said


def test_the_month_before_january_is_december() -> None:
    assert (month_before("2026-01"), month_before("2026-12")) == ("2025-12", "2026-11")


def test_the_list_says_how_old_filter_and_printer_are(
    client: FlaskClient, store: Store, node: NodeSimulator
) -> None:
    node.record(FactType.NODE_STARTED, {"version": "1.2.0", "reason": "first"})
    node.record(FactType.DEVICE_CHANGED, {"device": "printer", "state": "ready", "cause": ""})
    node.record(FactType.DEVICE_CHANGED, {"device": "filter", "state": "ready", "cause": ""})
    dates = {"content": "2026-01-19", "filter_list": "2026-01-17", "filter_names": 5}
    node.record(FactType.NODE_CONTENT_CHANGED, dates)
    deliver(store, node, Lane.VIT)
    listed = words(client.get("/flota" + ASK).text)
    for said in ("funciona; lista de hace 3 días", "funciona, hace menos de un minuto", "1.2.0"):
        assert said in listed
    assert standing(store) is Standing.ACTIVE
    shown = words(client.get("/flota/COA007" + ASK).text)
    assert "del 19/01/2026" in shown
    assert "sirve el contenido del 19/01/2026 y la lista del filtro del 17/01/2026" in shown

    node.record(FactType.NODE_CONTENT_CHANGED, {**dates, "filter_list": "2025-12-01"})
    back = {"version": "1.3.0", "back_to": "1.2.0", "cause": "unhealthy"}
    node.record(FactType.NODE_UPDATE_RETURNED, back)
    node.record(FactType.NODE_CONFIGURED, {"state": "undone", "cause": "x"})
    deliver(store, node, Lane.VIT)
    listed = words(client.get("/flota" + ASK).text)
    for said in (
        "la lista del filtro es del 01/12/2025",
        "la actualización no sirvió; sigue con 1.2.0",
        "ajustes de la ciudad: se deshicieron",
    ):
        assert said in listed
    assert standing(store) is Standing.TROUBLED
    node.record(FactType.NODE_UPDATED, {"version": "1.4.0", "before": "1.2.0"})
    deliver(store, node, Lane.VIT)
    assert "1.4.0" in words(client.get("/flota" + ASK).text)


def test_the_most_consulted_tramites_are_in_the_month(
    client: FlaskClient, store: Store, node: NodeSimulator
) -> None:
    first, second = demo_tramites()[:2]
    with store.begin() as connection:
        replace_tramites(connection, CITY.inegi, [first])
    data = {"since": "", "hour": "2026-01-20T16", "channel": "kiosco"}
    told = {first.id: 7, second.id: 12, "<b>": 9, "OTRO": -1, "DOS": "5"}
    node.record(FactType.TRAMITE_CONSULTED, {**data, "consulted": told})
    node.record(FactType.TRAMITE_CONSULTED, {**data, "consulted": {first.id: 8}})
    node.record(FactType.TRAMITE_CONSULTED, {**data, "consulted": [1]})
    deliver(store, node, Lane.VIT)
    found = month_report(store, CITY.inegi, "2026-01").consulted
    page = words(client.get("/indicadores" + ASK).text)
    rows = csv.reader(io.StringIO(client.get("/indicadores.csv" + ASK).text))

    assert found == ((first.id, first.name, 15), (second.id, second.id, 12))
    assert page.index(first.name) < page.index(second.id)
    assert [row[5] for row in rows if row[3:4] == ["tramites_consultados"]] == ["15", "12"]


def test_a_clock_that_contradicts_the_city_wants_attention(
    client: FlaskClient, store: Store, node: NodeSimulator
) -> None:
    ahead = Instant(NOW + timedelta(days=300), TimeQuality.SYNCED, "b", 1)
    node.record(FactType.DEVICE_CHANGED, {"device": "printer", "state": "ready"}, ahead)
    deliver(store, node, Lane.VIT)
    assert standing(store) is Standing.TROUBLED
    assert "reloj no es creíble" in words(client.get("/flota" + ASK).text)
    assert "su reloj no era creíble" in words(client.get("/flota/COA007" + ASK).text)
