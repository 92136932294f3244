"""Orders with time as a number: what is asked, what is repeated, what is never repeated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hardware.terminal.mercadopago.desk import SEND_BY_S, OrderDesk
from hardware.terminal.mercadopago.fake_orders import DEMO_TERMINAL, DEMO_TOKEN, FakePoint
from hardware.terminal.mercadopago.order_book import Asked, OrderBook, OrderBookDamaged
from hardware.terminal.mercadopago.protocol import Answer, Call, NoAnswer
from hardware.terminal.mercadopago.watch import TerminalWatch
from municipio.devices import ChargeState, DeviceState, DeviceStatus

S = ChargeState
REFERENCE = "COA007-P1-000123-K"
Reply = Answer | NoAnswer
Fault = Callable[[Callable[[], Answer]], Reply]


def never_left(send: Callable[[], Answer]) -> Reply:
    return NoAnswer(left=False)


def lost_on_the_way_there(send: Callable[[], Answer]) -> Reply:
    return NoAnswer(left=True)


def lost_on_the_way_back(send: Callable[[], Answer]) -> Reply:
    send()
    return NoAnswer(left=True)


def error_after(send: Callable[[], Answer]) -> Reply:
    send()
    return Answer(500)


def garbage(send: Callable[[], Answer]) -> Reply:
    send()
    return Answer(201, b"<html>login</html>")


class World:
    """One node's file, its desk, and the service; `faults` bend one request each."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.wall: float | None = 1_770_000_000.0
        self.file = folder / "orders.jsonl"
        OrderBook(self.file).close()
        self.point = FakePoint(lambda: self.now, think_s=2.0)
        self.faults: list[Fault] = []
        self.calls: list[Call] = []
        self.desk = self.fresh_desk()

    def fresh_desk(self) -> OrderDesk:
        return OrderDesk(OrderBook(self.file), DEMO_TERMINAL, 180, lambda: self.wall)

    def restart(self) -> None:
        self.desk.close()
        self.desk = self.fresh_desk()

    def start(self) -> None:
        self.desk.start("k", 100, REFERENCE, self.now)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += 0.1
            if self.wall is not None:
                self.wall += 0.1
            self.point.pass_time()
            due = self.desk.next_call(self.now)
            if due is not None:
                self.desk.answered(*due, self.carry(due[1]), self.now)

    def carry(self, call: Call) -> Reply:
        self.calls.append(call)

        def send() -> Answer:
            headers = {"authorization": f"Bearer {DEMO_TOKEN}", **dict(call.headers)}
            headers["x-idempotency-key"] = call.idempotency_key
            status, document = self.point.handle(call.method, call.path, headers, call.body)
            return Answer(status, json.dumps(document).encode())

        return self.faults.pop(0)(send) if self.faults else send()

    def state(self) -> ChargeState:
        return self.desk.charge("k", self.now).state

    def posts(self) -> int:
        return sum(c.path == "/v1/orders" for c in self.calls)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    built = World(tmp_path)
    yield built
    built.desk.close()


@pytest.mark.parametrize(
    "fault", [never_left, lost_on_the_way_there, lost_on_the_way_back, error_after, garbage]
)
def test_a_damaged_first_request_is_repeated_under_the_same_key(world: World, fault: Fault) -> None:
    world.faults = [fault]
    world.start()
    world.run(10)

    assert world.state() is S.APPROVED
    assert len(world.point.orders) == 1
    assert {c.idempotency_key for c in world.calls if c.path == "/v1/orders"} == {"k"}


@pytest.mark.parametrize("fault", [lost_on_the_way_there, lost_on_the_way_back])
def test_a_death_before_the_answer_is_asked_under_the_same_key_and_nobody_is_charged_anew(
    world: World, fault: Fault
) -> None:
    world.point.mode = "hold"
    world.faults = [fault]
    world.start()
    world.run(0.2)
    world.restart()
    before = world.state()
    world.run(5)
    world.point.decide("processed", "k")
    world.run(30)

    assert before is S.UNKNOWN
    assert len(world.point.orders) == 1
    taken = world.point.money_taken()
    assert (world.state(), taken) in {(S.APPROVED, 100), (S.CANCELLED, 0)}


