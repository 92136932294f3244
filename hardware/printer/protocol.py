"""The talk with a printer, without any port: bytes in, bytes out, deadlines by `tick`.

Two conversations, never at once on one wire: a `StatusRound` (is it well?) and a `PrintJob`
(preflight, chunks with a question between, the cut, a token). Times are seconds of any
monotonic clock. Rules of the verdict:

- printed: the printer answered the token that follows the cut (or, where a model has no such
  answer, it is well after the longest honest time for that paper);
- failed: the last chunk, which ends in the cut, was never sent: no complete paper can exist;
- unknown: the cut was sent and nobody can say what came of it.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

from hardware.printer import commands, status
from hardware.printer.answers import Answer, AnswerReader, Echo, StatusByte, TokenByte
from hardware.printer.profiles import LINE_DOTS, Profile, Sync
from hardware.printer.status import Cause
from municipio.devices import PrintResult, PrintVerdict

ANSWER_S = 0.4
"""A printer answers in a few ms; more than this is silence."""
TRIES = 2
CHUNK_BYTES = 1000
PATIENCE_S = 10.0
"""How long a hot head or a passing offline may hold a job up before it fails."""
SYNC_MARGIN_S = 3.0
SYNC_POLL_S = 0.25
JOB_MAX_S = 180.0
BARRIER_S = 4.0
BARRIER_QUIET_S = 0.8


class StatusRound:
    """Asks DLE EOT 1 to 4, one at a time, because answers do not say which question they answer.

    `result` is None until the round is over.
    """

    def __init__(
        self, numbers: tuple[int, ...] = status.STATUS_NUMBERS, *, behind_s: float = 0.0
    ) -> None:
        self._numbers = numbers
        self._behind_s = behind_s
        """Time that bytes sent before the first question still spend on the wire."""
        self._index = 0
        self._tries = 0
        self._deadline: float | None = None
        self._causes: frozenset[Cause] = frozenset()
        self._reader = AnswerReader()
        self.result: frozenset[Cause] | None = None
        self.heard = False

    def feed(self, data: bytes, now: float) -> None:
        """Bytes from the printer; junk is dropped."""
        for answer in self._reader.feed(data):
            self.hear(answer)

    def hear(self, answer: Answer) -> None:
        if self.result is None and self._deadline is not None and isinstance(answer, StatusByte):
            self.heard = True
            self._causes |= status.decode(self._numbers[self._index], answer.byte)
            self._next_question()

    def tick(self, now: float) -> bytes:
        """What to send now, perhaps nothing."""
        if self.result is not None:
            return b""
        if self._deadline is not None and now < self._deadline:
            return b""
        if self._tries == TRIES:
            self.result = self._causes | {Cause.NO_ANSWER}
            return b""
        self._tries += 1
        self._deadline = now + ANSWER_S + self._behind_s
        return commands.ask_status(self._numbers[self._index])

    def _next_question(self) -> None:
        self._index += 1
        self._tries = 0
        self._behind_s = 0.0
        self._deadline = None
        if self._index == len(self._numbers):
            self.result = self._causes


class _Phase(Enum):
    PREFLIGHT = auto()
    BARRIER = auto()
    SENDING = auto()
    BETWEEN = auto()
    WAITING = auto()
    SYNC = auto()
    DONE = auto()


_ASKING = (_Phase.PREFLIGHT, _Phase.BETWEEN, _Phase.SYNC)


class PrintJob:
    """One paper on its way out. Drive it with `tick` and `feed` until `result` is not PENDING.

    `owed`: tokens of earlier jobs that were never answered. A printer that gets paper again may
    answer them late, so such a job first waits behind a token of its own until the line is quiet:
    an old answer must never prove a new paper. `letters`: four that no other job has, for
    printers that send them back.
    """

    def __init__(
        self,
        rendered: bytes,
        profile: Profile,
        baud: int,
        *,
        owed: int = 0,
        letters: bytes = b"0000",
    ) -> None:
        assert rendered, "nothing to print"
        self._chunks = commands.chunks(rendered, CHUNK_BYTES)
        self._phase = _Phase.PREFLIGHT
        self._profile = profile
        self._letters = letters
        self._reader = AnswerReader()
        self._round = StatusRound(profile.status)
        self._sent = 0
        self._baud = baud
        self._unprinted: deque[tuple[float, int]] = deque()
        """(when it will be on paper, bytes) of what was sent, oldest first: a guess."""
        self.owed = owed if profile.sync is Sync.GS_R else 0
        self._quiet_at = 0.0
        self._started: float | None = None
        self._again_at = 0.0
        self._sync_by = 0.0
        self._budget_s = print_seconds(rendered, profile, baud) + SYNC_MARGIN_S
        self.result = PrintResult(PrintVerdict.PENDING)
        self.causes: frozenset[Cause] | None = None
        """Newest whole status heard during the job."""

    @property
    def is_done(self) -> bool:
        return self._phase is _Phase.DONE

    @property
    def cleanup(self) -> bytes:
        """What takes the rest of a failed paper out of the printer's memory."""
        stuck = self.result.cause not in ("", Cause.NO_ANSWER)
        failed = self.result.verdict is PrintVerdict.FAILED
        return commands.CLEAR_BUFFER if self._sent and (failed or stuck) else b""

    @property
    def cut_sent(self) -> bool:
        """From here on a complete paper may exist."""
        return self._sent == len(self._chunks)

    def feed(self, data: bytes, now: float) -> None:
        """Bytes from the printer; junk is dropped."""
        for answer in self._reader.feed(data):
            if not self.is_done:
                self._hear(answer, now)

    def _hear(self, answer: Answer, now: float) -> None:
        match answer:
            case TokenByte() if self._phase is _Phase.BARRIER:
                self.owed = max(0, self.owed - 1)
                self._quiet_at = now + (BARRIER_QUIET_S if self.owed else 0)
            case TokenByte() if self.cut_sent and self._profile.sync is Sync.GS_R:
                self.owed = 0
                self._finish(PrintVerdict.PRINTED)
            case Echo(letters) if self.cut_sent and letters == self._letters:
                self._finish(PrintVerdict.PRINTED)
            case StatusByte() if self._phase in _ASKING:
                self._round.hear(answer)
            case _:
                pass

    def tick(self, now: float) -> bytes:
        """What to send now, perhaps nothing. After sending, call again when it has left."""
        if self._started is None:
            self._started = now
        if self.is_done:
            return b""
        if now - self._started > JOB_MAX_S + self._budget_s:
            self._stop(Cause.NO_ANSWER)
            return b""
        if self._phase is _Phase.SENDING:
            return self._send(now)
        if self._phase is _Phase.BARRIER:
            return self._pass_barrier(now)
        if self._phase is _Phase.WAITING:
            return self._wait(now)
        asked = self._round.tick(now)
        if self._round.result is None:
            return asked
        return self._judge(self._round.result, now)

    def broken(self, cause: Cause) -> None:
        """The port blocked or vanished: what was being sent may have left in part."""
        if not self.is_done:
            self._stop(cause)

    def _judge(self, causes: frozenset[Cause], now: float) -> bytes:
        if self._sent and self._profile.offline_while_printing:
            causes -= {Cause.OFFLINE}
        self.causes = causes
        cause = status.blocking(causes)
        if self._phase is _Phase.SYNC:
            return self._judge_sync(cause, now)
        if cause is None and self.owed and not self._sent:
            self._phase, self._again_at = _Phase.BARRIER, now + BARRIER_S
            self.owed += 1
            return commands.INIT + commands.ASK_SYNC
        if cause is None:
            self._phase = _Phase.SENDING
            return self._send(now)
        assert self._started is not None
        if cause in status.PASSING and now - self._started < PATIENCE_S:
            self._phase, self._again_at = _Phase.WAITING, now + SYNC_POLL_S
            return b""
        self._stop(cause)
        return b""

    def _judge_sync(self, cause: Cause | None, now: float) -> bytes:
        if cause is not None and cause not in status.PASSING:
            self._stop(cause)
        elif cause is None and self._profile.sync is Sync.NONE and now >= self._printed_by:
            self._finish(PrintVerdict.PRINTED)
        elif now >= self._sync_by:
            self._stop(cause or Cause.NO_ANSWER)
        else:
            self._phase, self._again_at = _Phase.WAITING, now + SYNC_POLL_S
        return b""

    @property
    def _printed_by(self) -> float:
        """When the last byte sent must be on paper at the slowest honest speed."""
        return self._sync_by - SYNC_MARGIN_S

    def _pass_barrier(self, now: float) -> bytes:
        if self._quiet_at and now >= self._quiet_at:
            self.owed = 0
            self._phase = _Phase.SENDING
            return self._send(now)
        if now >= self._again_at:
            self._stop(Cause.NO_ANSWER)
        return b""

    def _wait(self, now: float) -> bytes:
        if now < self._again_at:
            return b""
        self._round = StatusRound(self._profile.status)
        self._phase = _Phase.SYNC if self.cut_sent else _Phase.BETWEEN
        return self._round.tick(now)

    def _send(self, now: float) -> bytes:
        chunk = self._chunks[self._sent]
        if not self._has_room(len(chunk), now):
            self._phase, self._again_at = _Phase.WAITING, now + SYNC_POLL_S
            return b""
        before = commands.ASB_OFF if self._profile.asb and not self._sent else b""
        wire_s = len(chunk) * 10 / self._baud
        self._sent += 1
        self._will_be_printed(chunk, now + wire_s)
        if self.cut_sent:
            self._phase, self._sync_by = _Phase.SYNC, now + self._budget_s
            self._round = StatusRound(self._profile.status, behind_s=wire_s)
            self.owed += self._profile.sync is Sync.GS_R
            return before + chunk + self._token()
        self._phase = _Phase.BETWEEN
        numbers = tuple(n for n in (1, 2) if n in self._profile.status)
        self._round = StatusRound(numbers, behind_s=wire_s)
        return before + chunk

    def _token(self) -> bytes:
        match self._profile.sync:
            case Sync.GS_R:
                return commands.ASK_SYNC
            case Sync.PROCESS_ID:
                return commands.ask_echo(self._letters)
            case Sync.NONE:
                return b""

    def _has_room(self, size: int, now: float) -> bool:
        """True when the printer's buffer surely takes that much more.

        Many cables carry no flow control: what does not fit is lost without a word.
        """
        while self._unprinted and self._unprinted[0][0] <= now:
            self._unprinted.popleft()
        waiting = sum(held for _, held in self._unprinted)
        return not waiting or waiting + size <= self._profile.buffer_bytes

    def _will_be_printed(self, chunk: bytes, arrived: float) -> None:
        begins = max(arrived, self._unprinted[-1][0] if self._unprinted else 0.0)
        self._unprinted.append((begins + paper_seconds(chunk, self._profile), len(chunk)))

    def _stop(self, cause: Cause) -> None:
        verdict = PrintVerdict.UNKNOWN if self.cut_sent else PrintVerdict.FAILED
        self._finish(verdict, cause.value)

    def _finish(self, verdict: PrintVerdict, cause: str = "") -> None:
        self._phase = _Phase.DONE
        self.result = PrintResult(verdict, cause)


def print_seconds(rendered: bytes, profile: Profile, baud: int) -> float:
    """Longest honest time for a paper: the wire and then the paper, one after the other."""
    return len(rendered) * 10 / baud + paper_seconds(rendered, profile) + 30 / profile.speed_mm_s


def paper_seconds(rendered: bytes, profile: Profile) -> float:
    """Longest honest time for the mechanism alone; half as much again for lines of double height."""
    dots = 0.0
    for token in commands.Lexer().feed(rendered):
        if token.name == "LF":
            dots += LINE_DOTS * 1.5
        elif token.name == "GS v":
            dots += int.from_bytes(token.raw[6:8], "little")
        elif token.name in ("GS (", "GS k"):
            dots += 350
        elif token.name == "ESC J":
            dots += token.args[0]
    return dots / profile.dots_per_mm / profile.speed_mm_s
