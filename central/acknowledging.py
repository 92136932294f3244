"""What the city says of a batch that it took, signed; the same over the network and on a stick."""

from __future__ import annotations

from datetime import datetime

from central.ingest import Taken
from municipio.facts import format_time
from municipio.wire.ack import Ack, FactProblem, encode_ack
from municipio.wire.batch import BatchHeader
from municipio.wire.keys import Sign


def acknowledge(
    header: BatchHeader, taken: Taken, sign: Sign, at: datetime, next_contact_s: int = 0
) -> bytes:
    """`next_contact_s` as in `Ack`: 0 where no next contact can be named."""
    ack = Ack(
        node=header.node,
        epoch=header.epoch,
        lane=header.lane,
        through=taken.through,
        chain=taken.chain,
        problems=tuple(FactProblem(r.seq, r.code, r.detail) for r in taken.refused),
        city_time=format_time(at),
        next_contact_s=next_contact_s,
    )
    return encode_ack(ack, sign)
