"""The payment service and one terminal, as they are documented: orders, states and errors.

Pure but for a clock that is given; `fake_server` puts it behind HTTP. A test plays the person. All
data is invented (demostración).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hardware.terminal.mercadopago.protocol import AT_TERMINAL_HEADER

DEMO_TOKEN = "TEST-0000-demostracion-0000"  # noqa: S105  opens nothing but this simulation
DEMO_TERMINAL = "PAX_A910__SMARTPOS0000000DEMO"
KEYS_KEPT_S = 24 * 3600
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")
OPEN = frozenset({"created", "at_terminal", "action_required"})
Reply = tuple[int, dict[str, Any]]


@dataclass
class FakeOrder:
    id: str
    key: str
    reference: str
    amount: str
    expires_at: float
    status: str = "created"
    changed_at: float = 0.0
    paid: bool = False
    extra: dict[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        payment: dict[str, Any] = {
            "id": f"PAY01J67CQQH5904WDBV{self.id[-6:]}DEMO",
            "amount": self.amount,
            "status": self.status,
        }
        if self.paid:
            payment |= {"paid_amount": self.amount, "reference_id": "12345678"}
            payment["payment_method"] = {"type": "credit_card", "installments": 1, "id": "master"}
        payment |= self.extra
        return {
            "id": self.id,
            "type": "point",
            "external_reference": self.reference,
            "processing_mode": "automatic",
            "country_code": "MEX",
            "status": self.status,
            "status_detail": self.status,
            "config": {"point": {"terminal_id": DEMO_TERMINAL, "print_on_terminal": "no_ticket"}},
            "transactions": {"payments": [payment]},
        }


class FakePoint:
    """`mode` "auto": the card is read after `think_s`; "hold": it waits to be told.

    `operating_mode` "STANDALONE": orders stay `created`. `pick_up_s`: until the terminal shows one.
    """

    def __init__(self, now: Callable[[], float], *, think_s: float = 0.8) -> None:
        self._now = now
        self.think_s = think_s
        self.pick_up_s = 0.05
        self.mode = "auto"
        self.then = "processed"
        self.operating_mode = "PDV"
        self.is_listed = True
        self.cancels_at_terminal = False
        self.orders: dict[str, FakeOrder] = {}
        self._keys: dict[str, tuple[bytes, str, float]] = {}
        self.told: list[str] = []
        """Order ids whose state changed: what a notification would carry."""

    # --- the person, the bank and time

    def decide(self, status: str, key: str = "") -> None:
        """The open order, or the newest under idempotency key `key` however late."""
        orders = [o for o in self.orders.values() if o.key == key or (not key and self._open(o))]
        if not orders:
            self.then = status
            return
        self._become(orders[-1], status)

    def money_taken(self) -> int:
        """Centavos that the bank keeps."""
        kept = (o for o in self.orders.values() if o.paid and o.status != "refunded")
        return sum(int(o.amount.replace(".", "")) for o in kept)

    def pass_time(self) -> None:
        now = self._now()
        for order in self.orders.values():
            if not self._open(order):
                continue
            if order.status != "action_required" and now >= order.expires_at:
                self._become(order, "expired")
            elif order.status == "created" and self._may_pick_up(order, now):
                self._become(order, "at_terminal")
            elif (
                order.status == "at_terminal"
                and self.mode == "auto"
                and now - order.changed_at >= self.think_s
            ):
                self._become(order, self.then)
                self.then = "processed"

    def _may_pick_up(self, order: FakeOrder, now: float) -> bool:
        busy = any(o.status == "at_terminal" for o in self.orders.values())
        ready = self.operating_mode != "STANDALONE" and not busy
        return ready and now - order.changed_at >= self.pick_up_s

    def _open(self, order: FakeOrder) -> bool:
        return order.status in OPEN

    def _become(self, order: FakeOrder, status: str) -> None:
        order.paid = order.paid or status == "processed"
        order.status, order.changed_at = status, self._now()
        self.told.append(order.id)

    # --- the interface

    def handle(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """One request; header names in lower case."""
        self.pass_time()
        if headers.get("authorization") != f"Bearer {DEMO_TOKEN}":
            return _error(401, "unauthorized")
        if method == "GET" and path.startswith("/terminals/v1/list"):
            return self._list()
        if method == "POST" and not headers.get("x-idempotency-key"):
            return _error(400, "empty_required_header")
        if (method, path) == ("POST", "/v1/orders"):
            return self._create(headers["x-idempotency-key"], body)
        order = self.orders.get(path.removeprefix("/v1/orders/").removesuffix("/cancel"))
        if order is None or not path.startswith("/v1/orders/"):
            return _error(404, "order_not_found")
        if method == "GET":
            return 200, order.document()
        if method == "POST" and path.endswith("/cancel"):
            return self._cancel(order, headers)
        return _error(404, "not_found")

    def _list(self) -> Reply:
        listed = [{"id": DEMO_TERMINAL, "operating_mode": self.operating_mode}]
        terminals = listed if self.is_listed else []
        paging = {"total": len(terminals), "limit": 50, "offset": 0}
        return 200, {"data": {"terminals": terminals}, "paging": paging}

    def _create(self, key: str, body: bytes) -> Reply:
        known = self._keys.get(key)
        if known is not None and self._now() - known[2] < KEYS_KEPT_S:
            if known[0] != body:
                return _error(409, "idempotency_key_already_used")
            return 201, self.orders[known[1]].document()
        try:
            asked = json.loads(body)
            assert asked["type"] == "point", "only Point orders here"
            amount = asked["transactions"]["payments"][0]["amount"]
            reference = asked["external_reference"]
            expires_s = _seconds(asked.get("expiration_time", "PT15M"))
            terminal = asked["config"]["point"]["terminal_id"]
            assert re.fullmatch(r"\d+\.\d{2}", amount), "a decimal text"
            assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", reference), "a reference"
        except (ValueError, KeyError, IndexError, TypeError, AssertionError):
            return _error(400, "property_value")
        if terminal != DEMO_TERMINAL:
            return _error(403, "forbidden_checking_terminal_owner")
        if any(o.status in ("created", "at_terminal") for o in self.orders.values()):
            return _error(409, "already_queued_order_on_terminal")
        return self._new(key, body, reference, amount, expires_s)

    def _new(self, key: str, body: bytes, reference: str, amount: str, expires_s: int) -> Reply:
        now = self._now()
        order_id = f"ORD{len(self.orders) + 1:026d}"
        order = FakeOrder(order_id, key, reference, amount, now + expires_s, changed_at=now)
        self.orders[order_id] = order
        self._keys[key] = (body, order_id, now)
        return 201, order.document()

    def _cancel(self, order: FakeOrder, headers: Mapping[str, str]) -> Reply:
        if order.status == "created":
            self._become(order, "canceled")
            return 200, order.document()
        asked_at_terminal = headers.get(AT_TERMINAL_HEADER) == "at_terminal"
        if order.status == "at_terminal" and asked_at_terminal and self.cancels_at_terminal:
            self._become(order, "canceled")
            return 202, {}
        return _error(409, "cannot_cancel_order")


def _seconds(text: str) -> int:
    found = _DURATION.fullmatch(text)
    hours, minutes, seconds = (int(n or 0) for n in found.groups()) if found else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if not 30 <= total <= 3 * 3600:
        raise ValueError("an order may wait 30 seconds to 3 hours")
    return total


def _error(status: int, code: str) -> Reply:
    return status, {"errors": [{"code": code, "message": code.replace("_", " ")}]}
