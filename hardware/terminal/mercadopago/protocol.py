"""The words of the Mercado Pago Orders API for Point terminals. Pure: requests out, meanings in.

Source: mercadopago.com.mx/developers, "Order - Point": create, get and cancel order, "Status of an
order and a transaction", and the terminals list. Nothing that an answer says is repeated in an
exception or a log: only states, amounts and the identifiers of order and payment come out of here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hardware.terminal import messages
from municipio.devices import ChargeState

EXPIRES_MIN_S, EXPIRES_MAX_S = 30, 3 * 3600
REPLY_MAX = 65_536
TERMINALS_A_PAGE = 50
AT_TERMINAL_HEADER = "x-allow-cancelable-status"
"""Lets a terminal with recent software be asked to drop what it already shows; answered 202."""
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TERMINAL_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_ORDER_ID = re.compile(r"ORD[A-Z0-9]{10,40}")
_PAYMENT_ID = re.compile(r"PAY[A-Z0-9]{10,40}")
_AMOUNT = re.compile(r"([0-9]{1,9})\.([0-9]{2})")

_S = ChargeState
ORDER_STATES: dict[str, ChargeState] = {
    "created": _S.REQUESTED,
    "at_terminal": _S.AT_TERMINAL,
    "processing": _S.AT_TERMINAL,
    "processed": _S.APPROVED,
    "failed": _S.DECLINED,
    "canceled": _S.CANCELLED,
    "expired": _S.EXPIRED,
    "refunded": _S.CANCELLED,
    "action_required": _S.UNKNOWN,
}
"""`action_required`: 40 s into the payment nobody knows yet; the answer comes later. `refunded`: the
money went back. A state that is not here is unknown, never a guess."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `idempotency_key` empty: none is sent."""

    method: str
    path: str
    body: bytes = b""
    idempotency_key: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer; `body` at most `REPLY_MAX` bytes."""

    status: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """`left` False: not a byte of the request left this node."""

    left: bool


@dataclass(frozen=True, slots=True)
class OrderTold:
    """What an order is now. `amount_centavos` is what the bank keeps when approved."""

    id: str
    reference: str
    state: ChargeState
    status: str
    amount_centavos: int
    payment_id: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The service will not do this request: `code` is its own word for why."""

    status: int
    code: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """No answer, or one that means nothing: the request may have been acted on if `maybe_done`."""

    maybe_done: bool


def amount_text(centavos: int) -> str:
    """Decimal text with two places, as the API wants it. Raises ValueError out of range."""
    if not 0 < centavos <= messages.AMOUNT_MAX_CENTAVOS:
        raise ValueError("the amount of a charge is 1 centavo to 999,999,999.99")
    return f"{centavos // 100}.{centavos % 100:02d}"


def read_amount(text: object) -> int:
    """Centavos of a decimal text such as "1095.60". Raises ValueError for anything else."""
    found = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError("not an amount with two places")
    return int(Decimal(found[1]) * 100) + int(found[2])


def duration(seconds: int) -> str:
    """ISO 8601 duration between 30 seconds and 3 hours. Raises ValueError out of range."""
    if not EXPIRES_MIN_S <= seconds <= EXPIRES_MAX_S:
        raise ValueError(f"an order may wait {EXPIRES_MIN_S} to {EXPIRES_MAX_S} seconds")
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    parts = ((hours, "H"), (minutes, "M"), (left, "S"))
    return "PT" + "".join(f"{n}{unit}" for n, unit in parts if n)


def checked_terminal_id(text: str) -> str:
    """Raises ValueError; an id is model, two underscores, serial: `PAX_A910__SMARTPOS123...`."""
    if not _TERMINAL_ID.fullmatch(text):
        raise ValueError("a terminal id is letters, digits, - and _")
    return text


