"""Data rights: what a folio's holder gets and has erased, how long facts are kept, who looked at what."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient
from sqlalchemy import select, update

from central.app import create_app
from central.attachments import progress, read_attachment, take_part
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
from central.rights import Erased, Held, Kept, NoFolio, erase, find_held
from central.rights_audit import TokenError, make_token, newest, revoke_token, token_name
from central.rights_export import export
from central.rights_facts import is_husk
from central.rights_retention import RETENTION_DAYS, RetentionError, apply, parse_retention
from central.schema import facts, folios, heads
from central.store import Store, open_store
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane, fact_hash, format_time
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
TOKEN = "ficha-de-prueba"
SEALED = "-----BEGIN AGE ENCRYPTED FILE-----" + "Q" * 200
PHOTO = b"age-encryption.org/v1 photo" * 40
SHA = hashlib.sha256(PHOTO).hexdigest()


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


@pytest.fixture
def report(store: Store, node: NodeSimulator) -> str:
    """The folio of a report with a photo that came later, among others' reports."""
    photo = [{"sha256": SHA, "bytes": len(PHOTO), "media_type": "image/jpeg"}]
    sealed = {"service_code": "luminaria", "channel": "kiosco", "colonia": "Centro"}
    node.record(FactType.REPORT_FILED, {**sealed, "sealed": "of somebody else"})
    node.record(FactType.REPORT_FILED, {**sealed, "sealed": SEALED, "recipient": "siac"})
    folio = node.folio(Lane.REP)
    node.record(FactType.REPORT_PHOTO_ADDED, {"folio": folio, "attachments": photo})
    node.record(FactType.REPORT_FILED, {**sealed, "sealed": "of a third person"})
    deliver(store, node, Lane.REP)
    at = format_time(NOW)
    take_part(store, CITY.inegi, node.node, SHA, len(PHOTO), 0, PHOTO, at)
    return folio


def deliver(store: Store, node: NodeSimulator, lane: Lane, at: datetime = NOW) -> Taken:
    batch = decode_batch(node.batch(lane))
    assert isinstance(batch, Batch)
    taken = take_batch(store, CITY.inegi, batch, at)
    assert isinstance(taken, Taken)
    project(store, CITY.inegi, CITY.zone, at)
    return taken


def stored(store: Store) -> list[Any]:
    with store.begin() as connection:
        return list(connection.execute(select(facts).order_by(facts.c.lane, facts.c.seq)))


def held(store: Store, folio: str) -> Held:
    found = find_held(store, CITY.inegi, folio)
    assert isinstance(found, Held)
    return found


def erased(store: Store, folio: str) -> Erased | Kept | NoFolio:
    return erase(store, CITY.inegi, folio, who="enlace", why="ARCO-1/2026", at=NOW)


def test_a_folio_finds_its_own_facts_and_no_others(store: Store, report: str) -> None:
    found = held(store, report.lower())
    assert [row.seq for row in found.facts] == [2, 3]
    assert [row.sha256 for row in found.attachments] == [SHA]
    assert find_held(store, CITY.inegi, "COA007-R1-000123-Z") == NoFolio(mistyped=True)


def test_a_folio_that_came_inside_another_fact_is_found(store: Store, node: NodeSimulator) -> None:
    lost = NodeSimulator(epoch=2, key=node.key)
    inner = lost.record(FactType.REPORT_FILED, {"sealed": SEALED}).decode()
    node.record(FactType.REPORT_RECOVERED, {"fact": inner, "reason": "salvaged"})
    deliver(store, node, Lane.REP)
    folio = lost.folio(Lane.REP)
    assert [row.seq for row in held(store, folio).facts] == [1]
    assert erased(store, folio) == Erased(1, 0)
    assert SEALED.encode() not in bytes(stored(store)[0].raw)


