"""The talk with a printer: silence is never health, and a verdict never says more than is known."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.printer import commands, status
from hardware.printer.escpos_lines import render_lines
from hardware.printer.profiles import PROFILES
from hardware.printer.protocol import PrintJob, StatusRound
from hardware.printer.status import Cause
from hardware.printer.strip import technician_strip
from municipio.devices import PrintResult, PrintVerdict

WIDE = PROFILES["generic-80"]
RENDERED = render_lines(technician_strip(WIDE), WIDE)
WELL: frozenset[Cause] = frozenset()


class Far:
    """The printer's side as a rule: what it answers to each thing that it hears."""

    def __init__(self, causes: Callable[[int], frozenset[Cause]] = lambda n: WELL) -> None:
        self.causes = causes
        self.heard = b""
        self.answers_sync = True
        self.junk = b""

    def hear(self, data: bytes) -> bytes:
        reply = self.junk
        for token in commands.Lexer().feed(data):
            if token.name == "DLE 04":
                number = token.args[0]
                reply += bytes((status.encode(number, self.causes(len(self.heard))),))
            elif token.name == "GS a":
                continue
            elif token.name == "GS r":
                reply += b"\x00" if self.answers_sync else b""
            else:
                self.heard += token.raw
        return reply


def run(job: PrintJob, far: Far, *, mute_after: int | None = None) -> PrintResult:
    """Play both sides on an invented clock until the verdict."""
    now = 0.0
    for _ in itertools.count():
        out = job.tick(now)
        reply = far.hear(out) if out else b""
        silent = mute_after is not None and len(far.heard) >= mute_after
        for byte in b"" if silent else reply:
            job.feed(bytes((byte,)), now)
        now += 0.05
        if job.is_done:
            return job.result
        assert now < 600, "a job always ends"
    raise AssertionError


def job() -> PrintJob:
    return PrintJob(RENDERED, WIDE, 115200)


def test_a_paper_is_printed_when_the_token_after_its_cut_comes_back() -> None:
    far = Far()

    assert run(job(), far) == PrintResult(PrintVerdict.PRINTED)
    assert far.heard == RENDERED


def test_a_silent_printer_gets_not_one_byte_of_the_paper() -> None:
    far = Far()

    result = run(job(), far, mute_after=0)

    assert result == PrintResult(PrintVerdict.FAILED, "no_answer")
    assert far.heard == b""


@pytest.mark.parametrize(
    "cause", [Cause.PAPER_END, Cause.COVER_OPEN, Cause.CUTTER, Cause.UNRECOVERABLE]
)
def test_a_fault_before_the_first_byte_is_a_failure_with_its_cause(cause: Cause) -> None:
    far = Far(lambda n: frozenset({cause, Cause.OFFLINE}))

    assert run(job(), far) == PrintResult(PrintVerdict.FAILED, cause.value)
    assert far.heard == b""


def test_paper_that_ends_between_chunks_is_a_failure_because_no_cut_was_sent() -> None:
    far = Far(lambda n: frozenset({Cause.PAPER_END}) if n else WELL)
    talk = job()

    assert run(talk, far) == PrintResult(PrintVerdict.FAILED, "paper_end")
    assert commands.PART_CUT not in far.heard
    assert talk.cleanup == commands.CLEAR_BUFFER


@pytest.mark.parametrize(
    ("causes", "told"),
    [(frozenset({Cause.PAPER_END}), "paper_end"), (WELL, "no_answer")],
)
def test_after_the_cut_was_sent_only_the_token_proves_that_it_printed(
    causes: frozenset[Cause], told: str
) -> None:
    far = Far(lambda n: causes if n == len(RENDERED) else WELL)
    far.answers_sync = False

    assert run(job(), far) == PrintResult(PrintVerdict.UNKNOWN, told)


def test_near_the_end_of_the_roll_it_still_prints() -> None:
    far = Far(lambda n: frozenset({Cause.PAPER_NEAR_END}))

    assert run(job(), far).verdict is PrintVerdict.PRINTED