def test_an_order_that_is_new_when_nobody_waits_is_cancelled_at_once(world: World) -> None:
    world.faults = [lost_on_the_way_there]
    world.point.pick_up_s = 1.0
    world.start()
    world.run(0.2)
    world.restart()
    world.desk.ask("k", world.now)
    world.run(3)

    assert world.state() is S.CANCELLED
    assert world.point.money_taken() == 0


def test_an_order_whose_number_is_known_is_only_looked_at_after_a_restart(world: World) -> None:
    world.point.mode = "hold"
    world.start()
    world.run(2)
    world.restart()
    before = world.posts()
    world.desk.ask("k", world.now)
    world.run(1)
    shown = world.state()
    world.point.decide("processed")
    world.run(3)

    assert shown is S.AT_TERMINAL
    assert world.state() is S.APPROVED
    assert world.posts() == before


@pytest.mark.parametrize("hours", [21, 48])
def test_after_the_service_forgot_the_key_the_question_is_not_repeated(
    world: World, hours: int
) -> None:
    world.faults = [lost_on_the_way_back]
    world.start()
    world.run(0.2)
    world.restart()
    assert world.wall is not None
    world.wall += hours * 3600
    world.now += hours * 3600
    world.desk.ask("k", world.now)
    world.run(120)

    assert world.state() is S.UNKNOWN
    assert world.posts() == 1


def test_without_a_date_to_trust_the_question_is_not_repeated(world: World) -> None:
    world.faults = [lost_on_the_way_back]
    world.start()
    world.run(0.2)
    world.restart()
    world.wall = None
    world.desk.ask("k", world.now)
    world.run(60)

    assert (world.state(), world.posts()) == (S.UNKNOWN, 1)


def test_a_charge_that_never_left_is_cancelled_and_stays_so_in_the_next_life(world: World) -> None:
    world.faults = [never_left] * 50
    world.start()
    world.run(SEND_BY_S + 6)
    ended = world.state()
    world.restart()

    assert ended is S.CANCELLED
    assert world.state() is S.CANCELLED
    assert world.point.orders == {}


def test_a_key_that_the_file_never_held_was_never_sent(world: World) -> None:
    assert world.state() is S.IDLE


def test_a_file_that_is_younger_than_the_key_proves_nothing_in_any_life(world: World) -> None:
    world.file.unlink()
    world.restart()
    first = world.state()
    world.restart()

    assert first is S.UNKNOWN
    assert world.state() is S.UNKNOWN
    world.start()
    world.run(5)
    assert world.point.orders == {}


def test_a_key_already_used_for_another_order_is_left_to_people(world: World) -> None:
    world.desk.start("k", 100, REFERENCE, world.now)
    headers = {"authorization": f"Bearer {DEMO_TOKEN}", "x-idempotency-key": "k"}
    other = b'{"type":"point","external_reference":"B","transactions":{"payments":[{"amount":"9.00"}]},"config":{"point":{"terminal_id":"%s"}}}'  # noqa: E501
    world.point.handle("POST", "/v1/orders", headers, other % DEMO_TERMINAL.encode())
    world.run(20)

    assert world.state() is S.UNKNOWN


def test_a_busy_terminal_refuses_a_second_order(world: World) -> None:
    world.point.mode = "hold"
    world.start()
    world.run(2)
    world.desk.start("two", 200, "F-2", world.now)
    world.run(2)
    second = world.desk.charge("two", world.now)

    assert (second.state, second.message) == (S.DECLINED, "busy")


def test_nobody_knows_and_then_the_late_approval_counts(world: World) -> None:
    world.point.mode = "hold"
    world.start()
    world.run(2)
    world.point.decide("action_required")
    world.run(5)
    doubtful = world.state()
    world.point.decide("processed", "k")
    world.run(30)

    assert doubtful is S.UNKNOWN
    assert world.state() is S.APPROVED


