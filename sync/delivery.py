"""One delivery: facts out of the ledger, a batch to the city, its answer back into the ledger."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

import apsw

from municipio.facts import Lane
from municipio.wire.attachment import Progress, attachment_path, part_path
from municipio.wire.batch import MAX_PACKED_BYTES, BatchHeader, encode_batch, pack
from municipio.wire.keys import PublicKey, Sign
from sync.answers import (
    Delivered,
    OtherFuture,
    Outcome,
    Refused,
    Reply,
    Trouble,
    judge_batch_reply,
    judge_health,
    judge_part_reply,
    signed_json,
)
from sync.keys import NodeKey
from sync.outbox import ChainDiffers, Damaged, Load, Outbox
from sync.protocol import Follow, Send, SendPart
from sync.recovery import DAMAGED, OTHER_FUTURE
from sync.uploads import File, Uploads

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z", re.ASCII)


class Carrier(Protocol):
    """What takes bytes to the city: `sync.transport.Courier`, or a simulated street."""

    def get(self, path: str) -> Reply | Refused: ...

    def post_batch(self, node: str, body: bytes) -> Reply | Refused: ...

    def put(self, path: str, body: bytes) -> Reply | Refused: ...


class Delivery:
    """Joins one ledger, one key and one carrier."""

    def __init__(
        self,
        outbox: Outbox,
        node: str,
        key: NodeKey,
        city: PublicKey,
        carrier: Carrier,
        uploads: Uploads | None = None,
    ) -> None:
        """Without `uploads` sealed files stay where they are."""
        self.outbox = outbox
        self.uploads = uploads
        self.city_time = ""
        """Newest time that the city has signed (RFC 3339 UTC), empty when it never did."""
        self._node = node
        self._key = key
        self._city = city
        self._carrier = carrier

    def salute(self) -> Refused | None:
        """None when the city answered, signed."""
        reply = self._carrier.get("/v1/health")
        if isinstance(reply, Refused):
            return reply
        refused = judge_health(reply, self._city)
        if refused is None:
            self._note_time(signed_json(reply, self._city) or {})
        return refused

    def _note_time(self, document: Mapping[str, Any]) -> None:
        """A time in the city's signed answer; spelled in one way, so texts compare as times."""
        told = document.get("time")
        if isinstance(told, str) and _TIME.fullmatch(told):
            self.city_time = max(self.city_time, told)

    def send(self, send: Send) -> Outcome:
        """Carry one batch. Facts are marked as delivered only by a signed, matching answer."""
        load = self.outbox.load(send.lane, send.epoch, send.first, send.limit)
        if load is None:
            return Refused(Trouble.GAP, f"fact {send.first} is no longer on this node")
        if isinstance(load, Damaged):
            self.outbox.recover_from(send.lane, send.epoch, load.seq, DAMAGED)
            return Refused(Trouble.NODE, f"fact {load.seq} was damaged on this node")
        packed, _ = packed_batch(self._node, self._key.sign, send.lane, send.epoch, load)
        reply = self._carrier.post_batch(self._node, packed)
        if isinstance(reply, Refused):
            return reply
        outcome = judge_batch_reply(reply, self._node, send.lane, send.epoch, self._city)
        if not isinstance(outcome, Delivered):
            return outcome
        try:
            moved = self.outbox.apply_ack(outcome.ack)
        except apsw.Error as e:
            return Refused(Trouble.NODE, f"the acknowledgement could not be stored: {e}")
        if isinstance(moved, ChainDiffers):
            ahead = OtherFuture(moved.detail)
            return ahead if moved.is_ahead else Refused(Trouble.CHAIN, moved.detail)
        if moved == 0 and outcome.ack.through < send.first:
            return Refused(Trouble.BAD_ANSWER, "an old acknowledgement was answered")
        return outcome

    def files(self) -> tuple[File, ...]:
        """Sealed files that may go now."""
        return () if self.uploads is None else self.uploads.ready()

    def send_part(self, part: SendPart) -> Progress | Refused:
        """Carry one stretch of a sealed file; the file is erased once the city has all of it."""
        assert self.uploads is not None, "a part is sent only of files() that were offered"
        sha256, size = part.file.sha256, part.file.size
        try:
            body = self.uploads.part(part.file, part.first or 0, part.limit)
            if body is None and part.first is not None:
                self.uploads.lost(sha256)
                return Refused(Trouble.NODE, f"attachment {sha256[:12]} is damaged on this node")
            if part.first is None:
                reply = self._carrier.get(attachment_path(self._node, sha256))
            else:
                reply = self._carrier.put(
                    part_path(self._node, sha256, size, part.first), body or b""
                )
            if isinstance(reply, Refused):
                return reply
            progress = judge_part_reply(reply, self._node, sha256, self._city)
            if isinstance(progress, Progress) and progress.complete:
                self.uploads.held(sha256)
            return progress
        except (apsw.Error, OSError) as e:
            return Refused(Trouble.NODE, f"the attachment could not be noted: {e}")

    def follow(self, follow: Follow, send: Send, wanted: int) -> None:
        """Do in the ledger what the protocol asked for after an answer."""
        if follow is Follow.REWIND:
            self.outbox.rewind(send.lane, send.epoch, wanted)
        elif follow is Follow.NEW_EPOCH:
            self.outbox.recover_unacked(send.lane, send.epoch, OTHER_FUTURE)


def packed_batch(node: str, sign: Sign, lane: Lane, epoch: int, load: Load) -> tuple[bytes, int]:
    """The signed batch, gzip, with as many of the facts as one body may carry; and how many."""
    facts = load.facts
    while True:
        last = load.first + len(facts) - 1
        header = BatchHeader(node, epoch, lane, load.first, last, load.prev)
        packed = pack(encode_batch(header, facts, sign))
        if len(packed) <= MAX_PACKED_BYTES or len(facts) == 1:
            return packed, len(facts)
        facts = facts[: max(1, len(facts) // 2)]
