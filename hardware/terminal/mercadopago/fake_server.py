"""The payment service as a real HTTP server on 127.0.0.1, with everything that goes wrong on the way.

`PointSimulator` has the same controls as the serial `TerminalSimulator`, and faults of its own:
latency, answers that never come, server errors, notifications lost or sent twice.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Literal

from hardware.terminal.mercadopago.fake_orders import DEMO_TOKEN, FakePoint

BODY_MAX = 65_536
Fault = Literal["", "error_before", "error_after", "lost_before", "lost_after", "garbage", "twice"]
"""`error`: 500; `lost`: the connection dies; each before or after the request is obeyed."""
_STATUS = {
    "approved": "processed",
    "declined": "failed",
    "cancelled": "canceled",
    "expired": "expired",
    "doubt": "action_required",
}


class PointSimulator:
    """`faults` is used up one per request; `hook` gets each notification's body."""

    def __init__(self, *, think_s: float = 0.8) -> None:
        self.point = FakePoint(time.monotonic, think_s=think_s)
        self.latency_s = 0.0
        self.faults: list[Fault] = []
        self.hook: Callable[[bytes], None] | None = None
        self.hooks_each = 1
        """How many times each notification is delivered: 0 lost, 2 twice."""
        self.requests: list[str] = []
        self._silent = False
        self._lock = threading.RLock()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0

    # --- the cable

    def open(self) -> str:
        """Serve; the address for `terminal.api_url`. The same port again after `unplug`."""
        if self._server is None:
            self._server = _server(self, self._port)
            self._port = self._server.server_port
            threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return f"http://127.0.0.1:{self._port}"

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    unplug = close

    def replug(self) -> None:
        self.open()

    # --- the person and the bank

    def hold(self) -> None:
        self.point.mode = "hold"

    def auto(self) -> None:
        self.point.mode, self.point.then = "auto", "processed"

    def approve(self, key: str = "") -> None:
        self._decide("approved", key)

    def decline(self, key: str = "") -> None:
        self._decide("declined", key)

    def cancel(self, key: str = "") -> None:
        self._decide("cancelled", key)

    def expire(self, key: str = "") -> None:
        self._decide("expired", key)

    def doubt(self, key: str = "") -> None:
        """40 s into the payment: `action_required`, and the truth comes later."""
        self._decide("doubt", key)

    def silence(self) -> None:
        """Acts on nothing, answers nothing; an order under way goes on."""
        self._silent = True

    def speak(self) -> None:
        self._silent = False

    def charges(self) -> list[dict[str, object]]:
        with self._lock:
            states = {v: k for k, v in _STATUS.items()} | {"created": "requested"}
            return [
                {
                    "key": o.key,
                    "amount_centavos": int(o.amount.replace(".", "")),
                    "state": states.get(o.status, o.status),
                    "reference": o.reference,
                }
                for o in self.point.orders.values()
            ]

    def money_taken(self) -> int:
        with self._lock:
            return self.point.money_taken()

    def _decide(self, word: str, key: str) -> None:
        with self._lock:
            self.point.decide(_STATUS[word], key)
        self._deliver()

    # --- the wire

    def obey(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes | None:
        """Bytes of a whole HTTP answer; None: the connection dies without one."""
        self.requests.append(f"{method} {path}")
        if self.latency_s:
            time.sleep(self.latency_s)
        fault: Fault = self.faults.pop(0) if self.faults else ""
        if self._silent or self._server is None or fault == "lost_before":
            return None
        if fault == "error_before":
            return _answer(500, b'{"errors":[{"code":"500"}]}')
        with self._lock:
            status, document = self.point.handle(method, path, headers, body)
            if fault == "twice":
                status, document = self.point.handle(method, path, headers, body)
        self._deliver()
        if fault == "lost_after":
            return None
        if fault == "error_after":
            return _answer(500, b"")
        if fault == "garbage":
            return _answer(status, b'{"id": ["\xff')
        return _answer(status, json.dumps(document).encode())

    def _deliver(self) -> None:
        with self._lock:
            told, self.point.told = self.point.told, []
        for order_id in told:
            hint = {"action": "order.updated", "type": "order", "data": {"id": order_id}}
            for _ in range(self.hooks_each if self.hook else 0):
                assert self.hook is not None, "checked above"
                self.hook(json.dumps(hint).encode())


def write_demo_token(path: Path) -> Path:
    """The credential that this simulation accepts, as a node keeps one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(DEMO_TOKEN + "\n", encoding="ascii")
    return path


def _answer(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def _server(simulator: PointSimulator, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def log_message(self, format: str, *args: object) -> None:
            """A simulator says nothing on stderr."""

        def _obey(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), BODY_MAX)
            body = self.rfile.read(length)
            headers = {k.lower(): v for k, v in self.headers.items()}
            answer = simulator.obey(self.command, self.path, headers, body)
            if answer is None:
                self.close_connection = True
                return
            try:
                self.wfile.write(answer)
            except OSError:
                self.close_connection = True

        do_GET = do_POST = _obey

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False
        allow_reuse_address = True

    return Server(("127.0.0.1", port), Handler)
