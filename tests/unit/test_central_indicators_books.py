"""What facts add to the indicators and to the fleet: each fact once, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update

from central.city import City
from central.indicators_facts import Count, What, read
from central.ingest import Taken, take_batch
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.projections import project
from central.schema import heads
from central.schema_fleet import reports, tallies, vitals
from central.store import Store, open_store
from municipio.facts import FactType, Lane
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
ARRIVED = "2026-01-20T18:00:00.000Z"


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


def deliver(store: Store, node: NodeSimulator, *lanes: Lane, at: datetime = NOW) -> None:
    for lane in lanes:
        batch = decode_batch(node.batch(lane))
        assert isinstance(batch, Batch)
        assert isinstance(take_batch(store, CITY.inegi, batch, at), Taken)
    project(store, CITY.inegi, CITY.zone, at)


def counted(store: Store) -> dict[tuple[str, str], int]:
    with store.begin() as connection:
        rows = connection.execute(select(tallies)).all()
    assert {row.month for row in rows} <= {"2026-01"}
    return {(row.what, row.part): row.value for row in rows}


def told(store: Store) -> dict[str, tuple[str, str]]:
    with store.begin() as connection:
        rows = connection.execute(select(vitals)).all()
    return {row.name: (row.state, row.cause) for row in rows}


def a_month(node: NodeSimulator) -> None:
    node.pay("0620000101023005000007", "L1", 109_560)
    node.record(FactType.PASE_ISSUED, {"clave": "1", "due": "2026-01-31"})
    node.record(FactType.REPORT_FILED, {"service_code": "luminaria", "channel": "kiosco"})
    node.record(FactType.COMPLAINT_FILED, {"sealed": "-"})
    for _ in range(3):
        node.record(FactType.TERMS_ACCEPTED, {"language": "es_MX", "device": "d"})
    node.record(FactType.TERMS_ACCEPTED, {"language": "es_MX", "device": "d", "resumed": True})
    node.record(FactType.VISIT_ENDED, {"visits": 7, "minutes": 300, "mib": 512})
    node.record(FactType.VISIT_ENDED, {"visits": None, "minutes": None, "mib": None})


EXPECTED = {
    ("transactions", "card"): 1,
    ("centavos", "card"): 109_560,
    ("pases", ""): 1,
    ("complaints", ""): 1,
    ("connections", "es_MX"): 3,
    ("resumed", ""): 1,
    ("visits", ""): 7,
    ("visit_minutes", ""): 300,
    ("visit_mib", ""): 512,
    ("few_visits", ""): 1,
}
LANES = (Lane.PAY, Lane.REP, Lane.ACC)


def test_a_month_of_a_node_is_counted(store: Store, node: NodeSimulator) -> None:
    a_month(node)
    deliver(store, node, *LANES)
    assert counted(store) == EXPECTED
    with store.begin() as connection:
        row = connection.execute(select(reports)).one()
    assert row.folio == node.folio(Lane.REP, 1)
    assert (row.service_code, row.channel, row.month) == ("luminaria", "kiosco", "2026-01")


def test_what_comes_again_counts_once(store: Store, node: NodeSimulator) -> None:
    a_month(node)
    deliver(store, node, *LANES)
    deliver(store, node, *LANES)
    assert counted(store) == EXPECTED


def test_a_fact_counts_once_whether_it_comes_by_itself_or_inside_another(
    store: Store, node: NodeSimulator
) -> None:
    first = node.record(FactType.TERMS_ACCEPTED, {"language": "es_MX"}).decode()
    other = NodeSimulator(epoch=2, key=node.key)
    lost = NodeSimulator(epoch=3, key=node.key).record(FactType.TERMS_ACCEPTED, {"language": "en"})
    for inner in (first, lost.decode(), lost.decode()):
        other.record(FactType.TERMS_RECOVERED, {"fact": inner, "reason": "salvaged"})
    deliver(store, other, Lane.ACC)
    deliver(store, node, Lane.ACC)
    assert counted(store) == {("connections", "en"): 1, ("connections", "es_MX"): 1}


def test_one_that_waits_in_its_own_chain_counts_there(store: Store, node: NodeSimulator) -> None:
    first = node.record(FactType.TERMS_ACCEPTED, {"language": "es_MX"}).decode()
    batch = decode_batch(node.batch(Lane.ACC))
    assert isinstance(batch, Batch)
    take_batch(store, CITY.inegi, batch, NOW)
    with store.begin() as connection:  # its chain fails just now and is tried later
        connection.execute(update(heads).values(failures=9, tried_at=ARRIVED))
    other = NodeSimulator(epoch=2, key=node.key)
    other.record(FactType.TERMS_RECOVERED, {"fact": first})
    deliver(store, other, Lane.ACC)
    with store.begin() as connection:
        connection.execute(update(heads).values(failures=0, tried_at=""))
    project(store, CITY.inegi, CITY.zone, NOW)
    assert counted(store) == {("connections", "es_MX"): 1}


def test_the_last_word_about_a_part_stays(store: Store, node: NodeSimulator) -> None:
    node.record(FactType.NODE_STARTED, {"version": "1.2.0", "reason": "first"})
    node.record(FactType.DEVICE_CHANGED, {"device": "printer", "state": "ready", "cause": ""})
    printer = {"device": "printer", "state": "attention", "cause": "paper_end"}
    node.record(FactType.DEVICE_CHANGED, printer)
    node.record(FactType.DEVICE_CHANGED, {"device": "cash", "cause": "stray_money"})
    node.record(FactType.ENERGY_CHANGED, {"level": "save", "soc_percent": 41})
    newer = NodeSimulator(epoch=2, key=node.key)
    newer.record(FactType.NODE_STARTED, {"version": "1.3.0", "reason": "salvaged"})
    deliver(store, newer, Lane.VIT)
    deliver(store, node, Lane.VIT)
    known = told(store)
    assert known["device:printer"] == ("attention", "paper_end")
    assert known["energy"] == ("save", "")
    assert known["node"] == ("1.3.0", "salvaged")
    assert known["clock"] == ("synced", "")
    assert "device:cash" not in known
    assert known["queue:vit"] == ("", "")


def test_a_fact_without_a_time_counts_in_the_month_of_its_arrival() -> None:
    raw = (
        b'{"id":"x","type":"terms.accepted","epoch":1,"lane":"acc","seq":1,'
        b'"timequality":"unknown","data":{"language":"en"}}'
    )
    found = read(raw, "2026-02-01T05:30:00.000Z", "COA007", CITY.zone)
    month = "2026-01"  # it is still January in the city
    assert found.counts == (
        Count(month, What.CONNECTIONS, "en", 1),
        Count(month, What.UNDATED, "acc", 1),
    )


@pytest.mark.parametrize(
    ("type", "data"),
    [
        (FactType.VISIT_ENDED, {"visits": -3, "minutes": "many", "mib": 10**9}),
        (FactType.DEVICE_CHANGED, {"device": 7, "state": None}),
        (FactType.ENERGY_CHANGED, {"level": "\u0000"}),
        (FactType.NODE_STARTED, {}),
        (FactType.TERMS_RECOVERED, {"fact": "{"}),
        (FactType.REPORT_FILED, {"service_code": ["x"]}),
    ],
)
def test_odd_members_are_not_told_and_stop_nothing(
    store: Store, node: NodeSimulator, type: FactType, data: dict[str, Any]
) -> None:
    node.record(type, data)
    deliver(store, node, next(lane for lane in Lane if node.facts[lane]))
    with store.begin() as connection:
        assert connection.scalars(select(heads.c.failures)).all() == [0]


def test_books_of_before_are_counted_when_they_are_brought_up_to_date(tmp_path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    import central.migrations

    url = f"sqlite:///{tmp_path}/central.sqlite"
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(central.migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        for folio, paid_on in (("A", "2026-01-03"), ("B", "")):
            connection.execute(
                text(
                    "INSERT INTO payments VALUES ('30039', :f, :f, 'COA007', '1', 'L', 500, 'cash', "
                    ":d, 'posted', '', '2026-01-04T12:00:00.000Z')"
                ),
                {"f": folio, "d": paid_on},
            )
    engine.dispose()
    store = open_store(url)
    assert counted(store) == {("transactions", "cash"): 2, ("centavos", "cash"): 1000}
    store.close()
