"""What SIAC said of reports: each change once, the newest decides, a bad row stops no other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from central.app import create_app
from central.cases import Imported, import_states, waiting_states
from central.city import City
from central.cli import main
from central.context import Central
from central.indicators import month_report
from central.ingest import Taken, take_batch
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.projections import project
from central.projector import Projector
from central.schema import folios
from central.siac_file import BadRow, SiacFileError, StateRow, read_states
from central.store import Store
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
REPORT = {"service_code": "luminaria", "channel": "kiosco", "sealed": "-", "recipient": "siac"}


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


@pytest.fixture
def client(store: Store) -> FlaskClient:
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    made = Central(store, CITY, key, demo_perfil(), "ficha", lambda: NOW, projector)
    return create_app(made).test_client()


def deliver(store: Store, node: NodeSimulator, lane: Lane = Lane.REP) -> None:
    batch = decode_batch(node.batch(lane))
    assert isinstance(batch, Batch)
    assert isinstance(take_batch(store, CITY.inegi, batch, NOW), Taken)
    project(store, CITY.inegi, CITY.zone, NOW)


def take(store: Store, text: str) -> Imported:
    return import_states(store, CITY.inegi, text.encode(), "siac.csv", CITY.zone, NOW)


def states(store: Store) -> dict[str, tuple[str, str]]:
    with store.begin() as connection:
        rows = connection.execute(select(folios)).all()
    return {row.city_folio: (row.state, row.updated_on) for row in rows}


def test_the_newest_change_decides_in_whatever_order_it_came(
    store: Store, node: NodeSimulator
) -> None:
    node.record(FactType.REPORT_FILED, REPORT)
    deliver(store, node)
    done = take(store, "Folio;Estatus;Fecha\nSIAC-000001;Atendido;19/01/2026 10:30\n")
    again = take(store, "folio,estado,fecha\nSIAC-000001,En desarrollo,2026-01-18\n")

    assert (done.fresh, again.fresh) == (1, 1)
    assert states(store) == {"SIAC-000001": ("Atendido", "2026-01-19")}
    assert take(store, "folio,estado,fecha\nSIAC-000001,En desarrollo,2026-01-18\n").fresh == 0


def test_a_bad_row_is_told_with_its_line_and_the_others_count(
    store: Store, node: NodeSimulator
) -> None:
    for _ in range(2):
        node.record(FactType.REPORT_FILED, REPORT)
    node.record(FactType.COMPLAINT_FILED, {"sealed": "-"})
    deliver(store, node)
    text = (
        "folio,estado,fecha,comentarios\n"
        "SIAC-000001,Atendido,2026-01-20,listo\n"
        "SIAC-1,Atendido,2026-01-20\n"
        "SIAC-000777,Atendido,2026-01-20\n"
        "SIAC-000002,Resuelto,2026-01-20\n"
        "SIAC-000002,Atendido,ayer\n"
        "SIAC-000002,Atendido,2027-01-20\n"
        "\n"
        "SIAC-000002\n"
        "CI-000001,Atendido,2026-01-20\n"
        "SIAC-000002,No procede,2026-01-20\n"
    )
    done = take(store, text)

    assert (done.rows, done.fresh) == (9, 2)
    assert [(bad.line, bad.why) for bad in done.bad] == [
        (3, "el folio no está bien escrito"),
        (4, "la ciudad no ha dado ese número"),
        (5, "el estado no es uno de los cuatro del SIAC"),
        (6, "la fecha no se entiende"),
        (7, "la fecha todavía no llega"),
        (9, "el estado no es uno de los cuatro del SIAC"),
        (10, "no es un reporte ciudadano"),
    ]
    assert states(store)["SIAC-000002"][0] == "No procede"


def test_a_change_waits_for_a_folio_that_no_node_delivered_yet(
    store: Store, node: NodeSimulator
) -> None:
    node.record(FactType.REPORT_FILED, REPORT)
    folio = node.folio(Lane.REP, 1)
    done = take(store, f"folio,estado,fecha\n{folio},Atendido,2026-01-20\n")
    assert (done.fresh, done.waiting, done.bad) == (1, 1, ())
    assert [row.folio for row in waiting_states(store, CITY.inegi)] == [folio]

    deliver(store, node)
    assert states(store) == {"SIAC-000001": ("Atendido", "2026-01-20")}
    assert not waiting_states(store, CITY.inegi)


def test_a_complaint_is_no_matter_of_siac(store: Store, node: NodeSimulator) -> None:
    node.record(FactType.COMPLAINT_FILED, {"sealed": "-"})
    folio = node.folio(Lane.REP, 1)
    assert take(store, f"folio,estado,fecha\n{folio},Atendido,2026-01-20\n").waiting == 1
    deliver(store, node)
    assert states(store) == {"CI-000001": ("Pendiente", "2026-01-20")}
    assert take(store, f"folio,estado,fecha\n{folio},Atendido,2026-01-20\n").bad != ()


def test_the_states_reach_the_month_the_node_and_the_citizen(
    store: Store, node: NodeSimulator, client: FlaskClient
) -> None:
    for _ in range(4):
        node.record(FactType.REPORT_FILED, REPORT)
    deliver(store, node)
    folio = node.folio(Lane.REP, 2)
    take(
        store,
        f"folio,estado,fecha\nSIAC-000001,Desarrollo,2026-01-20\n{folio},Desarrollo,2026-01-19\n"
        f"{folio},Atendido,2026-01-20\nSIAC-000003,No procede,2026-01-20\n",
    )
    cases = month_report(store, CITY.inegi, "2026-01").cases.states
    path = f"/v1/folios/{folio}"
    told = client.get(path, headers=node.headers("GET", path)).json
    page = client.get(f"/f/{folio}").text

    assert cases == {"Pendiente": 1, "Desarrollo": 1, "Atendido": 1, "No procede": 1, "Otro": 0}
    assert told is not None
    assert (told["state"], told["updated_on"]) == ("Atendido", "2026-01-20")
    assert page.index("En desarrollo</strong>, 19 de enero") < page.index(
        "Atendido</strong>, 20 de"
    )


def test_a_photo_that_came_later_is_on_the_case(
    store: Store, node: NodeSimulator, client: FlaskClient
) -> None:
    node.record(FactType.REPORT_FILED, REPORT)
    folio = node.folio(Lane.REP, 1)
    photo = {"sha256": "a" * 64, "bytes": 5, "media_type": "image/jpeg"}
    data = {"folio": folio, "channel": "portal", "recipient": "siac", "attachments": [photo]}
    node.record(FactType.REPORT_PHOTO_ADDED, data)
    other = {**data, "folio": NodeSimulator(node="COA008").folio(Lane.REP, 1)}
    node.record(FactType.REPORT_PHOTO_ADDED, other)
    deliver(store, node)
    case = client.get(f"/expediente?token=ficha&folio={folio}").text

    assert "Fotos agregadas</dt><dd>1</dd>" in client.get(f"/f/{folio}").text
    for said in ("llegó una foto", "se agregó una foto", "1 foto sellada"):
        assert said in case


def test_the_command_says_what_it_did_not_take(url: str, store: Store, tmp_path: Path) -> None:
    file, rejected = tmp_path / "siac.csv", tmp_path / "no.csv"
    file.write_bytes("Folio,Estado,Fecha\nSIAC-000009,Atendido,2026-01-20\n".encode("cp1252"))
    asked = ["siac", "import", str(file), "--rejected", str(rejected), "--db", url]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 1
    assert "1 rows not taken" in done.output
    assert "la ciudad no ha dado ese número,SIAC-000009" in rejected.read_text()
    file.write_text("folio,fecha\n")
    wrong = CliRunner().invoke(main, asked)
    assert "no column «estado»" in wrong.output
    assert CliRunner().invoke(main, ["siac", "waiting", "--db", url]).exit_code == 0


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda t: ("folio,estado,fecha\n" + t).encode())
)
def test_any_bytes_give_rows_or_one_clear_refusal(raw: bytes) -> None:
    try:
        rows = list(read_states(raw, CITY.zone, NOW))
    except SiacFileError:
        return
    assert all(isinstance(row, StateRow | BadRow) for row in rows)