def test_erasing_leaves_a_whole_chain_a_state_and_the_counts(
    store: Store, node: NodeSimulator, report: str
) -> None:
    before = month_report(store, CITY.inegi, "2026-01")
    hashes = [row.hash for row in stored(store)]
    assert erased(store, report) == Erased(facts=2, attachments=1)
    rows = stored(store)
    assert [row.hash for row in rows] == hashes
    assert [is_husk(bytes(row.raw)) for row in rows] == [False, True, True, False]
    husk = json.loads(bytes(rows[1].raw))
    assert husk["data"] == {"channel": "kiosco", "recipient": "siac", "service_code": "luminaria"}
    assert husk["erased"]["hash"] == rows[1].hash == fact_hash(node.facts[Lane.REP][1])
    assert json.loads(bytes(rows[2].raw))["prev"] == rows[1].hash
    assert month_report(store, CITY.inegi, "2026-01") == before
    found = held(store, report)
    assert found.state is not None
    assert (found.is_erased, found.state.state) == (True, "Pendiente")
    assert erased(store, report) == Erased(0, 0)


def test_nothing_of_it_is_left_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "one.sqlite"
    store = open_store(f"sqlite:///{file}")
    node = NodeSimulator()
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    node.record(FactType.REPORT_FILED, {"sealed": SEALED})
    deliver(store, node, Lane.REP)
    assert erased(store, node.folio(Lane.REP)) == Erased(1, 0)
    store.close()
    assert SEALED.encode() not in file.read_bytes()


def test_what_a_node_sends_again_stays_erased(
    store: Store, node: NodeSimulator, report: str
) -> None:
    erased(store, report)
    assert deliver(store, node, Lane.REP).through == 4
    assert [is_husk(bytes(row.raw)) for row in stored(store)] == [False, True, True, False]
    asked = progress(store, CITY.inegi, node.node, SHA)
    assert getattr(asked, "complete", False)


def test_payments_are_kept_and_the_refusal_is_written_down(
    store: Store, node: NodeSimulator
) -> None:
    folio = node.pay("0620000101023005000007", "L1", 500)
    deliver(store, node, Lane.PAY)
    refused = erased(store, folio)
    assert isinstance(refused, Kept)
    assert "CFF art. 30" in refused.why
    assert [row.what for row in newest(store, CITY.inegi, folio)] == ["rights.refused"]
    assert not any(is_husk(bytes(row.raw)) for row in stored(store))


def test_a_fact_that_is_not_in_the_books_yet_is_not_erased(store: Store, report: str) -> None:
    with store.begin() as connection:
        connection.execute(update(heads).values(projected=1))
    assert isinstance(erased(store, report), Kept)


def test_an_export_has_the_exact_facts_the_files_and_who_looked(
    store: Store, node: NodeSimulator, report: str, tmp_path: Path
) -> None:
    out = tmp_path / "expediente"
    export(store, CITY.inegi, report, out, who="enlace", at=NOW)
    lines = (out / "hechos.ndjson").read_bytes().splitlines()
    assert lines == node.facts[Lane.REP][1:3]
    assert (out / "adjuntos" / f"{SHA}.age").read_bytes() == PHOTO
    about = json.loads((out / "expediente.json").read_text())
    assert about["asunto"]["state"] == "Pendiente"
    assert [row["who"] for row in about["accesos"]] == ["enlace"]
    assert report in (out / "LEEME.txt").read_text()


# --- retention --------------------------------------------------------------------------------


def apply_after(store: Store, days: int, *, dry_run: bool = False) -> tuple[int, int]:
    at = NOW + timedelta(days=days)
    done = apply(store, CITY.inegi, RETENTION_DAYS, at, who="cron", dry_run=dry_run)
    return done.erased.total(), done.open.total()


