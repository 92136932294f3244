"""Facts: numbered, chained, canonical; anything else is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from municipio.clock import Instant, TimeQuality
from municipio.facts import (
    LANES,
    MAX_FACT_BYTES,
    ZERO_HASH,
    FactDraft,
    FactError,
    FactType,
    Lane,
    decode_fact,
    encode_fact,
    fact_hash,
    format_time,
    lane_of,
    make_fact,
    node_urn,
    parse_time,
)

NOW = datetime(2026, 1, 20, 16, 42, 7, 123000, tzinfo=UTC)
BOOT = "3f0b5a0e-8a5c-4f0e-9f57-0c6f3b7f4a11"
ID = UUID("0199c2f0-7b7c-7e8b-8a4e-0c6f3b7f4a11")


def an_instant(quality: TimeQuality = TimeQuality.SYNCED, time: datetime | None = NOW) -> Instant:
    return Instant(time, quality, BOOT, 4_200)


def encoded(
    fact_type: FactType = FactType.REPORT_FILED,
    data: dict[str, Any] | None = None,
    at: Instant | None = None,
) -> bytes:
    draft = FactDraft(fact_type, {"folio": "x"} if data is None else data)
    source = node_urn("30039", "COA007")
    fact = make_fact(
        draft, id=ID, source=source, epoch=1, seq=1, prev=ZERO_HASH, at=at or an_instant()
    )
    return encode_fact(fact)


def changed(**members: Any) -> bytes:
    document = {**json.loads(encoded()), **members}
    return rfc8785.dumps({k: v for k, v in document.items() if v is not ...})


def test_a_fact_is_a_cloud_event_with_our_attributes() -> None:
    assert json.loads(encoded()) == {
        "specversion": "1.0",
        "id": str(ID),
        "source": "urn:plaza:30039:COA007",
        "type": "report.filed",
        "time": "2026-01-20T16:42:07.123Z",
        "epoch": 1,
        "lane": "rep",
        "seq": 1,
        "prev": ZERO_HASH,
        "boot": BOOT,
        "bootms": "4200",
        "timequality": "synced",
        "data": {"folio": "x"},
    }


@pytest.mark.parametrize("fact_type", FactType)
def test_every_type_has_a_lane_and_reads_back(fact_type: FactType) -> None:
    raw = encoded(fact_type)
    fact = decode_fact(raw)
    assert fact.type is fact_type
    assert fact.lane is lane_of(fact_type)
    assert encode_fact(fact) == raw


def test_lanes_go_from_money_to_vitals_and_have_their_own_letter() -> None:
    assert [lane.letter for lane in LANES] == ["P", "R", "A", "V"]
    assert lane_of(FactType.RECEIPT_PRINTED) is Lane.PAY
    assert lane_of(FactType.TERMS_ACCEPTED) is Lane.ACC


@pytest.mark.parametrize(
    "at",
    [an_instant(TimeQuality.UNKNOWN), an_instant(TimeQuality.UNKNOWN, None),
     an_instant(TimeQuality.SYNCED, None)],
)  # fmt: skip
def test_an_unknown_time_is_left_out(at: Instant) -> None:
    document = json.loads(encoded(at=at))
    assert "time" not in document
    assert document["timequality"] == "unknown"
    assert decode_fact(encoded(at=at)).time is None


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "not a fact"),
        (b"{}", "not a fact"),
        (b"[" * 5000, "not a fact"),
        (b"x" * (MAX_FACT_BYTES + 1), "over the limit"),
        (encoded() + b"\n", "not canonical"),
        (encoded().replace(b'"seq":1', b'"seq":1.0'), "not"),
        (changed(specversion="0.3"), "specversion"),
        (changed(seq=0), "start at 1"),
        (changed(epoch=0), "start at 1"),
        (changed(prev="0" * 63), "SHA-256"),
        (changed(prev="A" * 64), "SHA-256"),
        (changed(lane="pay"), "does not travel in lane pay"),
        (changed(type="report.deleted"), "not a fact"),
        (changed(time=...), "time is left out exactly"),
        (changed(timequality="unknown"), "time is left out exactly"),
        (changed(time="2026-01-20T16:42:07Z"), "not a fact"),
        (changed(time="2026-01-20T10:42:07.123-06:00"), "not a fact"),
        (changed(bootms="-1"), "bootms"),
        (changed(bootms="1" * 16), "bootms"),
        (changed(id="not-a-uuid"), "not a fact"),
        (changed(extra=1), "not a fact"),
    ],
)
def test_bytes_that_break_a_rule_are_refused(raw: bytes, message: str) -> None:
    with pytest.raises(FactError, match=message):
        decode_fact(raw)


@given(st.binary(max_size=200))
def test_noise_is_never_a_fact_and_never_a_crash(noise: bytes) -> None:
    with pytest.raises(FactError):
        decode_fact(noise)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_any_data_survives_and_keeps_its_hash(data: dict[str, Any]) -> None:
    raw = encoded(data=data)
    again = encode_fact(decode_fact(raw))
    assert again == raw
    assert fact_hash(again) == fact_hash(raw)


def test_a_changed_fact_has_another_hash() -> None:
    assert fact_hash(encoded()) != fact_hash(changed(seq=2))
    assert len(fact_hash(b"")) == 64


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001  made aware below
def test_times_are_written_in_one_spelling_that_reads_back(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert abs(parse_time(format_time(aware)) - aware) < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z", "2026-01-01 00:00:00.000Z",
        "20260101T000000.000Z", "2026-W01-1T00:00:00.000Z", "0001-01-01T00:00:00.000+05:00",
    ],
)  # fmt: skip
def test_a_moment_has_one_spelling_alone(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text)
