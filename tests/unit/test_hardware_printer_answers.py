"""Answers of a printer are told apart though they share one wire and carry no name."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.printer import status
from hardware.printer.answers import (
    Answer,
    AnswerReader,
    Echo,
    Report,
    StatusByte,
    TokenByte,
    encode_echo,
)
from hardware.printer.profiles import PROFILES
from hardware.printer.status import Cause
from municipio.settings import SETTINGS

CONDITIONS = st.frozensets(
    st.sampled_from(sorted(set(Cause) - {Cause.NO_ANSWER, Cause.HOST_BLOCKED}))
)
ANSWERS = st.one_of(
    st.builds(
        lambda n, causes: StatusByte(status.encode(n, causes)), st.integers(1, 4), CONDITIONS
    ),
    st.just(TokenByte()),
    CONDITIONS.map(Report),
    st.binary(min_size=4, max_size=4).map(lambda raw: bytes(0x30 + b % 75 for b in raw)).map(Echo),
)


def encoded(answer: Answer) -> bytes:
    match answer:
        case StatusByte(byte):
            return bytes((byte,))
        case TokenByte():
            return b"\x00"
        case Report(causes):
            return status.encode_report(causes)
        case Echo(letters):
            return encode_echo(letters)


@settings(max_examples=200, deadline=None)
@given(st.lists(ANSWERS, max_size=12), st.integers(1, 5))
def test_answers_read_the_same_whole_and_in_pieces(answers: list[Answer], step: int) -> None:
    wire = b"".join(map(encoded, answers))
    whole = AnswerReader().feed(wire)
    reader = AnswerReader()
    pieces = [a for i in range(0, len(wire), step) for a in reader.feed(wire[i : i + step])]

    assert whole == answers
    assert pieces == answers


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_junk_is_dropped_and_the_next_answers_are_understood(junk: bytes) -> None:
    """Seven answers later at the latest: what junk began is broken off by then."""
    reader = AnswerReader()
    reader.feed(junk)
    heard = list(itertools.chain.from_iterable(reader.feed(b"\x12") for _ in range(7)))

    assert heard[-1:] == [StatusByte(0x12)]
    assert len(heard) >= 6


@pytest.mark.parametrize("cause", sorted(set(Cause) - {Cause.NO_ANSWER, Cause.HOST_BLOCKED}))
def test_every_condition_is_in_the_report_and_alone(cause: Cause) -> None:
    report = status.encode_report(frozenset({cause}))

    assert len(report) == 4
    assert status.decode_report(report) == {cause}


@pytest.mark.parametrize("bit", range(8))
def test_one_wrong_bit_never_makes_a_token_of_a_status_answer(bit: int) -> None:
    """A token is what proves a paper: noise on the line must not be able to forge one."""
    for number, causes in itertools.product((1, 2, 3, 4), [frozenset(), frozenset(Cause)]):
        answer = status.encode(number, frozenset(causes)) ^ 1 << bit
        assert not status.is_sync_byte(answer)


def test_the_setting_offers_exactly_the_profiles_that_exist() -> None:
    (choices,) = (s.choices for s in SETTINGS if s.name == "printer.profile")

    assert set(choices) == set(PROFILES)
