"""Lines are read fast, and still only canonical bytes are facts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import example, given, settings
from hypothesis import strategies as st

from central.admission import UNREADABLE, admit
from central.node_simulator import NodeSimulator
from central.problems import Problem
from municipio.facts import FactType, Lane, canonical_json
from municipio.wire.batch import BatchHeader

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=200)
@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
@example({"": "\x7f\u2028\u2029/<>&ñ", "b": "a,1.5]", "a": [1.0, -0.0, 1e21, 1e-7]})
@example({"\ue000": 1, "\U00010000": 2, "é": ":12.50Z", "z": 10**15})
def test_fast_canonical_bytes_are_those_of_rfc_8785(document: dict[str, Any]) -> None:
    parsed = msgspec.json.decode(msgspec.json.encode(document))
    assert canonical_json(parsed) == rfc8785.dumps(parsed)


def header(node: NodeSimulator, last: int) -> BatchHeader:
    return BatchHeader(node.node, node.epoch, Lane.REP, 1, last, "0" * 64)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"number":1', b'"number":1.0'),
        (b'"number":1', b'"number": 1'),
        (b'"number":1', b'"number":9007199254740993'),
        (b'"number":1', b'"\\u006eumber":1'),
        (b'"data"', b'"Data"'),
        (b"report.filed", b"report.eaten"),
        (b'"bootms":"1000"', b'"bootms":"01000"'),
    ],
)
def test_bytes_that_are_not_canonical_are_set_aside(old: bytes, new: bytes) -> None:
    node = NodeSimulator()
    raw = node.record(FactType.REPORT_FILED, {"number": 1})
    lines = admit(node.inegi, header(node, 1), [raw.replace(old, new)])
    assert not isinstance(lines, Problem)
    assert lines[0].fact is None
    assert lines[0].trouble
    assert UNREADABLE == "unreadable"


def test_good_lines_come_back_with_their_hashes() -> None:
    node = NodeSimulator()
    raws = [node.record(FactType.REPORT_FILED, {"number": n}) for n in range(3)]
    lines = admit(node.inegi, header(node, 3), raws)
    assert not isinstance(lines, Problem)
    assert [line.seq for line in lines] == [1, 2, 3]
    assert all(line.fact is not None for line in lines)
