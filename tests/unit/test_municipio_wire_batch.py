from __future__ import annotations

import gzip
import uuid
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.clock import Instant, TimeQuality
from municipio.facts import ZERO_HASH, FactDraft, FactType, Lane, encode_fact, fact_hash, make_fact
from municipio.wire.batch import (
    MAX_FACTS,
    MAX_UNPACKED_BYTES,
    Batch,
    BatchHeader,
    BatchProblem,
    decode_batch,
    encode_batch,
    pack,
    verify_batch,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
AT = Instant(None, TimeQuality.UNKNOWN, "3f0c9a52-0000-4000-8000-000000000000", 12)


def chain(n: int, text: str = "bache en la calle") -> list[bytes]:
    facts: list[bytes] = []
    prev = ZERO_HASH
    for seq in range(1, n + 1):
        draft = FactDraft(FactType.REPORT_FILED, {"what": text, "n": seq})
        fact = make_fact(
            draft,
            id=uuid.UUID(int=seq),
            source="urn:plaza:30039:COA007",
            epoch=1,
            seq=seq,
            prev=prev,
            at=AT,
        )
        facts.append(encode_fact(fact))
        prev = fact_hash(facts[-1])
    return facts


def batch_of(facts: Sequence[bytes], first: int = 1, prev: str = ZERO_HASH) -> bytes:
    header = BatchHeader("COA007", 1, Lane.REP, first, first + len(facts) - 1, prev)
    return encode_batch(header, facts, KEY.sign)


def test_a_batch_comes_back_whole_plain_and_packed() -> None:
    facts = chain(3)
    raw = batch_of(facts)
    for wire in (raw, pack(raw)):
        batch = decode_batch(wire)
        assert isinstance(batch, Batch)
        assert batch.facts == tuple(facts)
        assert batch.header == BatchHeader("COA007", 1, Lane.REP, 1, 3, ZERO_HASH)
        assert batch.head == fact_hash(facts[-1])
        assert verify_batch(batch, KEY.public_key())
        assert not verify_batch(batch, OTHER.public_key())


def test_packing_is_reproducible() -> None:
    raw = batch_of(chain(2))
    assert pack(raw) == pack(raw)


def test_changing_any_byte_of_a_batch_is_noticed() -> None:
    raw = batch_of(chain(2))
    for at in range(len(raw)):
        for flip in (1, 0x20, 0x80):
            changed = raw[:at] + bytes([raw[at] ^ flip]) + raw[at + 1 :]
            batch = decode_batch(changed)
            assert isinstance(batch, BatchProblem) or not verify_batch(batch, KEY.public_key())


def test_leaving_out_or_cutting_anything_is_noticed() -> None:
    raw = batch_of(chain(2))
    for cut in range(len(raw)):
        batch = decode_batch(raw[:cut])
        assert isinstance(batch, BatchProblem) or not verify_batch(batch, KEY.public_key())
    lines = raw.splitlines(keepends=True)
    for leave_out in range(len(lines)):
        assert isinstance(
            decode_batch(b"".join(line for n, line in enumerate(lines) if n != leave_out)),
            BatchProblem,
        )


@given(st.binary(max_size=300))
@settings(max_examples=150)
def test_any_bytes_are_a_problem_and_never_a_crash(raw: bytes) -> None:
    assert isinstance(decode_batch(raw), BatchProblem)
    assert isinstance(decode_batch(gzip.compress(raw)), BatchProblem)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
@settings(max_examples=50)
def test_what_citizens_write_survives_the_wire(texts: list[str]) -> None:
    clean = [t.encode("utf-8", "ignore").decode() for t in texts]
    facts = [chain(1, text)[0] for text in clean]
    batch = decode_batch(pack(batch_of(facts)))
    assert isinstance(batch, Batch)
    assert batch.facts == tuple(facts)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b'"node":"COA007"', b'"node":"../x"'),
        (b'"first":1', b'"first":0'),
        (b'"last":1', b'"last":0'),
        (b'"last":1', b'"last":9999'),
        (b'"epoch":1', b'"epoch":0'),
        (b'"epoch":1', b'"epoch": 1'),
        (b'"lane":"rep"', b'"lane":"xxx"'),
        (b'"epoch":1', b'"epoch":1,"more":1'),
        (ZERO_HASH.encode(), b"A" * 64),
        (ZERO_HASH.encode(), b"a" * 64),
    ],
)
def test_a_header_out_of_its_rules_is_refused(old: bytes, new: bytes) -> None:
    raw = batch_of(chain(1))
    assert raw.split(b"\n")[0].count(old) == 1
    assert isinstance(decode_batch(raw.replace(old, new, 1)), BatchProblem)


def test_a_gzip_bomb_is_refused_without_unpacking_it() -> None:
    bomb = gzip.compress(b"0" * (MAX_UNPACKED_BYTES * 8))
    problem = decode_batch(bomb)
    assert isinstance(problem, BatchProblem)
    assert "unpacked" in problem.detail


def test_bytes_after_the_gzip_are_refused() -> None:
    assert isinstance(decode_batch(pack(batch_of(chain(1))) + b"x"), BatchProblem)


def test_a_batch_that_its_header_does_not_describe_cannot_be_made() -> None:
    facts = chain(2)
    with pytest.raises(ValueError, match="do not fill"):
        encode_batch(BatchHeader("COA007", 1, Lane.REP, 1, 3, ZERO_HASH), facts, KEY.sign)
    with pytest.raises(ValueError, match="do not fill"):
        batch_of([b"{}"] * (MAX_FACTS + 1))
    with pytest.raises(ValueError, match="line breaks"):
        batch_of([b"{\n}"])
