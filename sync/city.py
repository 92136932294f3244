"""Questions to the city over HTTP, answered only by what its key has signed.

No answer that can be believed means no charge: every doubt comes back as `NoAnswer` with its cause.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from municipio.predial import SignedLiquidacion, decode_liquidacion
from municipio.usecases.ports import (
    AlreadyPaid,
    CityFolio,
    NoAnswer,
    NoAnswerCause,
    UnknownAccount,
)
from municipio.wire.keys import PublicKey, verify
from sync.answers import Refused, Reply, Trouble, judge_error, signed_json
from sync.delivery import Carrier

_CAUSES = {
    Trouble.OFFLINE: NoAnswerCause.OFFLINE,
    Trouble.TIMEOUT: NoAnswerCause.TIMEOUT,
    Trouble.BAD_ANSWER: NoAnswerCause.BAD_ANSWER,
}


class HttpCity:
    """Implements `municipio.usecases.ports.City`."""

    def __init__(self, carrier: Carrier, city: PublicKey) -> None:
        self._carrier = carrier
        self._city = city

    def fresh_liquidacion(
        self, clave: str
    ) -> SignedLiquidacion | AlreadyPaid | UnknownAccount | NoAnswer:
        """What the city says now about an account; `clave` is digits only."""
        answer = self._ask(f"/v1/predial/{clave}")
        if isinstance(answer, NoAnswer):
            return answer
        if answer is None:
            return UnknownAccount(clave)
        paid = answer.get("already_paid")
        if isinstance(paid, dict):
            if paid.get("clave") != clave:
                return _bad("the answer is about another account")
            return AlreadyPaid(clave, str(paid.get("paid_on", "")), str(paid.get("folio", "")))
        return self._read_liquidacion(answer.get("liquidacion"), clave)

    def folio(self, folio: str) -> CityFolio | NoAnswer | None:
        """What the city holds about a folio; None when it holds nothing (yet)."""
        answer = self._ask(f"/v1/folios/{folio}")
        if answer is None or isinstance(answer, NoAnswer):
            return answer
        found = {name: answer.get(name, "") for name in CityFolio.__slots__}
        if found["folio"] != folio or not all(isinstance(v, str) for v in found.values()):
            return _bad("the answer is about another folio")
        return CityFolio(**found)

    def _ask(self, path: str) -> dict[str, Any] | NoAnswer | None:
        """The signed JSON of a 200; None for a signed 404."""
        reply = self._carrier.get(path)
        if isinstance(reply, Refused):
            return NoAnswer(_CAUSES.get(reply.trouble, NoAnswerCause.REFUSED), reply.detail)
        document = signed_json(reply, self._city)
        if reply.status == 200 and document is not None:
            return document
        if reply.status == 404 and document is not None:
            return None
        return self._no_answer(reply)

    def _no_answer(self, reply: Reply) -> NoAnswer:
        if reply.status == 200:
            return _bad("the answer is not signed by the city: a login page?")
        refused = judge_error(reply, self._city)
        return NoAnswer(_CAUSES.get(refused.trouble, NoAnswerCause.REFUSED), refused.detail)

    def _read_liquidacion(self, document: Any, clave: str) -> SignedLiquidacion | NoAnswer:
        try:
            payload = document["payload"].encode()
            signature = base64.b64decode(document["signature"], validate=True)
            liquidacion = decode_liquidacion(payload)
        except (TypeError, KeyError, AttributeError, ValueError, binascii.Error) as e:
            return _bad(f"not a liquidación: {e}")
        if liquidacion.clave != clave:
            return _bad("the liquidación is about another account")
        signed = SignedLiquidacion(liquidacion, payload, signature)
        if not verify(self._city, signature, payload):
            return _bad("the liquidación is not signed by the city")
        return signed


def _bad(detail: str) -> NoAnswer:
    return NoAnswer(NoAnswerCause.BAD_ANSWER, detail)
