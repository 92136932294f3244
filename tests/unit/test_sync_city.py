"""What the node believes of the city's answers about debts and folios."""

from __future__ import annotations

import base64
import json
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from municipio.predial import Liquidacion, LiquidacionRow, SignedLiquidacion, encode_liquidacion
from municipio.usecases.ports import (
    AlreadyPaid,
    CityFolio,
    NoAnswer,
    NoAnswerCause,
    UnknownAccount,
)
from municipio.wire.envelope import SIGNATURE_HEADER, sign_body
from sync.answers import Refused, Reply, Trouble
from sync.city import HttpCity

CITY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
CLAVE = "0620000101023005000007"


class Carrier:
    """Gives one answer and remembers what was asked."""

    def __init__(self, reply: Reply | Refused) -> None:
        self.reply = reply
        self.asked: list[str] = []

    def get(self, path: str) -> Reply | Refused:
        self.asked.append(path)
        return self.reply

    def post_batch(self, node: str, body: bytes) -> Reply | Refused:
        raise AssertionError("a question sends no batch")


def signed(document: Any, status: int = 200, key: Ed25519PrivateKey = CITY) -> Reply:
    body = json.dumps(document).encode()
    return Reply(status, {SIGNATURE_HEADER.lower(): sign_body(body, key.sign)}, body)


def asking(reply: Reply | Refused) -> HttpCity:
    return HttpCity(Carrier(reply), CITY.public_key())


def liquidacion(clave: str = CLAVE) -> Liquidacion:
    row = LiquidacionRow(2026, 100_000, 9_560, "1.0000", 0, 0, 0, 0, 109_560)
    return Liquidacion(
        "L1", clave, date(2026, 1, 20), date(2026, 1, 31), (row,), 109_560, "", "demo"
    )


def answer(clave: str = CLAVE, key: Ed25519PrivateKey = CITY) -> dict[str, Any]:
    payload = encode_liquidacion(liquidacion(clave))
    signature = base64.b64encode(key.sign(payload)).decode()
    return {"account": {}, "liquidacion": {"payload": payload.decode(), "signature": signature}}


def test_a_fresh_liquidacion_of_the_city_is_believed() -> None:
    carrier = Carrier(signed(answer()))
    found = HttpCity(carrier, CITY.public_key()).fresh_liquidacion(CLAVE)
    assert isinstance(found, SignedLiquidacion)
    assert found.liquidacion == liquidacion()
    assert carrier.asked == [f"/v1/predial/{CLAVE}"]


@pytest.mark.parametrize(
    "document",
    [
        answer(clave="0620000101023005000008"),
        answer(key=OTHER),
        {"liquidacion": None},
        {"liquidacion": {"payload": 5, "signature": "x"}},
        {"liquidacion": {"payload": "{}", "signature": "AA=="}},
        {"already_paid": {"clave": "another", "paid_on": "2026-01-02"}},
        {},
    ],
)
def test_a_signed_answer_that_is_not_about_this_debt_is_no_answer(document: Any) -> None:
    found = asking(signed(document)).fresh_liquidacion(CLAVE)
    assert isinstance(found, NoAnswer)
    assert found.cause is NoAnswerCause.BAD_ANSWER


def test_a_debt_that_was_paid_elsewhere_is_said_so() -> None:
    paid = {"already_paid": {"clave": CLAVE, "paid_on": "2026-01-02", "folio": ""}}
    assert asking(signed(paid)).fresh_liquidacion(CLAVE) == AlreadyPaid(CLAVE, "2026-01-02", "")


def test_only_a_signed_404_means_that_there_is_no_such_account() -> None:
    assert asking(signed({}, 404)).fresh_liquidacion(CLAVE) == UnknownAccount(CLAVE)
    assert isinstance(asking(Reply(404, {}, b"{}")).fresh_liquidacion(CLAVE), NoAnswer)
    assert isinstance(asking(signed({}, 404, OTHER)).fresh_liquidacion(CLAVE), NoAnswer)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Refused(Trouble.OFFLINE, ""), NoAnswerCause.OFFLINE),
        (Refused(Trouble.TIMEOUT, ""), NoAnswerCause.TIMEOUT),
        (signed({}, 401), NoAnswerCause.REFUSED),
        (signed(answer(), key=OTHER), NoAnswerCause.BAD_ANSWER),
        (signed(["a list"]), NoAnswerCause.BAD_ANSWER),
    ],
)
def test_every_doubt_has_its_cause(reply: Reply | Refused, cause: NoAnswerCause) -> None:
    found = asking(reply).fresh_liquidacion(CLAVE)
    assert isinstance(found, NoAnswer)
    assert found.cause is cause


def test_a_folio_comes_in_the_citys_words() -> None:
    document = {
        "folio": "COA007-R1-000123-E", "kind": "reporte", "state": "en_proceso",
        "city_folio": "SIAC-9", "opened_on": "2026-01-19", "updated_on": "2026-01-20",
    }  # fmt: skip
    city = asking(signed(document))
    assert city.folio("COA007-R1-000123-E") == CityFolio(
        "COA007-R1-000123-E", "reporte", "en_proceso", "SIAC-9", "2026-01-20"
    )
    assert isinstance(city.folio("COA007-R1-000124-X"), NoAnswer)
    assert asking(signed({}, 404)).folio("COA007-R1-000123-E") is None
