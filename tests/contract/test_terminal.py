"""What every card terminal must do: one key is one charge, and silence is never an answer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hardware.terminal.driver import SILENCE_S, EcrTerminal
from hardware.terminal.mercadopago.desk import SEND_BY_S
from hardware.terminal.mercadopago.driver import PointAccount, PointTerminal
from hardware.terminal.mercadopago.fake_orders import DEMO_TERMINAL
from hardware.terminal.mercadopago.fake_server import PointSimulator, write_demo_token
from hardware.terminal.simulator import TerminalSimulator
from municipio.devices import CardTerminal, ChargeState, DeviceState, DeviceStatus

S = ChargeState
REFERENCE = "COA007-P1-000123-K"
Far = TerminalSimulator | PointSimulator
Terminal = EcrTerminal | PointTerminal


@dataclass
class Rig:
    far: Far
    plug_in: Callable[[], Terminal]
    terminal: Terminal

    def state(self, key: str) -> ChargeState:
        return self.terminal.charge(key).state

    def becomes(self, key: str, state: ChargeState, within_s: float = 8.0) -> None:
        until(lambda: self.state(key) is state, within_s)

    def restart(self) -> None:
        """Our program dies and comes back; the terminal notices nothing."""
        self.terminal.close()
        self.terminal = self.plug_in()
        ready_or_busy(self.terminal)


def until(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


def ready(terminal: CardTerminal) -> None:
    until(lambda: terminal.status().state is DeviceState.READY)


def ready_or_busy(terminal: CardTerminal) -> None:
    until(lambda: terminal.status().state in {DeviceState.READY, DeviceState.BUSY})


def serial(folder: Path) -> Rig:
    far = TerminalSimulator(think_s=0.1)
    far.link(folder / "terminal")
    far.open()

    def plug_in() -> EcrTerminal:
        return EcrTerminal(str(folder / "terminal"), 115200)

    return Rig(far, plug_in, plug_in())


def point(folder: Path) -> Rig:
    far = PointSimulator(think_s=0.1)
    token = write_demo_token(folder / "keys" / "mercadopago.token")
    orders = folder / "terminal" / "orders.jsonl"
    account = PointAccount(far.open(), DEMO_TERMINAL, token, orders, 180)

    def plug_in() -> PointTerminal:
        return PointTerminal(account, time.time, status_every_s=0.5, answer_s=2)

    rig = Rig(far, plug_in, plug_in())
    far.point.cancels_at_terminal = True
    # A file that exists can prove that a key never left; the very first life has none.
    rig.restart()
    return rig


ADAPTERS: dict[str, Callable[[Path], Rig]] = {"serial": serial, "mercadopago": point}


@pytest.fixture(params=ADAPTERS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    built = ADAPTERS[request.param](tmp_path)
    ready(built.terminal)
    yield built
    built.terminal.close()
    built.far.close()


@pytest.fixture
def serial_rig(tmp_path: Path) -> Iterator[Rig]:
    built = serial(tmp_path)
    ready(built.terminal)
    yield built
    built.terminal.close()
    built.far.close()


def test_an_approved_charge_has_authorization_and_last_four_and_nothing_more(rig: Rig) -> None:
    rig.terminal.start("k", 109560, REFERENCE)
    rig.becomes("k", S.APPROVED)
    charge = rig.terminal.charge("k")

    assert charge.amount_centavos == 109560
    assert charge.authorization.isalnum()
    assert len(charge.card_last4) in {0, 4}
    assert [c["reference"] for c in rig.far.charges()] == [REFERENCE]


@pytest.mark.parametrize(
    ("person", "state"),
    [
        (lambda far: far.decline(), S.DECLINED),
        (lambda far: far.cancel(), S.CANCELLED),
        (lambda far: far.expire(), S.EXPIRED),
        (lambda far: far.approve(), S.APPROVED),
    ],
)
def test_what_happens_at_the_terminal_reaches_the_node(
    rig: Rig, person: Callable[[Far], None], state: ChargeState
) -> None:
    rig.far.hold()
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.AT_TERMINAL)
    person(rig.far)

    rig.becomes("k", state)


def test_the_same_key_twice_is_one_charge_even_from_two_lives_of_the_program(rig: Rig) -> None:
    rig.terminal.start("k", 100, REFERENCE)
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.APPROVED)
    rig.restart()
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.APPROVED)

    assert [c["key"] for c in rig.far.charges()] == ["k"]


def test_after_a_restart_the_terminal_tells_what_became_of_a_charge(rig: Rig) -> None:
    rig.far.hold()
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.AT_TERMINAL)
    rig.restart()
    waiting = rig.terminal.query("k", 5)
    rig.far.approve()
    answered = rig.terminal.query("k", 5)

    assert waiting.state is S.AT_TERMINAL
    assert answered.state is S.APPROVED
    assert answered.amount_centavos == 100
    assert len(rig.far.charges()) == 1


def test_a_key_that_the_terminal_never_saw_is_idle(rig: Rig) -> None:
    assert rig.terminal.query("never", 5).state is S.IDLE


def test_a_query_without_an_answer_is_unknown_in_the_time_given(rig: Rig) -> None:
    rig.far.hold()
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.AT_TERMINAL)
    rig.far.silence()
    began = time.monotonic()

    assert rig.terminal.query("k", 0.5).state is S.UNKNOWN
    assert time.monotonic() - began < 2


def test_a_terminal_that_falls_silent_makes_the_charge_unknown_until_it_speaks(rig: Rig) -> None:
    rig.far.hold()
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.AT_TERMINAL)
    rig.far.silence()
    rig.becomes("k", S.UNKNOWN, SILENCE_S + 3)
    silent = rig.terminal.status()
    rig.far.approve()
    still = rig.state("k")
    rig.far.speak()

    rig.becomes("k", S.APPROVED)
    assert silent == DeviceStatus(DeviceState.UNKNOWN, "no_answer")
    assert still is S.UNKNOWN


def test_a_late_approval_of_an_expired_charge_counts(rig: Rig) -> None:
    rig.far.hold()
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.AT_TERMINAL)
    rig.far.expire()
    rig.becomes("k", S.EXPIRED)
    rig.far.approve("k")
    asked = rig.terminal.query("k", 5)

    assert asked.state is S.APPROVED


def test_cancelling_at_the_terminal_cancels(rig: Rig) -> None:
    rig.far.hold()
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.AT_TERMINAL)
    rig.terminal.cancel("k")

    rig.becomes("k", S.CANCELLED)


def test_a_cancel_that_comes_too_late_does_not_undo_an_approval(rig: Rig) -> None:
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.APPROVED)
    rig.terminal.cancel("k")
    time.sleep(0.3)

    assert rig.terminal.query("k", 5).state is S.APPROVED
    assert rig.far.charges()[0]["state"] == "approved"


def test_a_terminal_without_its_bank_says_so_before_a_charge_and_refuses_one(
    serial_rig: Rig,
) -> None:
    far = serial_rig.far
    assert isinstance(far, TerminalSimulator)
    far.online = False
    offline = DeviceStatus(DeviceState.ATTENTION, "offline")
    until(lambda: serial_rig.terminal.status() == offline)
    serial_rig.terminal.start("k", 100, REFERENCE)

    serial_rig.becomes("k", S.DECLINED)
    assert serial_rig.terminal.charge("k").message == "offline"
    assert far.charges() == []


def test_without_a_cable_a_charge_never_leaves_not_even_later(rig: Rig) -> None:
    rig.far.unplug()
    until(lambda: rig.terminal.status().state not in {DeviceState.READY, DeviceState.BUSY})
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.CANCELLED, SEND_BY_S + 3)
    rig.far.replug()
    ready(rig.terminal)
    time.sleep(0.5)

    assert rig.far.charges() == []


def test_a_cable_pulled_during_a_charge_is_unknown_and_then_known(rig: Rig) -> None:
    rig.far.hold()
    rig.terminal.start("k", 100, REFERENCE)
    rig.becomes("k", S.AT_TERMINAL)
    rig.far.unplug()
    rig.becomes("k", S.UNKNOWN)
    rig.far.approve()
    rig.far.replug()

    rig.becomes("k", S.APPROVED)
    assert len(rig.far.charges()) == 1


def test_a_second_charge_waits_for_nobody_and_is_refused_as_busy(rig: Rig) -> None:
    rig.far.hold()
    rig.terminal.start("one", 100, REFERENCE)
    rig.becomes("one", S.AT_TERMINAL)
    rig.terminal.start("two", 200, REFERENCE)

    rig.becomes("two", S.DECLINED)
    assert rig.terminal.charge("two").message == "busy"
    assert rig.state("one") is S.AT_TERMINAL


@pytest.mark.hw
def test_a_real_serial_terminal_tells_how_it_is_and_denies_a_key_it_never_saw() -> None:
    """Set PLAZA_HW_TERMINAL to its port. Nothing is charged."""
    port = os.environ.get("PLAZA_HW_TERMINAL", "")
    if not port:
        pytest.skip("PLAZA_HW_TERMINAL names no port")
    terminal = EcrTerminal(port, int(os.environ.get("PLAZA_HW_BAUD", "115200")))
    try:
        ready(terminal)
        assert terminal.query(f"plaza-{time.time_ns():x}-hw", 6).state is S.IDLE
    finally:
        terminal.close()


@pytest.mark.hw
def test_a_real_account_lists_its_terminal(tmp_path: Path) -> None:
    """PLAZA_HW_POINT_TERMINAL and PLAZA_HW_POINT_TOKEN (a file). Nothing is charged."""
    terminal_id = os.environ.get("PLAZA_HW_POINT_TERMINAL", "")
    if not terminal_id:
        pytest.skip("PLAZA_HW_POINT_TERMINAL names no terminal")
    token = Path(os.environ["PLAZA_HW_POINT_TOKEN"])
    url = "https://api.mercadopago.com"
    account = PointAccount(url, terminal_id, token, tmp_path / "orders.jsonl", 180)
    terminal = PointTerminal(account, time.time)
    try:
        until(lambda: terminal.status().state is DeviceState.READY, 20)
    finally:
        terminal.close()
