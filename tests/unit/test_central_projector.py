"""Projections beside the requests: poked, shared between processes, and never stopped by one chain."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text

from central.city import City
from central.ingest import Taken, take_batch
from central.node_simulator import NodeSimulator
from central.nodes import add_node
from central.projector import Projector
from central.schema import counters, folios, heads
from central.store import Store, open_store
from municipio.facts import FactType, Lane
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


def deliver(store: Store, node: NodeSimulator, number: int) -> None:
    for _ in range(number):
        node.record(FactType.REPORT_FILED, {"service_code": "luminaria"})
    batch = decode_batch(node.batch(Lane.REP))
    assert isinstance(batch, Batch)
    assert isinstance(take_batch(store, CITY.inegi, batch, NOW), Taken)


def opened_folios(store: Store) -> int:
    with store.begin() as connection:
        return connection.scalars(select(func.count()).select_from(folios)).one()


def wait_until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end, "waited 30 s in vain"
        time.sleep(0.02)


def test_what_is_committed_is_in_the_books_soon_after_a_poke(
    store: Store, node: NodeSimulator
) -> None:
    projector = Projector(store, CITY, lambda: NOW)
    projector.start()
    deliver(store, node, 7)
    projector.poke()
    wait_until(lambda: opened_folios(store) == 7)
    projector.close()


def test_what_another_program_left_is_found_without_a_poke(
    store: Store, node: NodeSimulator
) -> None:
    deliver(store, node, 3)
    projector = Projector(store, CITY, lambda: NOW)
    projector.start()
    wait_until(lambda: opened_folios(store) == 3)
    projector.close()


def test_two_processes_share_the_chains_and_no_fact_counts_twice(postgres_url: str) -> None:
    first, second = open_store(postgres_url), open_store(postgres_url)
    nodes = [NodeSimulator(node=f"COA00{n}") for n in range(1, 6)]
    for node in nodes:
        add_node(first, CITY.inegi, node.node, node.public, NOW, replace=False)
    projectors = [Projector(store, CITY, lambda: NOW) for store in (first, second)]
    for projector in projectors:
        projector.start()
    for node in nodes:
        deliver(first, node, 120)
        for projector in projectors:
            projector.poke()
    wait_until(lambda: opened_folios(first) == 600)
    for projector in projectors:
        projector.close()
    with first.begin() as connection:
        numbers = connection.scalars(select(folios.c.city_folio)).all()
    first.close()
    second.close()
    assert sorted(numbers) == [f"SIAC-{n:06d}" for n in range(1, 601)]


def test_a_nodes_next_batch_does_not_wait_for_its_books(postgres_url: str) -> None:
    store = open_store(postgres_url)
    node = NodeSimulator()
    add_node(store, CITY.inegi, node.node, node.public, NOW, replace=False)
    projector = Projector(store, CITY, lambda: NOW)
    deliver(store, node, 1)
    projector.run_once()
    deliver(store, node, 1)
    with ThreadPoolExecutor(2) as pool:
        with store.begin() as somebody:
            somebody.execute(select(counters).with_for_update())  # where the books give numbers
            books = pool.submit(projector.run_once)
            wait_until(lambda: waits_for_a_lock(store))
            pool.submit(deliver, store, node, 2).result(timeout=30)
        books.result(timeout=30)
    projector.run_once()
    assert opened_folios(store) == 4
    store.close()


def waits_for_a_lock(store: Store) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with store.begin() as connection:
        return bool(connection.scalar(text(waiting)))


def test_a_chain_that_fails_is_told_to_the_staff_and_stops_no_other(
    store: Store, node: NodeSimulator
) -> None:
    deliver(store, node, 2)
    other = NodeSimulator(node="COA008")
    add_node(store, CITY.inegi, other.node, other.public, NOW, replace=False)
    deliver(store, other, 4)
    with store.begin() as connection:  # bytes that no ingest lets in: a chain damaged on the disk
        connection.execute(
            text("UPDATE facts SET raw = :raw WHERE node = :node AND seq = 1"),
            {"raw": b"damage", "node": node.node},
        )
    projector = Projector(store, CITY, lambda: NOW)
    assert projector.run_once() == 4
    with store.begin() as connection:
        mine = select(heads.c.failures, heads.c.trouble).where(heads.c.node == node.node)
        failures, trouble = connection.execute(mine).one()
    assert failures == 1
    assert trouble
