"""The audit export: proven by a program that stands alone; any byte that changed is found."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, update

from central.audit import AuditError, export_audit
from central.audit_verify import main, verify_export
from central.city import City
from central.demo_padron import known_accounts
from central.ingest import Taken, take_batch
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.predial import liquidacion_row, liquidate
from central.projections import project
from central.rights import Erased, erase
from central.schema import accounts, facts, liquidaciones, payments
from central.schema_money import batch_seals
from central.store import Store, insert_missing
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane
from municipio.wire.batch import Batch, decode_batch

CITY = City()
DAY = date(2026, 1, 20)
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
NEXT = datetime(2026, 1, 22, 18, 0, tzinfo=UTC)
KEY = CityKey(Ed25519PrivateKey.generate())


def deliver(store: Store, node: NodeSimulator, lane: Lane, first: int, at: datetime = NOW) -> None:
    batch = decode_batch(node.batch(lane, first))
    assert isinstance(batch, Batch)
    assert isinstance(take_batch(store, CITY.inegi, batch, at), Taken)


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    """Two days of one node: a payment and a report each day, and bytes that are no fact."""
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    for number, (_, account) in enumerate(known_accounts(DAY)[:2]):
        row = account.row(CITY.inegi)
        owed = liquidate(demo_perfil(), row["tax"], 0, DAY, KEY.sign)
        with store.begin() as connection:
            insert_missing(connection, accounts, [row])
            insert_missing(connection, liquidaciones, [liquidacion_row(CITY.inegi, owed)])
        issued = owed.liquidacion
        made.pay(issued.clave, issued.id, issued.total_centavos)
        deliver(store, made, Lane.PAY, 1 + 2 * number, NEXT if number else NOW)
    made.record(FactType.REPORT_FILED, {"service_code": "luminaria"})
    made.add_raw(Lane.REP, b'{"no":"fact"}')
    deliver(store, made, Lane.REP, 1)
    project(store, CITY.inegi, CITY.zone, NEXT)
    return made


def export(store: Store, out: Path, first: date = DAY, last: date = DAY) -> Path:
    export_audit(store, CITY, KEY, first, last, out, NEXT)
    return out


def test_what_was_exported_holds(store: Store, node: NodeSimulator, tmp_path: Path) -> None:
    out = export(store, tmp_path / "audit")
    assert verify_export(out, KEY.public) == []
    manifest = json.loads((out / "manifest.json").read_bytes())
    assert manifest["totals"]["facts"] == {"pay": 2, "rep": 2}
    assert manifest["totals"]["payments"]["card"]["count"] == 1
    later = export(store, tmp_path / "later", date(2026, 1, 22), date(2026, 1, 22))
    assert verify_export(later, KEY.public) == []
    both = export(store, tmp_path / "both", DAY, date(2026, 1, 22))
    assert verify_export(both, KEY.public) == []
    assert (
        json.loads((both / "manifest.json").read_bytes())["totals"]["payments"]["card"]["count"]
        == 2
    )
    with pytest.raises(AuditError, match="not empty"):
        export(store, out)


def test_an_erased_fact_leaves_a_chain_that_still_holds(
    store: Store, node: NodeSimulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folio = node.folio(Lane.REP, 1)
    done = erase(store, CITY.inegi, folio, who="ficha", why="derecho de cancelación", at=NEXT)
    assert isinstance(done, Erased), done
    out = export(store, tmp_path / "audit")
    assert verify_export(out, KEY.public) == []
    (tmp_path / "city.pub").write_bytes(KEY.public_pem)
    assert main([str(out), "--city-key", str(tmp_path / "city.pub")]) == 0
    assert "1 facts are erased" in capsys.readouterr().out
    chains = json.loads((out / "chains.json").read_bytes())
    erased = [chain["erased"] for chain in chains if chain["lane"] == "rep"]
    assert [list(one) for one in erased] == [["1"]]


def test_the_verifier_stands_alone(store: Store, node: NodeSimulator, tmp_path: Path) -> None:
    out = export(store, tmp_path / "audit")
    key = tmp_path / "city.pub"
    key.write_bytes(KEY.public_pem)
    words = [sys.executable, "-I", str(out / "verify.py"), str(out), "--city-key", str(key)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "all of it holds" in done.stdout
    other = tmp_path / "other.pub"
    other.write_bytes(CityKey(Ed25519PrivateKey.generate()).public_pem)
    assert main([str(out), "--city-key", str(other)]) == 1


def test_any_changed_byte_is_found(store: Store, node: NodeSimulator, tmp_path: Path) -> None:
    out = export(store, tmp_path / "audit")
    draw = random.Random(20260120)
    for path in sorted(p for p in out.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        places = range(len(whole)) if path.suffix == ".sig" else draw.sample(range(len(whole)), 25)
        for place in places:
            changed = bytearray(whole)
            changed[place] ^= 1 << draw.randrange(8)
            path.write_bytes(changed)
            assert verify_export(out, KEY.public) != [], f"{path.name} at {place}"
        path.write_bytes(whole[:-1])
        assert verify_export(out, KEY.public) != []
        path.write_bytes(whole)
    assert verify_export(out, KEY.public) == []


def test_a_file_more_or_less_is_found(store: Store, node: NodeSimulator, tmp_path: Path) -> None:
    out = export(store, tmp_path / "audit")
    (out / "facts" / "more.ndjson").write_bytes(b"")
    assert verify_export(out, KEY.public) == ["facts/more.ndjson: not in the manifest"]
    (out / "facts" / "more.ndjson").unlink()
    (out / "polizas.csv").unlink()
    assert verify_export(out, KEY.public) == ["polizas.csv: missing"]
    shutil.rmtree(out / "facts")
    assert "facts/COA007-1-pay.ndjson: missing" in verify_export(out, KEY.public)


def test_a_city_that_changes_its_own_books_is_found_by_the_nodes_signatures(
    store: Store, node: NodeSimulator, tmp_path: Path
) -> None:
    """The city signs what it exports: only what the nodes signed speaks against its own database."""
    with store.begin() as connection:
        raw = node.facts[Lane.PAY][1].replace(b'"method":"card"', b'"method":"cash"')
        one = (facts.c.lane == "pay") & (facts.c.seq == 2)
        connection.execute(update(facts).where(one).values(raw=raw))
    wrong = verify_export(export(store, tmp_path / "changed"), KEY.public)
    assert wrong == ["COA007-1-pay: batch 1..2: not signed by a key of the node"] or (
        "COA007-1-pay: facts 1..2 carry no signature of the node" in wrong
    )
    with store.begin() as connection:
        connection.execute(delete(batch_seals))
    wrong = verify_export(export(store, tmp_path / "unsigned"), KEY.public)
    assert "COA007-1-pay: facts 1..2 carry no signature of the node" in wrong
    with store.begin() as connection:
        connection.execute(delete(payments))
    wrong = verify_export(export(store, tmp_path / "unposted"), KEY.public)
    assert any("is not in the books" in line for line in wrong)


def test_the_export_says_when_each_fact_happened(store: Store, tmp_path: Path) -> None:
    node = NodeSimulator()
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    node.record(FactType.TERMS_ACCEPTED, {"language": "es_MX"})
    batch = decode_batch(node.batch(Lane.ACC))
    assert isinstance(batch, Batch)
    take_batch(store, CITY.inegi, batch, NOW)
    export_audit(store, CITY, KEY, NOW.date(), NOW.date(), tmp_path / "out", NOW)
    text = (tmp_path / "out" / "times" / "COA007-1-acc.csv").read_text()
    (row,) = csv.DictReader(io.StringIO(text))

    assert (row["numero"], row["tipo"], row["dudosa"]) == ("1", "terms.accepted", "no")
    assert row["no_antes"] <= row["hora_corregida"] <= row["no_despues"] <= row["recibido"]
