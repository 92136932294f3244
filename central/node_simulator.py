"""A node as the city sees it, without the node: it makes facts, signs batches and requests.

Real codecs and real signatures; only the box is missing. Tests, the load benchmark and anyone who
builds another node can drive a central with it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from municipio.clock import Instant, TimeQuality
from municipio.facts import (
    ZERO_HASH,
    FactDraft,
    FactType,
    Lane,
    encode_fact,
    fact_hash,
    lane_of,
    make_fact,
    node_urn,
)
from municipio.identifiers import make_folio
from municipio.wire.batch import BatchHeader, encode_batch
from municipio.wire.httpsig import sign_request
from municipio.wire.keys import PublicKey, key_id
from municipio.wire.receipt_code import make_receipt_code

_START = datetime(2026, 1, 20, 16, 42, tzinfo=UTC)


@dataclass
class NodeSimulator:
    """One node with its chains; `facts[lane]` are the canonical bytes in order of seq."""

    node: str = "COA007"
    inegi: str = "30039"
    epoch: int = 1
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    facts: dict[Lane, list[bytes]] = field(default_factory=lambda: {lane: [] for lane in Lane})

    @property
    def public(self) -> PublicKey:
        return self.key.public_key()

    def record(self, type: FactType, data: Mapping[str, Any], at: Instant | None = None) -> bytes:
        """Number and chain one fact; returns its canonical bytes. `at` is what the clocks say."""
        chain = self.facts[lane_of(type)]
        fact = make_fact(
            FactDraft(type, data),
            id=uuid.uuid4(),
            source=node_urn(self.inegi, self.node),
            epoch=self.epoch,
            seq=len(chain) + 1,
            prev=fact_hash(chain[-1]) if chain else ZERO_HASH,
            at=at or Instant(_START, TimeQuality.SYNCED, "simulated-boot", 1000 + len(chain)),
        )
        chain.append(encode_fact(fact))
        return chain[-1]

    def add_raw(self, lane: Lane, raw: bytes) -> None:
        """Put bytes that are no fact into a chain: damage, or a fact of a newer version."""
        self.facts[lane].append(raw)

    def folio(self, lane: Lane, seq: int | None = None) -> str:
        """Folio opened by a fact of a lane; the newest one without `seq`."""
        return make_folio(self.node, lane, self.epoch, seq or len(self.facts[lane]))

    def batch(self, lane: Lane, first: int = 1, last: int | None = None) -> bytes:
        """A signed batch of a stretch of a chain, plain."""
        chain = self.facts[lane]
        stop = len(chain) if last is None else last
        prev = fact_hash(chain[first - 2]) if first > 1 else ZERO_HASH
        return self.sign_batch(lane, chain[first - 1 : stop], first, prev)

    def sign_batch(self, lane: Lane, raws: Sequence[bytes], first: int, prev: str) -> bytes:
        """A signed batch of any lines, for senders that misbehave."""
        header = BatchHeader(self.node, self.epoch, lane, first, first + len(raws) - 1, prev)
        return encode_batch(header, raws, self.key.sign)

    def headers(self, method: str, path: str, body: bytes = b"") -> dict[str, str]:
        """Signature headers of one request, with a nonce of its own."""
        nonce = uuid.uuid4().hex
        return sign_request(method, path, body, key_id(self.public), nonce, self.key.sign)

    def batches_path(self) -> str:
        return f"/v1/nodes/{self.node}/batches"

    def pay(self, clave: str, liquidacion_id: str, amount_centavos: int) -> str:
        """Record an intended and a taken payment; returns the folio of the matter."""
        about = {"clave": clave, "liquidacion_id": liquidacion_id, "method": "card"}
        money = {"amount_centavos": amount_centavos}
        folio = make_folio(self.node, Lane.PAY, self.epoch, len(self.facts[Lane.PAY]) + 1)
        self.record(FactType.PAYMENT_INTENDED, {**about, **money, "folio": folio})
        self.record(FactType.PAYMENT_TAKEN, {**about, **money, "folio": folio})
        return folio

    def receipt_code(self, folio: str, amount_centavos: int) -> str:
        return make_receipt_code(folio, amount_centavos, _START.date(), self.key.sign)
