"""Corrected times in the books: each fact in its month, also when its boot is known only later."""

from __future__ import annotations

import random
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from central.city import City
from central.ingest import Taken, take_batch
from central.moments import OLDEST_MS, Bound, Happened, Stamp, as_ms
from central.moments_books import told_of
from central.moments_read import TIMES_HEAD, moment_with_error, time_rows
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.projections import project
from central.schema import folios, heads
from central.schema_fleet import fact_times, reports, tallies
from central.store import Store, open_store
from municipio.clock import Instant, TimeQuality
from municipio.facts import FactType, Lane, decode_fact
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 3, 20, 18, 0, tzinfo=UTC)
BOOTED = datetime(2026, 1, 20, 12, 0, tzinfo=UTC)
REPORT = {"service_code": "luminaria", "channel": "kiosco"}


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


def dark(hours: float, boot: str = "b") -> Instant:
    """So long after the boot, and the node does not know the time."""
    return Instant(None, TimeQuality.UNKNOWN, boot, int(hours * 3_600_000))


def lit(hours: float, boot: str = "b", wrong: timedelta = timedelta(0)) -> Instant:
    moment = BOOTED + timedelta(hours=hours) + wrong
    return Instant(moment, TimeQuality.SYNCED, boot, int(hours * 3_600_000))


def deliver(store: Store, node: NodeSimulator, lane: Lane, first: int, at: datetime = NOW) -> None:
    batch = decode_batch(node.batch(lane, first))
    assert isinstance(batch, Batch)
    assert isinstance(take_batch(store, CITY.inegi, batch, at), Taken)
    project(store, CITY.inegi, CITY.zone, at)


def told(store: Store) -> dict[tuple[str, int], Happened]:
    with store.begin() as connection:
        rows = connection.execute(select(fact_times)).all()
    return {(row.lane, row.seq): told_of(row) for row in rows}


def counts(store: Store) -> dict[tuple[str, str], int]:
    with store.begin() as connection:
        rows = connection.execute(select(tallies)).all()
    return {(row.month, row.what): row.value for row in rows if row.value}


def test_a_fact_moves_to_its_month_when_another_lane_tells_the_time(
    store: Store, node: NodeSimulator
) -> None:
    node.record(FactType.TERMS_ACCEPTED, {"language": "es"}, dark(1))
    node.record(FactType.TERMS_ACCEPTED, {"language": "es"}, dark(2))
    deliver(store, node, Lane.ACC, 1)
    wide = told(store)[("acc", 1)]
    assert wide.bound.error_ms > 20 * 24 * 3_600_000
    assert counts(store)[("2026-02", "connections")] == 2
    assert counts(store)[("2026-02", "undated")] == 2

    node.record(FactType.DEVICE_CHANGED, {"device": "printer", "state": "ready"}, lit(5))
    deliver(store, node, Lane.VIT, 1)
    near = told(store)[("acc", 1)]
    assert near.bound.error_ms < 15_000
    assert abs(near.moment - (BOOTED + timedelta(hours=1))) < timedelta(seconds=15)
    assert counts(store) == {("2026-01", "connections"): 2}
    assert ("vit", 1) not in told(store)


def test_a_report_moves_with_its_fact(store: Store, node: NodeSimulator) -> None:
    node.record(FactType.REPORT_FILED, REPORT, dark(1))
    deliver(store, node, Lane.REP, 1)
    node.record(FactType.REPORT_FILED, REPORT, lit(3))
    deliver(store, node, Lane.REP, 2)
    node.record(FactType.REPORT_FILED, REPORT, dark(4))
    deliver(store, node, Lane.REP, 3)
    with store.begin() as connection:
        months = set(connection.scalars(select(reports.c.month)))
        days = connection.scalars(select(folios.c.opened_on).order_by(folios.c.folio)).all()
    assert months == {"2026-01"}
    assert sorted(days) == ["", "2026-01-20", "2026-01-20"]
    assert counts(store) == {}


def test_a_fact_that_was_told_inside_another_does_not_move_a_count(
    store: Store, node: NodeSimulator
) -> None:
    lost = node.record(FactType.TERMS_ACCEPTED, {"language": "es"}, dark(1))
    other = NodeSimulator(epoch=2, key=node.key)
    other.record(FactType.TERMS_RECOVERED, {"fact": lost.decode(), "reason": "x"}, dark(2, "c"))
    deliver(store, other, Lane.ACC, 1)
    deliver(store, node, Lane.ACC, 1)
    counted = counts(store)[("2026-03", "connections")]
    node.record(FactType.DEVICE_CHANGED, {"device": "printer", "state": "ready"}, lit(5))
    deliver(store, node, Lane.VIT, 1)

    assert counted == 1
    assert counts(store)[("2026-03", "connections")] == 1


def test_a_clock_that_is_ahead_of_the_receipt_is_doubted(store: Store, node: NodeSimulator) -> None:
    ahead = timedelta(days=365)
    node.record(FactType.TERMS_ACCEPTED, {"language": "es"}, lit(1, wrong=ahead))
    deliver(store, node, Lane.ACC, 1)
    found = told(store)[("acc", 1)]

    assert found.bound.doubted
    assert found.moment <= NOW
    assert counts(store).keys() == {("2026-02", "connections"), ("2026-02", "undated")}