def test_content_is_kept_for_its_time_and_an_open_matter_for_longer(
    store: Store, node: NodeSimulator, report: str
) -> None:
    node.record(FactType.TERMS_ACCEPTED, {"language": "en", "device": "d"})
    deliver(store, node, Lane.ACC)
    assert apply_after(store, 364) == (0, 0)
    assert apply_after(store, 366, dry_run=True) == (1, 0)
    assert not any(is_husk(bytes(row.raw)) for row in stored(store))
    assert apply_after(store, 366) == (1, 0)
    assert apply_after(store, 366) == (0, 0)
    assert apply_after(store, 5 * 366) == (0, 4)
    with store.begin() as connection:
        mine = folios.c.folio == report
        connection.execute(update(folios).where(mine).values(state="Atendido"))
    assert apply_after(store, 5 * 366) == (2, 2)
    assert read_attachment(store, CITY.inegi, SHA) is None
    assert [row.what for row in newest(store, CITY.inegi)].count("retention.applied") == 5


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('[retention]\n"report.field" = 3', "no kind"),
        ('[retention]\n"report.filed" = -1', "whole days"),
        ('[retention]\n"report.filed" = true', "whole days"),
        ('[retention]\n"payment.taken" = 30', "CFF art. 30"),
        ("[retention", "not TOML"),
    ],
)
def test_a_wrong_plazo_is_said(text: str, wrong: str) -> None:
    with pytest.raises(RetentionError, match=wrong):
        parse_retention(text)
    assert parse_retention('[retention]\n"terms.accepted" = 7')[FactType.TERMS_ACCEPTED] == 7


# --- who looked -------------------------------------------------------------------------------


@pytest.fixture
def client(store: Store) -> FlaskClient:
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    made = Central(store, CITY, key, demo_perfil(), TOKEN, lambda: NOW, projector)
    return create_app(made).test_client()


def test_each_look_at_a_folio_is_a_row_with_the_name_of_the_token(
    client: FlaskClient, store: Store, report: str
) -> None:
    token = make_token(store, CITY.inegi, "operador-2", NOW)
    shown = client.get(f"/expediente?folio={report}&token={token}").text
    assert "Quedó registrado" in shown
    assert SEALED[:40] not in shown
    (row,) = newest(store, CITY.inegi, report)
    assert (row.who, row.what) == ("operador-2", "folio.viewed")
    assert "operador-2" in client.get(f"/accesos?token={TOKEN}").text
    client.get(f"/?token={TOKEN}")
    assert newest(store, CITY.inegi)[0].who in {"principal", "operador-2"}
    assert {r.what for r in newest(store, CITY.inegi)} == {
        "folio.viewed", "audit.viewed", "facts.viewed",
    }  # fmt: skip
    erased(store, report)
    assert "se borraron" in client.get(f"/expediente?folio={report}&token={TOKEN}").text
    for missing in ("COA007-R1-000123-Z", "COA009-R1-000001-5"):
        asked = client.get(f"/expediente?folio={missing}&token={TOKEN}")
        assert asked.status_code == 404


def test_a_token_ends_when_it_is_taken_back_and_its_name_is_not_used_again(
    client: FlaskClient, store: Store
) -> None:
    token = make_token(store, CITY.inegi, "operador-2", NOW)
    assert token_name(store, CITY.inegi, token) == "operador-2"
    revoke_token(store, CITY.inegi, "operador-2", NOW)
    assert client.get(f"/flota?token={token}").status_code == 401
    for name in ("operador-2", "x", "terminal:root"):
        with pytest.raises(TokenError):
            make_token(store, CITY.inegi, name, NOW)
    with pytest.raises(TokenError):
        revoke_token(store, CITY.inegi, "nadie", NOW)


def test_the_commands_do_the_same(url: str, store: Store, report: str, tmp_path: Path) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, [*words, "--db", url])
        return done.exit_code, done.output

    out = tmp_path / "out"
    assert run("rights", "export", report, "--out", str(out), "--who", "enlace")[0] == 0
    assert run("rights", "export", report, "--out", str(out))[0] == 1
    assert run("rights", "erase", report, "--why", "ARCO-1", "--who", "enlace", "--yes")[0] == 0
    assert run("rights", "erase", "COA007-R1-000123-Z", "--why", "x", "--yes")[0] == 1
    audited = run("rights", "audit", "--folio", report)[1]
    assert [line.split()[1] for line in audited.splitlines()] == ["enlace", "enlace"]
    assert "0 facts" in run("retention", "apply", "--dry-run")[1]
    token = run("staff", "add", "operador-3")[1].strip()
    assert len(token) == 32
    assert "operador-3" in run("staff", "list")[1]
    assert run("staff", "remove", "operador-3")[0] == 0
    assert '"report.filed"' in CliRunner().invoke(main, ["retention", "show"]).output
