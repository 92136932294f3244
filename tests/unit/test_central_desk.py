"""The recipient's desk: only the office opens, every opening is written down, also without a network."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pyrage
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from sqlalchemy import select

from central.app import create_app
from central.attachments import take_part
from central.audit_cli import export
from central.city import City
from central.context import Central
from central.desk import Desk, DeskError, to_csv
from central.desk_access import all_facts_of, is_of_office, seal_token
from central.desk_cli import open_, openings
from central.desk_client import (
    fetch,
    take_bundle,
    tell_openings,
    write_bundle,
    write_openings,
)
from central.desk_log import DeskLog, LogFault, decode_log
from central.desk_openings import LogRefused, LogTaken, take_log
from central.desk_page import create_desk_page
from central.ingest import Taken, take_batch
from central.keys import CityKey, create_city_keys
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.projections import project
from central.projector import Projector
from central.schema_fleet import audit
from central.store import Store, open_store
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane, fact_hash
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
KEY = CityKey(Ed25519PrivateKey.generate())
SIAC, CONTRALORIA = (pyrage.x25519.Identity.generate() for _ in range(2))
RECIPIENTS = {"siac": [str(SIAC.to_public())], "contraloria": [str(CONTRALORIA.to_public())]}
PHOTO = b"\xff\xd8\xff\xe0 a picture"


def seal(office: str, plain: bytes, *, armored: bool = True) -> bytes:
    keys = [pyrage.x25519.Recipient.from_str(name) for name in RECIPIENTS[office]]
    return bytes(pyrage.encrypt(plain, keys, armored=armored))


def report(node: NodeSimulator, description: str, phone: str = "", photo: str = "") -> str:
    said = {
        "street": "Chabacano",
        "between": ["A", "B"],
        "description": description,
        "phone": phone,
    }
    data = {"service_code": "luminaria", "colonia": "Iquisa", "recipient": "siac"}
    data["sealed"] = seal("siac", json.dumps(said).encode()).decode()
    attached = [{"sha256": photo, "bytes": 1, "media_type": "image/jpeg"}] if photo else []
    node.record(FactType.REPORT_FILED, {**data, "attachments": attached})
    return node.folio(Lane.REP)


def complain(node: NodeSimulator) -> str:
    sealed = seal("contraloria", b'{"description":"Pidieron dinero"}').decode()
    node.record(FactType.COMPLAINT_FILED, {"recipient": "contraloria", "sealed": sealed})
    return node.folio(Lane.REP)


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


def deliver(store: Store, node: NodeSimulator) -> None:
    batch = decode_batch(node.batch(Lane.REP))
    assert isinstance(batch, Batch)
    assert isinstance(take_batch(store, CITY.inegi, batch, NOW), Taken)
    project(store, CITY.inegi, CITY.zone, NOW)


def make_app(store: Store) -> Flask:
    projector = Projector(store, CITY, lambda: NOW)
    return create_app(
        Central(store, CITY, KEY, demo_perfil(), "t", lambda: NOW, projector, recipients=RECIPIENTS)
    )


@pytest.fixture
def client(store: Store) -> Iterator[httpx2.Client]:
    transport = httpx2.WSGITransport(app=make_app(store))
    with httpx2.Client(transport=transport, base_url="http://city") as made:
        yield made


def test_an_office_fetches_what_is_its_own_and_opens_it(
    store: Store, node: NodeSimulator, client: httpx2.Client, tmp_path: Path
) -> None:
    sealed_photo = seal("siac", PHOTO, armored=False)
    sha256 = fact_hash(sealed_photo)
    folio = report(node, "No hay luz", "9210000000", sha256)
    complain(node)
    deliver(store, node)
    at = "2026-01-20T18:00:00.000Z"
    take_part(store, CITY.inegi, node.node, sha256, len(sealed_photo), 0, sealed_photo, at)
    desk = Desk(tmp_path / "desk", "siac", SIAC, "Ana")
    assert fetch(desk, client, KEY.public, SIAC) == 1
    assert fetch(desk, client, KEY.public, SIAC) == 0
    assert [matter.folio for matter in desk.matters()] == [folio]
    kept = b"".join(p.read_bytes() for p in (tmp_path / "desk").rglob("*") if p.is_file())
    assert b"No hay luz" not in kept
    assert PHOTO not in kept
    (opened,) = desk.open(folio, "Turnar a Alumbrado", NOW)
    assert opened.said["description"] == "No hay luz"
    assert opened.files == (PHOTO,)
    row = next(csv.DictReader(io.StringIO(to_csv([opened]))))
    assert (row["folio"], row["entre"], row["telefono"]) == (folio, "A y B", "9210000000")
    assert [(r["who"], r["folio"], r["why"]) for r in desk.openings()] == [
        ("Ana", folio, "Turnar a Alumbrado")
    ]


def test_without_the_offices_key_there_is_no_token(
    store: Store, node: NodeSimulator, client: httpx2.Client, tmp_path: Path
) -> None:
    complain(node)
    deliver(store, node)
    thief = Desk(tmp_path / "thief", "contraloria", SIAC, "Ana")
    with pytest.raises(DeskError, match="no es de la oficina"):
        fetch(thief, client, KEY.public, SIAC)
    assert client.get("/v1/desk/contraloria/chains").status_code == 401
    sealed = seal_token(KEY, "siac", RECIPIENTS["siac"], NOW)
    token = pyrage.decrypt(sealed.encode(), [SIAC]).decode()
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/v1/desk/siac/chains", headers=bearer).status_code == 200
    assert client.get("/v1/desk/contraloria/chains", headers=bearer).status_code == 401
    assert is_of_office(KEY, token, "siac", NOW)
    assert not is_of_office(KEY, token, "siac", NOW.replace(hour=19))
    assert not is_of_office(CityKey(Ed25519PrivateKey.generate()), token, "siac", NOW)
    other = CityKey(Ed25519PrivateKey.generate())
    with pytest.raises(DeskError, match="firmada por la ciudad"):
        fetch(thief, client, other.public, CONTRALORIA)


def test_long_chains_come_in_stretches_and_go_on_where_they_stopped(
    store: Store, node: NodeSimulator, client: httpx2.Client, tmp_path: Path
) -> None:
    folios = {report(node, f"Reporte {n}") for n in range(230)}
    deliver(store, node)
    desk = Desk(tmp_path / "desk", "siac", SIAC, "Ana")
    assert fetch(desk, client, KEY.public, SIAC) == 230
    assert {matter.folio for matter in desk.matters()} == folios
    assert desk.cursors() == {"COA007/1": 230}


def test_the_contraloria_works_from_a_stick(
    store: Store, node: NodeSimulator, tmp_path: Path
) -> None:
    report(node, "No es para ella")
    folio = complain(node)
    deliver(store, node)
    stick = tmp_path / "stick"
    facts = list(all_facts_of(store, CITY.inegi, "contraloria"))
    path = write_bundle(stick, CITY.inegi, "contraloria", facts, KEY.sign)
    desk = Desk(tmp_path / "desk", "contraloria", CONTRALORIA, "Contraloría")
    assert take_bundle(desk, stick, KEY.public) == 1
    assert take_bundle(desk, stick, KEY.public) == 0
    (opened,) = desk.open(folio, "Abrir expediente", NOW)
    assert opened.said == {"description": "Pidieron dinero"}
    path.write_bytes(path.read_bytes().replace(b"COA007", b"COA008", 1))
    with pytest.raises(DeskError, match="no viene firmado"):
        take_bundle(desk, stick, KEY.public)


def test_nothing_is_opened_without_a_reason_and_the_log_cannot_be_bent(
    store: Store, node: NodeSimulator, tmp_path: Path
) -> None:
    folios = [report(node, f"={n}") for n in range(3)]
    desk = Desk(tmp_path / "desk", "siac", SIAC, "Ana")
    for raw in node.facts[Lane.REP]:
        desk.put(raw.decode())
    with pytest.raises(DeskError, match="por qué"):
        desk.open(folios[0], "  ", NOW)
    assert desk.openings() == ()
    for folio in folios:
        assert "'=" in to_csv(desk.open(folio, "revisión", NOW))
    log = tmp_path / "desk" / "openings.ndjson"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(lines[0] + lines[2])
    with pytest.raises(DeskError, match="alterada"):
        desk.openings()


def test_the_page_shows_nothing_until_somebody_says_why(
    store: Store, node: NodeSimulator, tmp_path: Path
) -> None:
    folio = report(node, "No hay luz")
    desk = Desk(tmp_path / "desk", "siac", SIAC, "Ana")
    desk.put(node.facts[Lane.REP][0].decode())
    app, secret = create_desk_page(desk, lambda: NOW)
    browser = app.test_client()
    base = {"base_url": "http://127.0.0.1:8000"}
    listed = browser.get(f"/{secret}/", **base).text
    assert folio in listed
    assert "No hay luz" not in listed
    assert browser.get("/guess/", **base).status_code == 404
    assert browser.get(f"/{secret}/", base_url="http://evil.example").status_code == 403
    refused = browser.post(f"/{secret}/abrir", data={"folio": folio, "why": ""}, **base)
    assert refused.status_code == 400
    shown = browser.post(f"/{secret}/abrir", data={"folio": folio, "why": "Turnar"}, **base)
    assert "No hay luz" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "Turnar" in browser.get(f"/{secret}/bitacora", **base).text


def test_the_commands_carry_matters_from_the_city_to_a_csv(tmp_path: Path) -> None:
    db, keys = f"sqlite:///{tmp_path}/c.sqlite", tmp_path / "keys"
    create_city_keys(keys)
    opened = open_store(db)
    node = NodeSimulator()
    add_node(opened, CITY.inegi, node.node, node.public, NOW, replace=False)
    public = json.loads((keys / "recipients.json").read_text())["contraloria"]
    sealed = pyrage.encrypt(
        b'{"description":"Pidieron dinero"}',
        [pyrage.x25519.Recipient.from_str(name) for name in public],
        armored=True,
    )
    data = {"recipient": "contraloria", "sealed": sealed.decode()}
    node.record(FactType.COMPLAINT_FILED, data)
    deliver(opened, node)
    opened.close()
    stick, desk = tmp_path / "stick", tmp_path / "desk"
    words = ["--office", "contraloria", "--out", stick, "--db", db, "--keys", keys]
    done = CliRunner().invoke(export, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    words = ["--office", "contraloria", "--key", keys / "contraloria.agekey", "--desk", desk]
    words += ["--city-key", keys / "city.pub", "--from", stick, "--all", "--why", "expediente 4"]
    done = CliRunner().invoke(open_, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    assert "Pidieron dinero" in done.stdout
    again = CliRunner().invoke(open_, [str(word) for word in words])
    assert "Pidieron dinero" not in again.stdout


def trail(store: Store) -> list[tuple[str, str, str, str]]:
    with store.begin() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.at, audit.c.detail)).all()
    return [(row.what, row.who, row.folio, row.detail) for row in rows]


def busy_desk(folder: Path, store: Store, node: NodeSimulator) -> tuple[Desk, str]:
    """A desk with one matter that it fetched from a stick."""
    folio = report(node, "No hay luz")
    deliver(store, node)
    write_bundle(
        folder, CITY.inegi, "siac", list(all_facts_of(store, CITY.inegi, "siac")), KEY.sign
    )
    desk = Desk(folder / "desk", "siac", SIAC, "Ana")
    take_bundle(desk, folder, KEY.public)
    return desk, folio


def test_each_opening_is_in_the_citys_trail_once(
    store: Store, node: NodeSimulator, client: httpx2.Client, tmp_path: Path
) -> None:
    desk, folio = busy_desk(tmp_path, store, node)
    assert tell_openings(desk, client, KEY.public, SIAC) == 0
    desk.open(folio, "Turnar a Alumbrado", NOW)
    assert tell_openings(desk, client, KEY.public, SIAC) == 1
    desk.open(folio, "Llamó para aclarar", NOW)
    assert tell_openings(desk, client, KEY.public, SIAC) == 1
    assert tell_openings(desk, client, KEY.public, SIAC) == 0

    assert trail(store) == [
        ("desk.opened", "siac:Ana", folio, "Llamó para aclarar"),
        ("desk.opened", "siac:Ana", folio, "Turnar a Alumbrado"),
    ]


def test_a_log_that_was_changed_is_refused_and_written_down(
    store: Store, node: NodeSimulator, client: httpx2.Client, tmp_path: Path
) -> None:
    desk, folio = busy_desk(tmp_path, store, node)
    for why in ("Turnar a Alumbrado", "Curiosidad"):
        desk.open(folio, why, NOW)
    assert tell_openings(desk, client, KEY.public, SIAC) == 2
    (tmp_path / "desk" / "openings.ndjson").unlink()
    for why in ("Turnar a Alumbrado", "Turnar a Obras", "Otra vez"):
        desk.open(folio, why, NOW)
    with pytest.raises(DeskError, match="otra bitácora"):
        tell_openings(desk, client, KEY.public, SIAC)

    said = trail(store)
    assert [row[0] for row in said].count("desk.opened") == 2
    assert [row[0] for row in said].count("desk.altered") == 1


def test_a_stick_brings_the_log_back(store: Store, node: NodeSimulator, tmp_path: Path) -> None:
    desk, folio = busy_desk(tmp_path, store, node)
    assert write_openings(desk, tmp_path) is None
    for number in range(3):
        desk.open(folio, f"motivo {number}", NOW)
    file = write_openings(desk, tmp_path)
    assert file is not None
    log = decode_log(file.read_bytes())
    assert isinstance(log, DeskLog)
    for fresh in (3, 0):
        taken = take_log(store, CITY.inegi, log, NOW)
        assert isinstance(taken, LogTaken)
        assert (taken.rows, taken.fresh) == (3, fresh)
    desk.open(folio, "otro", NOW)
    again = decode_log(desk.signed_log())
    assert isinstance(again, DeskLog)
    assert take_log(store, CITY.inegi, again, NOW).rows == 4
    gap = decode_log(Desk(tmp_path / "desk", "siac", SIAC, "Ana").signed_log(4))
    assert isinstance(gap, DeskLog)
    other = replace(gap, desk="0" * 16)
    assert isinstance(take_log(store, CITY.inegi, other, NOW), LogRefused)


def test_a_log_is_believed_byte_for_byte(store: Store, node: NodeSimulator, tmp_path: Path) -> None:
    desk, folio = busy_desk(tmp_path, store, node)
    for number in range(2):
        desk.open(folio, f"motivo {number}", NOW)
    raw = desk.signed_log()
    assert isinstance(decode_log(raw), DeskLog)
    for at in range(0, len(raw) - 1, 7):
        changed = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        assert isinstance(decode_log(changed), LogFault)
    for wrong in (b"", b"\n", b"{}\n", raw[:-20], raw * 2, b"x" * 2**21):
        assert isinstance(decode_log(wrong), LogFault)


def test_the_command_sends_the_log_and_takes_it_from_a_stick(
    store: Store, node: NodeSimulator, tmp_path: Path
) -> None:
    _, folio = busy_desk(tmp_path, store, node)
    (tmp_path / "siac.agekey").write_text(str(SIAC))
    (tmp_path / "city.pub").write_bytes(KEY.public_pem)
    asked = ["--office", "siac", "--key", str(tmp_path / "siac.agekey"), "--city-key",
             str(tmp_path / "city.pub"), "--desk", str(tmp_path / "desk"), "--from", str(tmp_path),
             "--folio", folio, "--why", "turno", "--who", "Ana"]  # fmt: skip
    done = CliRunner().invoke(open_, asked)
    assert done.exit_code == 0, done.output
    files = [str(path) for path in tmp_path.glob("*.openings")]
    db = f"sqlite:///{tmp_path}/other.sqlite"
    taken = CliRunner().invoke(openings, [*files, "--db", db])
    assert "1 openings are new" in taken.output, taken.output
    Path(files[0]).write_bytes(b"other bytes")
    assert CliRunner().invoke(openings, [*files, "--db", db]).exit_code == 1