def test_several_programs_move_months_at_once_and_lose_none(postgres_url: str) -> None:
    store, node, luck = open_store(postgres_url), NodeSimulator(), random.Random(5)
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    kinds = (FactType.TERMS_ACCEPTED, FactType.COMPLAINT_FILED, FactType.PASE_ISSUED)
    for number in range(900):
        boot, hours = f"b{number // 300}", number % 300 / 10
        at = lit(hours, boot) if hours > 25 else dark(hours, boot)
        node.record(luck.choice(kinds), {"language": "es"}, at)
    ended = threading.Event()

    def work() -> None:
        mine = open_store(postgres_url)
        while not ended.is_set():
            project(mine, CITY.inegi, CITY.zone, NOW)
        mine.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    lanes = {lane: iter(range(1, len(node.facts[lane]) + 1, 40)) for lane in Lane}
    while lanes:
        lane = luck.choice(list(lanes))
        first = next(lanes[lane], 0)
        if not first:
            del lanes[lane]
            continue
        last = min(first + 39, len(node.facts[lane]))
        batch = decode_batch(node.batch(lane, first, last))
        assert isinstance(batch, Batch)
        assert isinstance(take_batch(store, CITY.inegi, batch, NOW), Taken)
    ended.set()
    for worker in workers:
        worker.join(30)
    project(store, CITY.inegi, CITY.zone, NOW)
    with store.begin() as connection:
        rows = connection.execute(select(tallies)).all()
        assert connection.scalars(select(heads.c.node).where(heads.c.failures > 0)).all() == []
    store.close()
    assert all(row.value >= 0 for row in rows)
    summed = Counter(row.what for row in rows for _ in range(row.value))
    sent = Counter(fact_type(raw) for lane in Lane for raw in node.facts[lane])
    assert summed["connections"] == sent["terms.accepted"]
    assert summed["complaints"] == sent["complaint.filed"]
    assert summed["pases"] == sent["payment.pase_issued"]


def fact_type(raw: bytes) -> str:
    return decode_fact(raw).type.value


def test_no_name_of_a_boot_stops_the_books(store: Store, node: NodeSimulator) -> None:
    for boot in ("a\x00b", "x" * 10_000, "\n", ""):
        node.record(FactType.TERMS_ACCEPTED, {"language": "es"}, dark(1, boot))
    deliver(store, node, Lane.ACC, 1)
    assert counts(store)[("2026-02", "connections")] == 4


def test_a_boot_without_time_lies_between_its_neighbours(store: Store, node: NodeSimulator) -> None:
    node.record(FactType.TERMS_ACCEPTED, {"language": "es"}, lit(1, "a"))
    deliver(store, node, Lane.ACC, 1)
    node.record(FactType.TERMS_ACCEPTED, {"language": "es"}, dark(1, "b"))
    node.record(FactType.TERMS_ACCEPTED, {"language": "es"}, lit(48, "c"))
    deliver(store, node, Lane.ACC, 2)
    found = told(store)[("acc", 2)].bound

    assert found.latest_ms - found.earliest_ms < 48 * 3_600_000
    assert counts(store) == {("2026-01", "connections"): 3}


def test_a_moment_is_said_with_what_is_not_known_of_it() -> None:
    hour, zone = 3_600_000, CITY.zone
    stamp = Stamp("b", 0, TimeQuality.UNKNOWN, None, as_ms(NOW))
    at = as_ms(BOOTED)
    said = {
        Bound(at - 2_500, at + 2_500): "20/01/2026 06:00 ± 3 s",
        Bound(at - hour, at + hour): "20/01/2026 06:00 ± 60 min",
        Bound(at - 9 * hour, at + 9 * hour): "20/01/2026 06:00 ± 9 h",
        Bound(at - 30 * hour, at + 30 * hour): "entre el 19/01/2026 y el 21/01/2026",
        Bound(OLDEST_MS, at): "antes del 20/01/2026",
        Bound(at - 1, at + 1, doubted=True): "20/01/2026 06:00 ± 1 s; su reloj no era creíble",
    }
    assert {b: moment_with_error(Happened(stamp, b), zone) for b in said} == said


def test_every_fact_is_exported_with_its_bound(
    store: Store, node: NodeSimulator, request: pytest.FixtureRequest
) -> None:
    node.record(FactType.TERMS_ACCEPTED, {"language": "es"}, dark(1))
    node.record(FactType.TERMS_ACCEPTED, {"language": "es"}, lit(2))
    deliver(store, node, Lane.ACC, 1)
    rows = [dict(zip(TIMES_HEAD, row, strict=True)) for row in time_rows(store, CITY.inegi)]

    assert [row["calidad"] for row in rows] == ["unknown", "synced"]
    assert [row["dudosa"] for row in rows] == ["no", "no"]
    assert all(row["no_antes"] <= row["hora_corregida"] <= row["no_despues"] for row in rows)
    assert rows[0]["hora_corregida"].startswith("2026-01-20T13:0")
    assert float(rows[0]["error_s"]) < 10
