"""What a node told before the power went must be there, and nothing that it told after."""

from __future__ import annotations

import json
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from rig.told import Listener, Promise, expected

LINES = [
    {"fact": "f1", "hash": "aa", "payments": [["p", "intended"]], "folios": ["F-1"]},
    {"payments": [["p", "collecting"]], "movements": ["m1"]},
    {"fact": "f2", "hash": "bb", "payments": [["p", "taken"]], "papers": ["j1"]},
]
PROMISES = [Promise(10 * (n + 1), line) for n, line in enumerate(LINES)]


def test_a_cut_between_two_lines_binds_the_first_alone() -> None:
    found = expected(PROMISES, 25)

    assert found.facts == {"f1": "aa"}
    assert found.movements == {"m1"}
    assert found.papers == set()
    assert found.payments == {"p": "collecting"}
    assert found.later == {"p": {"taken"}}
    assert found.count == 4


def test_a_cut_before_everything_binds_nothing() -> None:
    assert expected(PROMISES, 9).count == 0


def test_a_cut_at_the_moment_of_a_line_binds_it() -> None:
    assert expected(PROMISES, 30).facts == {"f1": "aa", "f2": "bb"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 60), max_size=12))
def test_lines_are_heard_whole_however_they_arrive(sizes: list[int]) -> None:
    raw = "".join(json.dumps(line) + "\n" for line in LINES).encode()
    moments: Iterator[int] = iter(range(1000))
    listener = Listener(lambda: next(moments))
    for size in [*sizes, len(raw)]:
        listener(raw[:size])
        raw = raw[size:]

    assert [p.line for p in listener.heard] == LINES
    assert [p.by for p in listener.heard] == sorted(p.by for p in listener.heard)


def test_noise_and_a_line_that_was_cut_are_no_promises() -> None:
    listener = Listener(lambda: 1)

    listener(b'\xff\x00noise\n[1]\n{"fact": "f1", "hash": "a"}\n{"fact": "f2", "ha')

    assert [p.line for p in listener.heard] == [{"fact": "f1", "hash": "a"}]