def test_a_hot_head_is_waited_for() -> None:
    calls = itertools.count()
    far = Far(lambda n: frozenset({Cause.AUTO_RECOVERABLE}) if next(calls) < 8 else WELL)

    assert run(job(), far).verdict is PrintVerdict.PRINTED


def test_a_port_that_breaks_before_the_cut_is_a_failure_and_after_it_unknown() -> None:
    early, late = job(), job()
    early.tick(0)
    early.broken(Cause.HOST_BLOCKED)
    far = Far()
    far.answers_sync = False
    now = 0.0
    while not late.cut_sent:
        late.feed(far.hear(late.tick(now)), now)
        now += 0.05
    late.broken(Cause.NO_ANSWER)

    assert early.result == PrintResult(PrintVerdict.FAILED, "host_blocked")
    assert late.result == PrintResult(PrintVerdict.UNKNOWN, "no_answer")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=20).filter(lambda j: not any(status.is_status_byte(b) for b in j)))
def test_junk_on_the_line_changes_no_status(junk: bytes) -> None:
    far = Far(lambda n: frozenset({Cause.COVER_OPEN}))
    far.junk = junk
    talk = StatusRound()
    now = 0.0
    while talk.result is None:
        talk.feed(far.hear(talk.tick(now)), now)
        now += 0.05

    assert talk.result == {Cause.COVER_OPEN}


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=30), max_size=40))
def test_whatever_bytes_arrive_a_job_ends_in_bounded_time(noise: list[bytes]) -> None:
    talk = job()
    now = 0.0
    for data in itertools.chain(noise, itertools.repeat(b"")):
        talk.tick(now)
        talk.feed(data, now)
        now += 0.5
        if talk.is_done:
            break
        assert now < 400

    assert talk.result.verdict is not PrintVerdict.PENDING


@pytest.mark.parametrize(
    ("number", "byte", "causes"),
    [
        (1, 0x12, set()),
        (1, 0x1A, {Cause.OFFLINE}),
        (2, 0x16, {Cause.COVER_OPEN}),
        (2, 0x32, {Cause.PAPER_END}),
        (3, 0x1A, {Cause.CUTTER}),
        (3, 0x32, {Cause.UNRECOVERABLE}),
        (3, 0x52, {Cause.AUTO_RECOVERABLE}),
        (4, 0x1E, {Cause.PAPER_NEAR_END}),
        (4, 0x7E, {Cause.PAPER_NEAR_END, Cause.PAPER_END}),
    ],
)
def test_status_bytes_read_as_the_makers_tables_say(
    number: int, byte: int, causes: set[Cause]
) -> None:
    assert status.decode(number, byte) == causes
    assert status.decode(number, status.encode(number, frozenset(causes))) == causes


def test_no_answer_to_a_status_question_can_be_taken_for_the_token() -> None:
    assert not any(status.is_sync_byte(b) and status.is_status_byte(b) for b in range(256))


def test_a_late_token_of_an_earlier_paper_never_proves_a_new_one() -> None:
    far = Far()
    far.answers_sync = False
    first = job()
    lost = run(first, far)
    second = PrintJob(RENDERED, WIDE, 115200, owed=first.owed)
    now, sent = 0.0, b""
    while not second.is_done:
        out = second.tick(now)
        sent += out
        reply = far.hear(out) if out else b""
        if out.endswith(commands.INIT + commands.ASK_SYNC):
            reply += b"\x00\x00"
        second.feed(reply, now)
        now += 0.05

    assert lost.verdict is PrintVerdict.UNKNOWN
    assert first.owed == 1
    assert RENDERED[:100] in sent
    assert second.result == PrintResult(PrintVerdict.UNKNOWN, "no_answer")


def test_a_token_that_is_owed_for_ever_costs_a_moment_and_no_paper() -> None:
    assert run(PrintJob(RENDERED, WIDE, 115200, owed=1), Far()).verdict is PrintVerdict.PRINTED
