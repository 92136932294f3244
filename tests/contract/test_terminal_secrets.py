"""No credential and no card number reaches a log, a fact, the ledger, a file of ours or an exception."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hardware.terminal.mercadopago.carrier import Carrier
from hardware.terminal.mercadopago.driver import PointAccount, PointTerminal
from hardware.terminal.mercadopago.fake_orders import DEMO_TERMINAL, DEMO_TOKEN
from hardware.terminal.mercadopago.fake_server import PointSimulator, write_demo_token
from hardware.terminal.mercadopago.protocol import get_order
from hardware.terminal.mercadopago.token import Token, TokenProblem, read_token
from hardware.terminal.messages import ChargeTold, ProgressTold, decode
from kiosk.simulated_city import debt
from kiosk.simulators import MemoryClock
from kiosk.usecases.pay_by_card import PayByCard, Settled, Started
from municipio.devices import DeviceState, DeviceStatus
from municipio.payments import PaymentState
from sync.ledger import SqliteLedger, open_ledger

PAN = "4111111111111111"
SPLIT_PAN = "4111 1111-1111 1111"
OWED = debt()


def until(holds: Callable[[], bool], within_s: float = 8.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.02)


@pytest.fixture
def far() -> Iterator[PointSimulator]:
    simulator = PointSimulator(think_s=0.1)
    yield simulator
    simulator.close()


def account(far: PointSimulator, folder: Path) -> PointAccount:
    token = write_demo_token(folder / "keys" / "mercadopago.token")
    return PointAccount(far.open(), DEMO_TERMINAL, token, folder / "orders.jsonl", 180)


class Leaky(PointSimulator):
    """A service that says the card's number, and our credential, wherever it can."""

    def obey(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes | None:
        for order in self.point.orders.values():
            order.extra |= {"card_number": PAN, "status_detail": SPLIT_PAN, "echo": DEMO_TOKEN}
            order.extra |= {"reference_id": PAN, "id": f"PAY{PAN}"}
        return super().obey(method, path, headers, body)


def test_a_service_that_leaks_everything_leaves_no_trace_on_the_node(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    far = Leaky(think_s=0.2)
    far.faults = ["error_before", "", "lost_after", "garbage", "error_after"]
    node = tmp_path / "node"
    node.mkdir()
    place = account(far, tmp_path / "secret")
    place = PointAccount(place.url, place.terminal_id, place.token_file, node / "orders", 180)
    terminal = PointTerminal(place, time.time, status_every_s=0.5, answer_s=2)
    until(lambda: terminal.status().state is DeviceState.READY)
    ledger = open_ledger(node / "ledger.sqlite", MemoryClock(), "COA007", "30039")
    assert isinstance(ledger, SqliteLedger)
    pay = PayByCard(
        ledger=ledger,
        terminal=terminal,
        now=MemoryClock().now,
        today=MemoryClock().today,
        new_key=lambda: "a-key",
    )
    started = pay.start(OWED, (("Predial", OWED.total_centavos),))
    assert isinstance(started, Started)
    until(lambda: isinstance(pay.poll("a-key"), Settled), 15)
    payment = ledger.payment("a-key")
    terminal.close()
    ledger.close()
    far.close()

    assert payment is not None
    assert payment.state is PaymentState.TAKEN
    written = b"".join(f.read_bytes() for f in sorted(node.rglob("*")) if f.is_file())
    out, err = capfd.readouterr()
    said = "\n".join((caplog.text, out, err, repr(payment), repr(terminal.__dict__)))
    for secret in (PAN, SPLIT_PAN, DEMO_TOKEN):
        assert secret.encode() not in written
        assert secret not in said


def test_the_credential_is_not_shown_by_what_holds_it() -> None:
    token = Token(DEMO_TOKEN)

    assert DEMO_TOKEN not in f"{token} {token!r} {[token]}"


@pytest.mark.parametrize("url", ["http://10.0.0.1", "ftp://127.0.0.1", "http://u:p@127.0.0.1", ""])
def test_an_address_that_would_expose_the_credential_is_refused_without_quoting_it(
    url: str,
) -> None:
    with pytest.raises(ValueError, match="api_url") as problem:
        Carrier(url, Token(DEMO_TOKEN))

    text = "".join(traceback.format_exception(problem.value))
    assert DEMO_TOKEN not in text


def test_a_redirect_is_not_followed_with_the_credential(far: PointSimulator) -> None:
    asked: list[str] = []

    class Redirects(PointSimulator):
        def obey(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
            return f"HTTP/1.1 307 -\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()

    target = far.open() + "/v1/orders/X"
    trap = Redirects()
    carrier = Carrier(trap.open(), Token(DEMO_TOKEN), 2)
    carrier.send(get_order("ORD00001111222233334444555566"))
    asked += far.requests
    carrier.close()
    trap.close()

    assert asked == []


@pytest.mark.parametrize(
    ("mode", "text", "cause"),
    [
        (0o644, DEMO_TOKEN, "token_exposed"),
        (0o640, DEMO_TOKEN, "token_exposed"),
        (0o600, "", "token_missing"),
        (0o600, "two words and a line\n", "token_missing"),
        (0o600, "ñ" * 40, "token_missing"),
    ],
)
def test_a_credential_that_others_can_read_or_that_is_none_is_a_status(
    mode: int, text: str, cause: str, tmp_path: Path, far: PointSimulator
) -> None:
    place = account(far, tmp_path)
    place.token_file.write_text(text)
    place.token_file.chmod(mode)
    terminal = PointTerminal(place)
    told = terminal.status()
    terminal.close()

    assert isinstance(read_token(place.token_file), TokenProblem)
    assert told == DeviceStatus(DeviceState.FAULT, cause)


@pytest.mark.parametrize("text", [PAN, SPLIT_PAN, f"TARJETA {PAN}", "4111.1111.1111.1111"])
def test_a_serial_terminal_that_says_a_card_number_is_not_heard_saying_it(text: str) -> None:
    fields = ("r", "k", "approved", "100", text, "1111", text)
    told = decode("\x1c".join(fields).encode())
    progress = decode("\x1c".join(("p", "k", text)).encode())

    assert isinstance(told, ChargeTold)
    assert isinstance(progress, ProgressTold)
    assert "1111" not in repr(told).replace("card_last4='1111'", "")
    assert "1111" not in repr(progress)


@pytest.mark.parametrize("each", [0, 2], ids=["lost", "twice"])
def test_notifications_lost_or_sent_twice_change_nothing_but_the_moment(
    each: int, tmp_path: Path, far: PointSimulator
) -> None:
    terminal = PointTerminal(account(far, tmp_path), time.time, status_every_s=0.5)
    far.hook, far.hooks_each = terminal.notify, each
    until(lambda: terminal.status().state is DeviceState.READY)
    terminal.start("k", 100, "F-1")
    until(lambda: terminal.charge("k").state.value == "approved")
    terminal.notify(b'{"data": {"id": "ORD99999999999999999999999999"}}')
    terminal.notify(b"\xff" * 100_000)
    charges = far.charges()
    terminal.close()

    assert len(charges) == 1


def test_a_flood_of_notifications_and_endless_answers_do_not_stop_the_driver(
    tmp_path: Path,
) -> None:
    class Endless(PointSimulator):
        flood = False

        def obey(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
            if self.flood:
                return b"HTTP/1.1 200 -\r\nContent-Length: 9000000\r\n\r\n" + b"[" * 200_000
            return super().obey(method, path, headers, body)

    far = Endless(think_s=0.1)
    terminal = PointTerminal(account(far, tmp_path), time.time, status_every_s=0.5, answer_s=1)
    until(lambda: terminal.status().state is DeviceState.READY)
    far.flood = True
    for n in range(2000):
        terminal.notify(f'{{"data":{{"id":"ORD{n:026d}"}}}}'.encode())
    until(lambda: terminal.status().state is DeviceState.UNKNOWN, 12)
    far.flood = False
    until(lambda: terminal.status().state is DeviceState.READY, 12)
    terminal.close()
    far.close()
