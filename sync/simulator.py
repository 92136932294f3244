"""A city in memory at the far end of the wire: it takes real batches, signs real answers, and may lie.

For tests and for trying a node without a network. It keeps facts by the rules of the exchange; its
moods are what streets do: lost requests, lost answers, duplicates, login pages, old answers, restarts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from municipio.facts import ZERO_HASH, Lane, fact_hash
from municipio.wire.ack import Ack, encode_ack
from municipio.wire.attachment import Progress
from municipio.wire.batch import Batch, decode_batch, verify_batch
from municipio.wire.envelope import SIGNATURE_HEADER, sign_body
from municipio.wire.keys import PublicKey, Sign
from sync.answers import Refused, Reply, Trouble

Place = tuple[Lane, int]


class Mood(StrEnum):
    """What happens to one exchange."""

    HONEST = "honest"
    LOST_REQUEST = "lost_request"
    LOST_ANSWER = "lost_answer"
    TWICE = "twice"
    LOGIN_PAGE = "login_page"
    GARBAGE = "garbage"
    CUT_ANSWER = "cut_answer"
    OLD_ANSWER = "old_answer"
    OTHER_CITY = "other_city"
    LYING_HASH = "lying_hash"
    TOO_LARGE = "too_large"
    BROKEN = "broken"
    STRANGER = "stranger"
    FROM_BACKUP = "from_backup"


@dataclass(slots=True)
class CitySimulator:
    """Implements `sync.delivery.Carrier`. `mood` is asked once per request."""

    node: str
    node_key: PublicKey
    mood: Callable[[], Mood]
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    held: dict[Place, list[bytes]] = field(default_factory=dict)
    backup: dict[Place, int] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    complete: set[str] = field(default_factory=set)
    tampering: int = 0
    requests: int = 0
    _old: Reply | None = None

    @property
    def public(self) -> PublicKey:
        return self.key.public_key()

    def get(self, path: str) -> Reply | Refused:
        """GET /v1/health, or how much of an attachment is here; signed when honest."""
        mood = self.mood()
        body = json.dumps({"status": "ok", "path": path}).encode()
        if "/attachments/" in path:
            body = self._progress(path.rsplit("/", 1)[-1])
        reply = self._signed(200, body)
        return self._street(mood, reply)

    def post_batch(self, node: str, body: bytes) -> Reply | Refused:
        self.requests += 1
        mood = self.mood()
        if mood is Mood.LOST_REQUEST:
            return Refused(Trouble.OFFLINE, "simulated: the request was lost")
        if mood is Mood.TOO_LARGE:
            return Reply(413, {}, b"")
        if mood is Mood.BROKEN:
            return self._problem(500, "internal")
        if mood is Mood.STRANGER:
            return self._problem(401, "unknown-node")
        if mood is Mood.FROM_BACKUP:
            self._restore()
        reply = self._take(body, mood)
        if mood is Mood.TWICE:
            reply = self._take(body, mood)
        answer = self._street(mood, reply)
        if reply.status == 200:
            self._old = reply
        return answer

    def put(self, path: str, body: bytes) -> Reply | Refused:
        """A part of a sealed file: `.../attachments/{sha256}/{size}/{first}`."""
        self.requests += 1
        mood = self.mood()
        if mood is Mood.LOST_REQUEST:
            return Refused(Trouble.OFFLINE, "simulated: the request was lost")
        if mood is Mood.BROKEN:
            return self._problem(500, "internal")
        sha256, size, first = path.split("/")[-3:]
        held = self.files.setdefault(sha256, b"")
        if int(first) == len(held) and len(held) + len(body) <= int(size):
            held = self.files[sha256] = held + body
        if len(held) == int(size) and hashlib.sha256(held).hexdigest() == sha256:
            self.complete.add(sha256)
        elif len(held) == int(size):
            self.files[sha256] = b""
        return self._street(mood, self._signed(200, self._progress(sha256)))

    def _progress(self, sha256: str) -> bytes:
        received = len(self.files.get(sha256, b""))
        found = Progress(self.node, sha256, received, sha256 in self.complete)
        return json.dumps(found.document()).encode()

    def facts(self) -> list[bytes]:
        """Everything that the city holds, by lane and epoch."""
        return [fact for place in sorted(self.held) for fact in self.held[place]]

    # --- inside ---------------------------------------------------------------------------

    def _take(self, body: bytes, mood: Mood) -> Reply:
        batch = decode_batch(body)
        if not isinstance(batch, Batch) or not verify_batch(batch, self.node_key):
            return self._problem(400, "bad-batch")
        head = batch.header
        place = (head.lane, head.epoch)
        held = self.held.setdefault(place, [])
        if head.first > len(held) + 1:
            return self._problem(409, "gap", wanted_seq=len(held) + 1)
        known = held[head.first - 1 : head.last]
        if list(batch.facts[: len(known)]) != known or head.prev != _head(held[: head.first - 1]):
            self.tampering += 1
            return self._problem(409, "tampering")
        held += batch.facts[len(known) :]
        chain = "ab" * 32 if mood is Mood.LYING_HASH else _head(held)
        ack = Ack(self.node, head.epoch, head.lane, len(held), chain)
        sign: Sign = Ed25519PrivateKey.generate().sign if mood is Mood.OTHER_CITY else self.key.sign
        return Reply(200, {}, encode_ack(ack, sign))

    def _street(self, mood: Mood, reply: Reply) -> Reply | Refused:
        """What the node sees of an answer."""
        if mood in (Mood.LOST_REQUEST, Mood.LOST_ANSWER):
            return Refused(Trouble.TIMEOUT, "simulated: the answer was lost")
        if mood is Mood.LOGIN_PAGE:
            return Reply(200, {}, b"<html><title>Bienvenido al hotel</title></html>")
        if mood is Mood.GARBAGE:
            return Reply(200, {}, bytes(range(256)))
        if mood is Mood.CUT_ANSWER:
            return Reply(reply.status, reply.headers, reply.body[: len(reply.body) // 2])
        if mood is Mood.OLD_ANSWER and self._old is not None and reply.status == 200:
            return self._old
        return reply

    def _restore(self) -> None:
        """The city comes back from its last backup, and a new backup is made."""
        for place, held in self.held.items():
            del held[self.backup.get(place, 0) :]
        self.backup = {place: len(held) for place, held in self.held.items()}

    def _problem(self, status: int, name: str, **extra: Any) -> Reply:
        document = {"type": f"urn:plaza:problem:{name}", "status": status, **extra}
        return self._signed(status, json.dumps(document).encode())

    def _signed(self, status: int, body: bytes) -> Reply:
        return Reply(status, {SIGNATURE_HEADER.lower(): sign_body(body, self.key.sign)}, body)


def _head(facts: list[bytes]) -> str:
    return fact_hash(facts[-1]) if facts else ZERO_HASH
