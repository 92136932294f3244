"""The talk with a printer, without any port: bytes in, bytes out, deadlines by `tick`.

Two conversations, never at once on one wire: a `StatusRound` (is it well?) and a `PrintJob`
(preflight, chunks with a question between, the cut, a token). Times are seconds of any
monotonic clock. Rules of the verdict:

- printed: the printer answered the token that follows the cut;
- failed: the last chunk, which ends in the cut, was never sent: no complete paper can exist;
- unknown: the cut was sent and nobody can say what came of it.
"""

from __future__ import annotations

from enum import Enum, auto

from hardware.printer import commands, status
from hardware.printer.profiles import Profile
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
_MM_PER_LINE = 3.75


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
        self.result: frozenset[Cause] | None = None
        self.heard = False

    def feed(self, data: bytes, now: float) -> None:
        """Bytes from the printer; junk is dropped."""
        for byte in data:
            if self.result is None and self._deadline is not None and status.is_status_byte(byte):
                self.heard = True
                self._causes |= status.decode(self._numbers[self._index], byte)
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


class PrintJob:
    """One paper on its way out. Drive it with `tick` and `feed` until `result` is not PENDING.

    `owed`: tokens of earlier jobs that were never answered. A printer that gets paper again may
    answer them late, so such a job first waits behind a token of its own until the line is quiet:
    an old answer must never prove a new paper.
    """

    def __init__(self, rendered: bytes, profile: Profile, baud: int, *, owed: int = 0) -> None:
        assert rendered, "nothing to print"
        self._chunks = commands.chunks(rendered, CHUNK_BYTES)
        self._phase = _Phase.PREFLIGHT
        self._round = StatusRound()
        self._sent = 0
        self._baud = baud
        self.owed = owed
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
        if self.is_done:
            return
        tokens = sum(status.is_sync_byte(b) for b in data)
        if self._phase is _Phase.BARRIER and tokens:
            self.owed = max(0, self.owed - tokens)
            self._quiet_at = now + (BARRIER_QUIET_S if self.owed else 0)
        elif self.cut_sent and tokens:
            self.owed = 0
            self._finish(PrintVerdict.PRINTED)
        elif self._phase in (_Phase.PREFLIGHT, _Phase.BETWEEN, _Phase.SYNC):
            self._round.feed(data, now)

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
        elif now >= self._sync_by:
            self._stop(cause or Cause.NO_ANSWER)
        else:
            self._phase, self._again_at = _Phase.WAITING, now + SYNC_POLL_S
        return b""

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
        self._round = StatusRound()
        self._phase = _Phase.SYNC if self.cut_sent else _Phase.BETWEEN
        return self._round.tick(now)

    def _send(self, now: float) -> bytes:
        chunk = self._chunks[self._sent]
        self._sent += 1
        if self.cut_sent:
            self._phase, self._sync_by = _Phase.SYNC, now + self._budget_s
            self._round = StatusRound(behind_s=len(chunk) * 10 / self._baud)
            self.owed += 1
            return chunk + commands.ASK_SYNC
        self._phase = _Phase.BETWEEN
        self._round = StatusRound((1, 2), behind_s=len(chunk) * 10 / self._baud)
        return chunk

    def _stop(self, cause: Cause) -> None:
        verdict = PrintVerdict.UNKNOWN if self.cut_sent else PrintVerdict.FAILED
        self._finish(verdict, cause.value)

    def _finish(self, verdict: PrintVerdict, cause: str = "") -> None:
        self._phase = _Phase.DONE
        self.result = PrintResult(verdict, cause)


def print_seconds(rendered: bytes, profile: Profile, baud: int) -> float:
    """Longest honest time for a paper: the wire and then the paper, one after the other."""
    dots = 0
    lines = 0
    for token in commands.Lexer().feed(rendered):
        if token.name == "LF":
            lines += 1
        elif token.name == "GS v":
            dots += int.from_bytes(token.raw[6:8], "little")
        elif token.name in ("GS (", "GS k"):
            dots += 120
    paper_mm = lines * _MM_PER_LINE * 1.5 + dots / 8 + 30
    return len(rendered) * 10 / baud + paper_mm / profile.speed_mm_s
