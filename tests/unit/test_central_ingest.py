"""Ingest on SQLite and on PostgreSQL: one transaction per batch, idempotent for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, func, select, text, update

from central.ingest import Taken, take_batch
from central.node_simulator import NodeSimulator
from central.nodes import NodeState, add_node, find_active, list_nodes, set_state
from central.problems import Problem, ProblemType
from central.projections import project
from central.schema import (
    accounts,
    facts,
    folios,
    heads,
    liquidaciones,
    metadata,
    payments,
    quarantine,
    tampering,
)
from central.store import Store, open_store
from municipio.facts import FactType, Lane, fact_hash
from municipio.wire.batch import Batch, decode_batch

INEGI = "30039"
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/Mexico_City")
CLAVE = "0620000101023005000007"


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, INEGI, made.node, made.public, NOW, replace=False)
    return made


def decoded(raw: bytes) -> Batch:
    batch = decode_batch(raw)
    assert isinstance(batch, Batch)
    return batch


def send(store: Store, raw: bytes) -> Taken | Problem:
    return take_batch(store, INEGI, decoded(raw), NOW)


def count(store: Store, table: object) -> int:
    with store.begin() as connection:
        return connection.scalars(select(func.count()).select_from(table)).one()


def reports(node: NodeSimulator, number: int) -> None:
    for index in range(number):
        node.record(FactType.REPORT_FILED, {"service": "luminaria", "number": index})


def test_a_batch_is_stored_byte_for_byte(store: Store, node: NodeSimulator) -> None:
    reports(node, 3)
    taken = send(store, node.batch(Lane.REP))
    assert taken == Taken(3, fact_hash(node.facts[Lane.REP][-1]))
    with store.begin() as connection:
        rows = connection.execute(select(facts).order_by(facts.c.seq)).all()
    assert [bytes(row.raw) for row in rows] == node.facts[Lane.REP]
    assert [row.hash for row in rows] == [fact_hash(raw) for raw in node.facts[Lane.REP]]


def test_the_same_batch_again_is_the_same_answer(store: Store, node: NodeSimulator) -> None:
    reports(node, 5)
    first = send(store, node.batch(Lane.REP))
    assert [send(store, node.batch(Lane.REP)) for _ in range(3)] == [first] * 3
    assert count(store, facts) == 5


def test_an_overlap_stores_only_what_is_new(store: Store, node: NodeSimulator) -> None:
    reports(node, 4)
    send(store, node.batch(Lane.REP))
    reports(node, 3)
    taken = send(store, node.batch(Lane.REP, first=2))
    assert isinstance(taken, Taken)
    assert taken.through == 7
    assert count(store, facts) == 7


def test_an_old_batch_is_answered_with_the_newest_head(store: Store, node: NodeSimulator) -> None:
    reports(node, 6)
    newest = send(store, node.batch(Lane.REP))
    assert send(store, node.batch(Lane.REP, first=1, last=2)) == newest


def test_a_gap_says_which_fact_is_wanted(store: Store, node: NodeSimulator) -> None:
    reports(node, 9)
    send(store, node.batch(Lane.REP, last=3))
    problem = send(store, node.batch(Lane.REP, first=6))
    assert isinstance(problem, Problem)
    assert problem.type is ProblemType.GAP
    assert problem.extra == {"wanted_seq": 4}
    assert count(store, facts) == 3


def test_lanes_and_epochs_have_chains_of_their_own(store: Store, node: NodeSimulator) -> None:
    reports(node, 2)
    node.record(FactType.DEVICE_CHANGED, {"device": "printer", "state": "ready"})
    send(store, node.batch(Lane.REP))
    send(store, node.batch(Lane.VIT))
    later = NodeSimulator(key=node.key, epoch=2)
    reports(later, 1)
    assert isinstance(send(store, later.batch(Lane.REP)), Taken)
    assert count(store, heads) == 3


def test_a_changed_duplicate_is_tampering(store: Store, node: NodeSimulator) -> None:
    reports(node, 2)
    send(store, node.batch(Lane.REP))
    other = NodeSimulator(key=node.key)
    reports(other, 2)
    for _ in range(2):
        problem = send(store, other.batch(Lane.REP))
        assert isinstance(problem, Problem)
        assert problem.type is ProblemType.TAMPERING
    with store.begin() as connection:
        raised = connection.execute(select(tampering)).one()
        kept = connection.scalars(select(facts.c.raw).order_by(facts.c.seq)).all()
    assert (raised.what, raised.times) == ("changed-fact", 2)
    assert [bytes(raw) for raw in kept] == node.facts[Lane.REP]


def test_another_future_of_a_chain_is_tampering(store: Store, node: NodeSimulator) -> None:
    reports(node, 2)
    send(store, node.batch(Lane.REP))
    clone = NodeSimulator(key=node.key)
    reports(clone, 3)
    problem = send(store, clone.batch(Lane.REP, first=3))
    assert isinstance(problem, Problem)
    assert problem.type is ProblemType.TAMPERING
    assert problem.extra["chain"] == fact_hash(node.facts[Lane.REP][-1])
    assert count(store, tampering) == 1


def test_a_broken_chain_inside_a_batch_is_refused_whole(store: Store, node: NodeSimulator) -> None:
    reports(node, 3)
    first, second, third = node.facts[Lane.REP]
    swapped = node.sign_batch(Lane.REP, [first, third, second], 1, "0" * 64)
    problem = send(store, swapped)
    assert isinstance(problem, Problem)
    assert (problem.type, problem.extra) == (ProblemType.BAD_BATCH, {"seq": 2})
    assert count(store, facts) == 0


def test_a_fact_of_another_municipality_is_refused(store: Store, node: NodeSimulator) -> None:
    elsewhere = NodeSimulator(inegi="30193", key=node.key)
    reports(elsewhere, 1)
    problem = send(store, elsewhere.batch(Lane.REP))
    assert isinstance(problem, Problem)
    assert problem.type is ProblemType.BAD_BATCH


@pytest.mark.parametrize(
    "damage", [b'{"not":"a fact"}', b"\xff\xfe garbage \x00", b"{" * 400, b'{"a":"\\u0000"}']
)
def test_one_bad_line_is_set_aside_and_blocks_nobody(
    store: Store, node: NodeSimulator, damage: bytes
) -> None:
    reports(node, 1)
    node.add_raw(Lane.REP, damage)
    reports(node, 2)
    taken = send(store, node.batch(Lane.REP))
    assert isinstance(taken, Taken)
    assert taken.through == 4
    assert [(r.seq, r.code) for r in taken.refused] == [(2, "unreadable")]
    assert (count(store, facts), count(store, quarantine)) == (3, 1)
    assert send(store, node.batch(Lane.REP)) == taken
    assert project(store, INEGI, ZONE, NOW) == 4


def test_an_id_that_belongs_to_another_fact_is_refused(store: Store, node: NodeSimulator) -> None:
    reports(node, 1)
    send(store, node.batch(Lane.REP))
    thief = NodeSimulator(node="COA008")
    add_node(store, INEGI, thief.node, thief.public, NOW, replace=False)
    stolen = node.facts[Lane.REP][0].replace(b"COA007", b"COA008")
    thief.add_raw(Lane.REP, stolen)
    taken = send(store, thief.batch(Lane.REP))
    assert isinstance(taken, Taken)
    assert [r.code for r in taken.refused] == ["duplicate-id"]
    assert (count(store, facts), count(store, tampering)) == (1, 1)


def test_the_same_batches_at_the_same_moment_have_one_effect(
    store: Store, node: NodeSimulator
) -> None:
    for _ in range(3):
        reports(node, 40)
    bodies = [node.batch(Lane.REP, 1, 40), node.batch(Lane.REP, 1, 80), node.batch(Lane.REP)] * 4

    def deliver(raw: bytes) -> Taken | Problem:
        taken = send(store, raw)
        project(store, INEGI, ZONE, NOW)
        return taken

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(deliver, bodies))
    assert all(isinstance(answer, Taken) for answer in answers)
    assert (count(store, facts), count(store, folios)) == (120, 120)
    with store.begin() as connection:
        numbers = connection.scalars(select(folios.c.city_folio)).all()
    assert sorted(numbers) == [f"SIAC-{n:06d}" for n in range(1, 121)]


def seed_debt(store: Store, *, total: int = 109_560) -> None:
    account = {"inegi": INEGI, "clave": CLAVE, "owner_masked": "M. L. H.", "street": "CHABACANO"}
    account |= {"colonia": "IQUISA", "kind": "urbano", "tax": "{}", "paid_through": 2025}
    issued = {"inegi": INEGI, "clave": CLAVE, "issued_on": "2026-01-20", "through_year": 2026}
    issued |= {"valid_until": "2026-01-31", "total_centavos": total}
    with store.begin() as connection:
        connection.execute(accounts.insert().values(account))
        for name in ("L1", "L2"):
            row = {**issued, "id": name, "payload": b"{}", "signature": b"-"}
            connection.execute(liquidaciones.insert().values(row))


def test_a_payment_settles_the_account_once(store: Store, node: NodeSimulator) -> None:
    seed_debt(store)
    folio = node.pay(CLAVE, "L1", 109_560)
    send(store, node.batch(Lane.PAY))
    assert project(store, INEGI, ZONE, NOW) == 2
    assert project(store, INEGI, ZONE, NOW) == 0
    with store.begin() as connection:
        account = connection.execute(select(accounts)).one()
        posted = connection.execute(select(payments)).one()
        matter = connection.execute(select(folios)).one()
    assert (account.paid_through, account.paid_on) == (2026, "2026-01-20")
    assert (account.paid_folio, posted.state, matter.state) == (folio, "posted", "Pagado")


def test_a_second_payment_of_one_debt_is_owed_back(store: Store, node: NodeSimulator) -> None:
    seed_debt(store)
    first = node.pay(CLAVE, "L1", 109_560)
    second = node.pay(CLAVE, "L2", 109_560)
    send(store, node.batch(Lane.PAY))
    project(store, INEGI, ZONE, NOW)
    with store.begin() as connection:
        rows = connection.execute(select(payments)).all()
        states = {row.folio: row.state for row in connection.execute(select(folios))}
    assert {row.folio: row.state for row in rows} == {first: "posted", second: "refund_owed"}
    assert states == {first: "Pagado", second: "Devolución en trámite"}


@pytest.mark.parametrize(
    ("outcome", "state", "posted"), [("taken", "Pagado", 1), ("declined", "Rechazado", 0)]
)
def test_an_unknown_payment_ends_as_it_was_resolved(
    store: Store, node: NodeSimulator, outcome: str, state: str, posted: int
) -> None:
    seed_debt(store)
    debt = {"clave": CLAVE, "liquidacion_id": "L1", "amount_centavos": 109_560, "method": "card"}
    node.record(FactType.PAYMENT_INTENDED, debt)
    folio = node.folio(Lane.PAY)
    node.record(FactType.PAYMENT_UNKNOWN, {**debt, "folio": folio})
    send(store, node.batch(Lane.PAY))
    project(store, INEGI, ZONE, NOW)
    with store.begin() as connection:
        assert connection.execute(select(folios.c.state)).scalar_one() == "En verificación"
    for _ in range(2):
        node.record(FactType.PAYMENT_RESOLVED, {**debt, "folio": folio, "outcome": outcome})
    send(store, node.batch(Lane.PAY))
    project(store, INEGI, ZONE, NOW)
    with store.begin() as connection:
        row = connection.execute(select(folios)).one()
    assert (row.folio, row.state, count(store, payments)) == (folio, state, posted)


@pytest.mark.parametrize(
    ("paid_since", "state", "posted"),
    [(False, "Pagado", ["posted"]), (True, "Devolución en trámite", ["posted", "refund_owed"])],
)
def test_a_late_approval_of_a_cancelled_charge_is_posted_or_owed_back(
    store: Store, node: NodeSimulator, paid_since: bool, state: str, posted: list[str]
) -> None:
    seed_debt(store)
    debt = {"clave": CLAVE, "liquidacion_id": "L1", "amount_centavos": 109_560, "method": "card"}
    node.record(FactType.PAYMENT_INTENDED, debt)
    late = {**debt, "folio": node.folio(Lane.PAY)}
    node.record(FactType.PAYMENT_RESOLVED, {**late, "outcome": "cancelled", "cause": ""})
    if paid_since:
        node.pay(CLAVE, "L1", 109_560)
    taken = {**late, "outcome": "taken", "cause": "late_approval"}
    node.record(FactType.PAYMENT_RESOLVED, taken)
    send(store, node.batch(Lane.PAY))
    project(store, INEGI, ZONE, NOW)
    with store.begin() as connection:
        mine = select(folios.c.state).where(folios.c.folio == late["folio"])
        assert connection.execute(mine).scalar_one() == state
        assert sorted(connection.scalars(select(payments.c.state))) == posted


def test_a_payment_nobody_issued_waits_for_the_staff(store: Store, node: NodeSimulator) -> None:
    node.record(FactType.PAYMENT_TAKEN, {"amount_centavos": "many", "folio": 7})
    send(store, node.batch(Lane.PAY))
    project(store, INEGI, ZONE, NOW)
    with store.begin() as connection:
        row = connection.execute(select(payments)).one()
    assert (row.state, row.amount_centavos, row.folio) == ("unmatched", 0, node.folio(Lane.PAY))


def test_projections_read_again_change_nothing(store: Store, node: NodeSimulator) -> None:
    seed_debt(store)
    node.pay(CLAVE, "L1", 109_560)
    reports(node, 2)
    send(store, node.batch(Lane.PAY))
    send(store, node.batch(Lane.REP))
    project(store, INEGI, ZONE, NOW)
    with store.begin() as connection:
        before = connection.execute(select(folios).order_by(folios.c.folio)).all()
        connection.execute(update(heads).values(projected=0))
    assert project(store, INEGI, ZONE, NOW) == 4
    with store.begin() as connection:
        after = connection.execute(select(folios).order_by(folios.c.folio)).all()
    assert after == before
    assert count(store, payments) == 1
    assert {row.city_folio for row in after} == {"", "SIAC-000001", "SIAC-000002"}


def test_a_replaced_key_signs_no_more_requests(store: Store, node: NodeSimulator) -> None:
    again = NodeSimulator()
    old = add_node(store, INEGI, node.node, node.public, NOW, replace=False)
    new = add_node(store, INEGI, node.node, again.public, NOW, replace=True)
    assert find_active(store, INEGI, old) is None
    found = find_active(store, INEGI, new)
    assert found is not None
    assert found[0] == "COA007"
    assert [row.key_id for row in list_nodes(store, INEGI)] == [new]
    set_state(store, INEGI, "COA007", NodeState.REVOKED)
    assert find_active(store, INEGI, new) is None


def test_sqlite_is_opened_durable(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/city.sqlite"
    opened = open_store(url)
    with opened.begin() as connection:
        pragmas = [
            connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous")
        ]
    opened.close()
    assert pragmas == ["wal", 2]
    tables = set(metadata.tables)
    engine = create_engine(url)
    with engine.connect() as connection:
        names = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type='table'")))
    engine.dispose()
    assert tables <= names
    assert all(
        next(iter(table.primary_key.columns)).name == "inegi" for table in metadata.tables.values()
    )