def test_only_an_order_that_is_not_shown_can_be_cancelled(world: World) -> None:
    world.point.mode = "hold"
    world.start()
    world.run(2)
    world.desk.cancel("k", world.now)
    world.run(5)
    shown = world.state()
    world.run(180)

    assert shown is S.AT_TERMINAL
    assert world.state() is S.EXPIRED


def test_a_terminal_in_standalone_never_shows_the_order_and_a_cancel_ends_it(world: World) -> None:
    world.point.operating_mode = "STANDALONE"
    world.start()
    world.run(5)
    waiting = world.state()
    world.desk.cancel("k", world.now)
    world.run(2)

    assert waiting is S.REQUESTED
    assert world.state() is S.CANCELLED


def test_a_hint_brings_the_next_question_forward_and_is_believed_for_nothing(world: World) -> None:
    world.point.mode = "hold"
    world.start()
    world.run(60)
    asked = len(world.calls)
    [order_id] = world.point.orders
    for _ in range(20):
        world.desk.hint(order_id, world.now)
    world.desk.hint("ORD99999999999999999999999999", world.now)
    world.run(0.1)

    assert len(world.calls) == asked + 1
    assert world.state() is S.AT_TERMINAL


def test_a_torn_last_line_was_never_acted_on_and_a_torn_middle_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "orders.jsonl"
    book = OrderBook(path)
    book.put(Asked("one", 100, "{}", 5))
    book.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"key":"tw')
    read = OrderBook(path)
    read.put(Asked("three", 100, "{}", 6))
    read.close()
    again = OrderBook(path)
    again.close()
    path.write_bytes(b'{"key":"tw\n' + whole)

    assert read.holds("one")
    assert again.holds("three")
    assert read.get("two") is None
    with pytest.raises(OrderBookDamaged):
        OrderBook(path)


def test_a_file_that_cannot_be_written_means_that_nothing_is_asked(world: World) -> None:
    world.desk.close()
    world.start()
    world.run(5)

    assert world.state() is S.CANCELLED
    assert world.desk.is_damaged
    assert world.calls == []


def test_two_programs_never_share_the_file(world: World) -> None:
    with pytest.raises(OrderBookDamaged):
        OrderBook(world.file)


def listed(mode: str) -> Answer:
    body = f'{{"data":{{"terminals":[{{"id":"{DEMO_TERMINAL}","operating_mode":"{mode}"}}]}}}}'
    return Answer(200, body.encode())


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (listed("PDV"), DeviceStatus(DeviceState.READY)),
        (listed("SELF_SERVICE"), DeviceStatus(DeviceState.READY)),
        (listed("STANDALONE"), DeviceStatus(DeviceState.ATTENTION, "standalone")),
        (Answer(200, b'{"data":{"terminals":[]}}'), DeviceStatus(DeviceState.ABSENT, "not_listed")),
        (Answer(401, b"{}"), DeviceStatus(DeviceState.FAULT, "token_refused")),
        (Answer(503, b"{}"), DeviceStatus(DeviceState.STARTING)),
    ],
)
def test_the_list_of_terminals_says_whether_one_can_be_charged(
    answer: Answer, status: DeviceStatus
) -> None:
    watch = TerminalWatch(DEMO_TERMINAL, 0.0, 15.0)
    watch.answered(answer, 0.5)

    assert watch.status(1.0) == status


def test_three_seconds_without_an_answer_are_unknown_and_so_is_an_old_answer() -> None:
    watch = TerminalWatch(DEMO_TERMINAL, 0.0, 15.0)
    watch.answered(listed("PDV"), 0.5)
    watch.answered(NoAnswer(left=False), 15.5)
    soon, late = watch.status(16.0), watch.status(19.0)
    watch.answered(listed("PDV"), 20.0)

    assert soon.state is DeviceState.READY
    assert late == DeviceStatus(DeviceState.UNKNOWN, "no_answer")
    assert watch.status(21.0).state is DeviceState.READY
    assert watch.status(60.0).state is DeviceState.UNKNOWN
