"""A version goes out ring by ring, stops by itself where nodes come back, and the staff see and stop it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask.testing import FlaskClient

from central.app import create_app
from central.city import City
from central.cli import main
from central.context import Central
from central.ingest import take_batch
from central.keys import CityKey
from central.node_simulator import NodeSimulator
from central.nodes import NodeError, add_node
from central.projections import project
from central.projector import Projector
from central.rollout import Count, OpenRing, Plan, RolloutState, Stop, judge
from central.rollout_books import Answer, ask, nodes_of, standings, start, stop
from central.rollout_facts import ended_of
from central.rollout_words import in_english, in_spanish, staff_reason, stored_reason
from central.store import Store
from central.wiring import demo_perfil
from municipio.facts import FactType, Lane
from municipio.wire.batch import Batch, decode_batch

CITY = City()
NOW = datetime(2026, 1, 20, 18, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TOKEN = "ficha-de-prueba"
V = "1.4.0"


@pytest.fixture
def node(store: Store) -> NodeSimulator:
    made = NodeSimulator()
    add_node(store, CITY.inegi, made.node, made.public, NOW, replace=False)
    return made


@pytest.fixture
def client(store: Store) -> FlaskClient:
    key = CityKey(Ed25519PrivateKey.generate())
    projector = Projector(store, CITY, lambda: NOW)
    made = Central(store, CITY, key, demo_perfil(), TOKEN, lambda: NOW, projector)
    return create_app(made).test_client()


def deliver(store: Store, node: NodeSimulator, at: datetime = NOW) -> None:
    batch = decode_batch(node.batch(Lane.VIT))
    assert isinstance(batch, Batch)
    take_batch(store, CITY.inegi, batch, at)
    project(store, CITY.inegi, CITY.zone, at)


def asked(store: Store, node: str, ring: int, at: datetime = NOW) -> Answer:
    return ask(store, CITY.inegi, node, V, ring, at)


def counts(store: Store, at: datetime = NOW) -> dict[int, Count]:
    return standings(store, CITY.inegi, at)[0].counts


PLAN = Plan(V, RolloutState.GOING, "", 1, 3, 10, DAY, 3 * DAY, NOW, NOW)


@pytest.mark.parametrize(
    ("found", "after", "expected"),
    [
        ({}, timedelta(0), None),
        ({1: Count(updated=1)}, DAY - timedelta(seconds=1), None),
        ({1: Count(updated=1)}, DAY, OpenRing(2)),
        ({}, DAY, OpenRing(2)),
        ({1: Count(waiting=2)}, DAY * 9, None),
        ({1: Count(updated=9, returned=1)}, timedelta(0), None),
        ({1: Count(updated=8, returned=1)}, DAY, Stop(1, Count(updated=8, returned=1), 10)),
        ({1: Count(updated=99), 2: Count(silent=1)}, DAY, Stop(2, Count(silent=1), 10)),
    ],
)  # fmt: skip
def test_what_must_happen_with_a_version(
    found: dict[int, Count], after: timedelta, expected: Stop | OpenRing | None
) -> None:
    assert judge(PLAN, found, NOW + after) == expected


def test_why_it_stopped_is_said_to_each_reader() -> None:
    reason = stored_reason(Stop(2, Count(updated=7, returned=1, silent=1), 10))
    assert in_english(reason) == "ring 2: 1 returned and 1 silent of 9, more than 10 %"
    assert in_spanish(reason).startswith("en el anillo 2, de 9 nodos que terminaron, 1 volvió")
    assert (in_english("x"), in_spanish("by hand")) == ("x", "se detuvo a mano")
    assert in_spanish(staff_reason("Ana")) == "la detuvo Ana"


def test_without_a_roll_out_nobody_goes(store: Store) -> None:
    assert asked(store, "COA007", 1) == Answer(False, "no_rollout")


def test_rings_open_one_after_the_other(store: Store, node: NodeSimulator) -> None:
    start(store, CITY.inegi, V, NOW)
    assert asked(store, "COA007", 2) == Answer(False, "ring")
    assert asked(store, "COA007", 1) == Answer(True, "")
    assert asked(store, "COA007", 1, NOW + timedelta(hours=1)) == Answer(True, "")
    assert counts(store) == {1: Count(waiting=1)}
    assert asked(store, "COA008", 2, NOW + 2 * DAY) == Answer(False, "ring")
    node.record(FactType.NODE_UPDATED, {"version": V, "before": "1.3.0", "ring": 1, "slot": "B"})
    deliver(store, node, NOW + 2 * DAY)
    assert asked(store, "COA008", 2, NOW + 2 * DAY) == Answer(True, "")
    assert counts(store, NOW + 2 * DAY) == {1: Count(updated=1), 2: Count(waiting=1)}
    assert standings(store, CITY.inegi, NOW)[0].plan.ring == 2


def test_a_node_that_comes_back_stops_the_wave(store: Store, node: NodeSimulator) -> None:
    start(store, CITY.inegi, V, NOW)
    assert asked(store, "COA007", 1).go
    node.record(
        FactType.NODE_UPDATE_RETURNED,
        {"version": V, "back_to": "1.3.0", "ring": 1, "slot": "A", "cause": "unhealthy", "detail": "x"},
    )  # fmt: skip
    deliver(store, node)
    assert asked(store, "COA009", 1) == Answer(False, "stopped")
    [standing] = standings(store, CITY.inegi, NOW)
    assert (standing.plan.state, standing.counts) == (RolloutState.STOPPED, {1: Count(returned=1)})
    [row] = nodes_of(store, CITY.inegi, V)
    assert (row.node, row.outcome, row.cause) == ("COA007", "returned", "unhealthy")
    start(store, CITY.inegi, V, NOW)
    assert asked(store, "COA009", 1).go, "the staff looked, and go on"


@pytest.mark.parametrize("was_asked", [True, False], ids=["from the city", "by stick"])
def test_the_staff_read_when_a_node_asked_and_when_it_ended(
    client: FlaskClient, store: Store, node: NodeSimulator, was_asked: bool
) -> None:
    start(store, CITY.inegi, V, NOW)
    if was_asked:
        assert asked(store, "COA007", 1, NOW).go
    node.record(FactType.NODE_UPDATED, {"version": V, "before": "1.3.0", "ring": 1, "slot": "B"})
    deliver(store, node, NOW + DAY)
    deliver(store, node, NOW + 2 * DAY)
    [row] = nodes_of(store, CITY.inegi, V)
    assert row.asked_at[:10] == ("2026-01-20" if was_asked else "")
    assert row.ended_at[:10] == "2026-01-21"
    shown = client.get(f"/actualizaciones?token={TOKEN}").text
    assert ("20/01/2026" in shown, "21/01/2026" in shown) == (was_asked, True)


def test_a_node_that_is_not_heard_again_stops_the_wave(store: Store) -> None:
    start(store, CITY.inegi, V, NOW)
    assert asked(store, "COA007", 1).go
    assert asked(store, "COA008", 1, NOW + 2 * DAY).go
    assert asked(store, "COA008", 1, NOW + 4 * DAY) == Answer(False, "stopped")
    start(store, CITY.inegi, V, NOW + 4 * DAY, silent=timedelta(0))
    assert asked(store, "COA007", 1, NOW + 4 * DAY).go
    assert asked(store, "COA008", 1, NOW + 90 * DAY).go


def test_staff_stop_and_cannot_do_what_makes_no_sense(store: Store) -> None:
    start(store, CITY.inegi, V, NOW)
    for wrong in ("", "uno", "1.4.0; drop"):
        with pytest.raises(NodeError):
            start(store, CITY.inegi, wrong, NOW)
    with pytest.raises(NodeError, match="on its way"):
        start(store, CITY.inegi, V, NOW)
    stop(store, CITY.inegi, V, "the printer's driver", NOW)
    with pytest.raises(NodeError):
        stop(store, CITY.inegi, V, "again", NOW)
    assert asked(store, "COA007", 1) == Answer(False, "stopped")


def test_only_nodes_ask_and_the_answer_is_signed(client: FlaskClient, store: Store) -> None:
    start(store, CITY.inegi, V, NOW)
    reply = client.get(f"/v1/updates/{V}/rings/1")
    assert reply.status_code == 401
    assert nodes_of(store, CITY.inegi, V) == []


def test_the_staff_see_it_and_stop_it(client: FlaskClient, store: Store) -> None:
    assert client.get("/actualizaciones").status_code == 401
    path = f"/actualizaciones?token={TOKEN}"
    assert "Ninguna versión está en camino" in client.get(path).text
    start(store, CITY.inegi, V, NOW)
    assert asked(store, "COA007", 1).go
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(path).text))
    assert "Versión 1.4.0: en camino, anillo 1 de 3" in text
    assert "COA007 1 en camino" in text
    where = f"/actualizaciones/{V}/detener"
    assert client.post(where).status_code == 401
    assert client.post(where, data={"token": TOKEN}).status_code == 303
    assert "detenida en el anillo 1 de 3" in client.get(path).text
    assert client.post(where, data={"token": TOKEN}).status_code == 404


def test_the_commands(url: str, store: Store) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["rollout", *words, "--db", url])
        return done.exit_code, done.output

    assert run("status") == (0, "nothing goes out\n")
    assert run("start", V, "--rings", "2")[0] == 0
    assert run("start", V)[0] == 1
    assert asked(store, "COA007", 1, datetime.now(UTC)).go
    code, said = run("status", V)
    assert (code, "ring 1 of 2" in said, "COA007  ring 1  asked" in said) == (0, True, True)
    assert run("stop", V, "--reason", "prueba")[0] == 0
    code, said = run("status", V, "--json")
    found = json.loads(said)
    assert code == 1
    assert found["rollouts"][0]["reason"] == "prueba"
    assert found["rollouts"][0]["counts"]["1"]["waiting"] == 1
    assert run("status", "9.9.9")[0] == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"node.update", b'{"type":"node.updated"}', b'{"type":"node.updated","data":{}}',
        b'{"type":"node.updated","data":{"version":"x","ring":1}}',
        b'{"type":"node.updated","data":{"version":"1.0","ring":true}}',
        b'{"type":"node.updated","data":{"version":"1.0","ring":99}}',
        b'{"type":"device.changed","data":{"version":"1.0","ring":1,"x":"node.updated"}}',
        b'{"type":"node.recovered","data":{"fact":"node.updated"}}',
    ],
)  # fmt: skip
def test_an_odd_fact_says_nothing_of_an_update(raw: bytes) -> None:
    assert ended_of(raw) is None


def test_an_end_that_travelled_inside_another_fact_counts() -> None:
    inner = '{"type":"node.updated","data":{"version":"1.0","ring":2}}'
    raw = json.dumps({"type": "node.recovered", "data": {"fact": inner}}).encode()
    ended = ended_of(raw)
    assert ended is not None
    assert (ended.version, ended.ring, ended.is_good) == ("1.0", 2, True)
