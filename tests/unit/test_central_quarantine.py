"""What was set aside is read again by a program that knows more, as if it had been read at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner
from sqlalchemy import delete, select

from central.city import City
from central.cli import main
from central.ingest import Taken, take_batch
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.projections import project
from central.quarantine import ReadAgain, read_again
from central.schema import fact_ids, facts, folios, payments, quarantine
from central.schema_fleet import tallies
from central.store import Store, open_store
from municipio.facts import FactType, Lane, decode_fact
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)


def deliver(store: Store, node: NodeSimulator, lane: Lane) -> None:
    batch = decode_batch(node.batch(lane))
    assert isinstance(batch, Batch)
    assert isinstance(take_batch(store, CITY.inegi, batch, NOW), Taken)


def put_aside(store: Store, lane: Lane, *seqs: int) -> None:
    """As an older program would have: one that did not know these facts' types."""
    with store.begin() as connection:
        mine = (facts.c.lane == lane.value) & facts.c.seq.in_(seqs)
        for row in connection.execute(select(facts).where(mine)).all():
            values = {k: v for k, v in row._mapping.items() if k != "id"}
            aside = {**values, "code": "unreadable", "detail": "not a fact"}
            connection.execute(quarantine.insert().values(aside))
            connection.execute(delete(fact_ids).where(fact_ids.c.id == row.id))
        connection.execute(delete(facts).where(mine))


def books(store: Store) -> tuple[object, ...]:
    with store.begin() as connection:
        return tuple(
            sorted(map(str, connection.execute(query)))
            for query in (
                select(folios.c.folio, folios.c.kind, folios.c.state),
                select(payments.c.folio, payments.c.amount_centavos, payments.c.state),
                select(tallies.c.month, tallies.c.what, tallies.c.part, tallies.c.value),
                select(facts.c.lane, facts.c.seq, facts.c.hash),
            )
        )


def a_day(node: NodeSimulator) -> None:
    node.pay("0620000101023005000007", "L1", 109_560)
    for _ in range(3):
        node.record(FactType.REPORT_FILED, {"service_code": "luminaria", "channel": "kiosco"})
    node.record(FactType.COMPLAINT_FILED, {"sealed": "-"})
    for _ in range(4):
        node.record(FactType.TERMS_ACCEPTED, {"language": "es_MX"})


def test_late_facts_leave_the_books_as_if_they_had_been_read_at_once(
    store: Store, tmp_path: Path
) -> None:
    node = NodeSimulator()
    plain = open_store(f"sqlite:///{tmp_path}/plain.sqlite")
    a_day(node)
    for one in (store, plain):
        add_node(one, CITY.inegi, node.node, node.public, NOW, replace=False)
        for lane in (Lane.PAY, Lane.REP, Lane.ACC):
            deliver(one, node, lane)
    put_aside(store, Lane.PAY, 1)
    put_aside(store, Lane.REP, 2, 4)
    put_aside(store, Lane.ACC, 1, 2, 4)
    for one in (store, plain):
        project(one, CITY.inegi, CITY.zone, NOW)
    assert books(store) != books(plain)

    assert read_again(store, CITY, NOW, "prueba") == ReadAgain(6, 0)
    assert read_again(store, CITY, NOW, "prueba") == ReadAgain(0, 0)
    assert books(store) == books(plain)
    plain.close()


def test_what_the_books_have_not_reached_waits_for_them(store: Store) -> None:
    node = NodeSimulator()
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    a_day(node)
    deliver(store, node, Lane.ACC)
    put_aside(store, Lane.ACC, 2, 3)
    assert read_again(store, CITY, NOW, "prueba") == ReadAgain(2, 0)
    project(store, CITY.inegi, CITY.zone, NOW)
    with store.begin() as connection:
        assert connection.scalars(select(tallies.c.value)).all() == [4]


def test_what_is_still_no_fact_stays_aside(url: str, store: Store) -> None:
    node = NodeSimulator()
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    a_day(node)
    node.add_raw(Lane.ACC, b"damage")
    twin = node.facts[Lane.ACC][0]
    deliver(store, node, Lane.ACC)
    put_aside(store, Lane.ACC, 1)
    with store.begin() as connection:
        elsewhere = {"inegi": CITY.inegi, "node": "COA009", "epoch": 1, "lane": "acc", "seq": 1}
        owner = {**elsewhere, "id": decode_fact(twin).id}
        connection.execute(fact_ids.insert().values(owner))
    assert read_again(store, CITY, NOW, "prueba") == ReadAgain(0, 2)
    asked = CliRunner().invoke(main, ["quarantine", "list", "--db", url])
    assert "COA007 acc 1: 5" in asked.output
    done = CliRunner().invoke(main, ["quarantine", "replay", "--db", url])
    assert "0 facts are in their chains now, 2 stay aside" in done.output