def order_body(amount_centavos: int, reference: str, terminal_id: str, expires_s: int) -> bytes:
    """The order, byte for byte the same each time: the idempotency key is tied to it.

    Raises ValueError for a reference that is not 1 to 64 letters, digits, - or _, or that could
    be a card number.
    """
    if not _REFERENCE.fullmatch(reference) or messages.holds_card_number(reference):
        raise ValueError("a reference is 1 to 64 letters, digits, - or _")
    order = {
        "type": "point",
        "external_reference": reference,
        "expiration_time": duration(expires_s),
        "transactions": {"payments": [{"amount": amount_text(amount_centavos)}]},
        "config": {
            "point": {
                "terminal_id": checked_terminal_id(terminal_id),
                "print_on_terminal": "no_ticket",
            }
        },
    }
    return json.dumps(order, separators=(",", ":"), sort_keys=True).encode()


def create_order(key: str, body: bytes) -> Call:
    return Call("POST", "/v1/orders", body, key)


def get_order(order_id: str) -> Call:
    return Call("GET", f"/v1/orders/{order_id}")


def cancel_order(order_id: str, key: str, *, at_terminal: bool) -> Call:
    """Plain, it works only while the order is `created`."""
    headers = ((AT_TERMINAL_HEADER, "at_terminal"),) if at_terminal else ()
    end = "cancel-at-terminal" if at_terminal else "cancel"
    return Call("POST", f"/v1/orders/{order_id}/cancel", b"", f"{key}-{end}", headers)


def list_terminals(offset: int = 0) -> Call:
    return Call("GET", f"/terminals/v1/list?limit={TERMINALS_A_PAGE}&offset={offset}")


def read_order(answer: Answer | NoAnswer) -> OrderTold | Refusal | Trouble:
    """Meaning of an answer to any order request. Never raises, whatever arrives."""
    if isinstance(answer, NoAnswer):
        return Trouble(maybe_done=answer.left)
    document = _document(answer.body)
    if 200 <= answer.status < 300:
        try:
            return _order(document)
        except (KeyError, IndexError, TypeError, ValueError):
            return Trouble(maybe_done=True)
    if 400 <= answer.status < 500 and answer.status not in (408, 425, 429):
        return Refusal(answer.status, _error_code(document))
    return Trouble(maybe_done=answer.status != 429)


def _order(document: Any) -> OrderTold:
    status = document["status"]
    order_id = document["id"]
    if not isinstance(status, str) or not _ORDER_ID.fullmatch(order_id):
        raise ValueError("not an order")
    if document["type"] != "point":
        raise ValueError("an order of another kind")
    payment = document["transactions"]["payments"][0]
    state = ORDER_STATES.get(status, ChargeState.UNKNOWN)
    amount = read_amount(payment["amount"])
    if state is ChargeState.APPROVED:
        paid = read_amount(payment.get("paid_amount", payment["amount"]))
        amount = paid - read_amount(payment.get("refunded_amount", "0.00"))
        state = state if amount > 0 else ChargeState.CANCELLED
    payment_id = payment.get("id", "")
    is_text = isinstance(payment_id, str) and _PAYMENT_ID.fullmatch(payment_id) is not None
    known_payment = is_text and not messages.holds_card_number(payment_id)
    return OrderTold(
        order_id,
        str(document.get("external_reference", "")),
        state,
        status if status in ORDER_STATES else "",
        amount,
        payment_id if known_payment else "",
    )


def read_terminals(answer: Answer) -> dict[str, str] | None:
    """Operating mode (`PDV`, `SELF_SERVICE`, `STANDALONE`) by terminal id; None without a meaning."""
    document = _document(answer.body)
    try:
        return {str(t["id"]): str(t["operating_mode"]) for t in document["data"]["terminals"]}
    except (KeyError, TypeError):
        return None


def read_hint(body: bytes) -> str:
    """The order that a notification is about, or empty. A hint to ask sooner, never a fact."""
    document = _document(body[:REPLY_MAX])
    try:
        order_id = document["data"]["id"]
    except (KeyError, TypeError):
        return ""
    return order_id if isinstance(order_id, str) and _ORDER_ID.fullmatch(order_id) else ""


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _error_code(document: Any) -> str:
    try:
        code = document["errors"][0]["code"]
    except (KeyError, IndexError, TypeError):
        return ""
    return code if isinstance(code, str) and re.fullmatch(r"[a-z0-9_]{1,60}", code) else ""
