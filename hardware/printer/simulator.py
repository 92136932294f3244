"""A receipt printer that is not there: it eats the same bytes, and keeps every paper as files.

It is the model of its profile: what that one does not answer, it does not answer. It hangs on a
pty, on TCP or on a simulated USB (`wire`). Two threads like in the real thing: the interface
answers status at once, the mechanism prints what is in the buffer when it can. Controls may be
called from any thread, in the middle of a print. Papers are `NNNN.bin`, `NNNN.txt` and `NNNN.png`,
the picture last; a piece torn off before its end is `NNNN-parcial.*` and is no receipt.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hardware.printer import answers, status, virtual_picture
from hardware.printer.commands import Lexer, Token
from hardware.printer.profiles import PROFILES, Profile, Sync
from hardware.printer.status import Cause
from hardware.printer.virtual_paper import Sheet, VirtualPaper
from hardware.transport.port import FarEnd
from hardware.transport.pty_end import PtyEnd

ROLL_MM = 50_000.0
NEAR_END_MM = 3_000.0
BUFFER_BYTES = 64 * 1024
_STOPPERS = frozenset({Cause.CUTTER, Cause.UNRECOVERABLE, Cause.AUTO_RECOVERABLE})


PACE_BYTES = 32
"""At a paced wire bytes arrive in parts this small, so that answers come when they would."""


class PrinterSimulator:
    """A printer with `paper_mm` of paper.

    `speed_mm_s` 0 prints in no time; 100 is a real one. `baud` 0 is a wire that takes no time.
    `wire` is `pty`, `tcp` or `usb`; for USB a driver needs `usb_backend` beside the path.
    Without `pictures` the papers are kept as bytes and text only.
    """

    def __init__(
        self,
        out_dir: Path,
        profile: Profile = PROFILES["generic-80"],
        *,
        paper_mm: float = ROLL_MM,
        speed_mm_s: float = 0.0,
        baud: int = 0,
        wire: str = "pty",
        pictures: bool = True,
    ) -> None:
        self.out_dir = out_dir
        self._profile = profile
        self._speed_mm_s = speed_mm_s
        self._baud = baud
        self._pictures = pictures
        self._paper_mm = paper_mm
        self._reports = False
        self._reported: frozenset[Cause] = frozenset()
        self._busy = False
        self._cover_open = False
        self._silent = False
        self._blocked = False
        self._faults: frozenset[Cause] = frozenset()
        self._lexer = Lexer()
        self._paper = VirtualPaper(profile)
        self._buffer: deque[Token] = deque()
        self._buffered = 0
        self._clear_asked = False
        self._change = threading.Condition()
        self._closing = False
        self._files = threading.Lock()
        self._end = _far_end(wire, self._arrive, self._has_room)
        self._mechanism = threading.Thread(target=self._print, name="printer-sim", daemon=True)

    def open(self) -> str:
        """Plug in; returns the path that a driver opens."""
        self.out_dir.mkdir(parents=True, exist_ok=True)
        if not self._mechanism.is_alive():
            self._mechanism.start()
        return self._end.open()

    def link(self, path: Path) -> None:
        """A name for the port that stays the same when the cable is pulled and put back."""
        assert isinstance(self._end, PtyEnd), "only a serial port has a path"
        self._end.link(path)

    @property
    def usb_backend(self) -> Any:
        """What a driver needs to find a simulated USB device; None on other wires."""
        return getattr(self._end, "backend", None)

    def close(self) -> None:
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._end.close()
        if self._mechanism.is_alive():
            self._mechanism.join(timeout=10)

    def paper_out(self) -> None:
        self.set_paper(0)

    def set_paper(self, left_mm: float) -> None:
        """As much paper as this is left on the roll: print on, and it ends where it ends."""
        with self._change:
            self._paper_mm = left_mm
            self._changed()

    def load_paper(self, roll_mm: float = ROLL_MM) -> None:
        """A new roll: what hung out of the printer comes off with the old one."""
        with self._change:
            torn = self._paper.tear()
            self._paper_mm = roll_mm
            self._changed()
        if torn is not None:
            self._keep(torn)

    def open_cover(self) -> None:
        self._set(cover_open=True)

    def close_cover(self) -> None:
        self._set(cover_open=False)

    def silence(self) -> None:
        """Off: it hears nothing, answers nothing and forgets its buffer."""
        self._set(silent=True)

    def speak(self) -> None:
        self._set(silent=False)

    def block(self) -> None:
        """Holds flow control: bytes are not taken."""
        self._set(blocked=True)

    def unblock(self) -> None:
        self._set(blocked=False)

    def fault(self, cause: str) -> None:
        """`cutter`, `unrecoverable` or `auto_recoverable`."""
        wanted = Cause(cause)
        if wanted not in _STOPPERS:
            raise ValueError(f"«{cause}» is not a fault of the mechanism")
        with self._change:
            self._faults |= {wanted}
            self._changed()

    def clear_faults(self) -> None:
        with self._change:
            self._faults = frozenset()
            self._changed()

    def unplug(self) -> None:
        self._end.unplug()

    def replug(self) -> None:
        with self._change:
            self._lexer = Lexer()
        self._end.replug()

    def receipts(self) -> list[str]:
        """Stems of the whole papers so far, oldest first: `0001`, `0002`..."""
        return sorted(p.stem for p in self.out_dir.glob(f"[0-9]*{self._last}") if p.stem.isdigit())

    @property
    def _last(self) -> str:
        """The file that is written last: with it a paper is whole."""
        return ".png" if self._pictures else ".txt"

    def state(self) -> dict[str, object]:
        with self._change:
            return {
                "paper_mm": round(self._paper_mm, 1),
                "causes": sorted(self._causes()),
                "cover_open": self._cover_open,
                "silent": self._silent,
                "reports": self._reports,
                "blocked": self._blocked,
                "plugged": self._end.is_plugged,
                "buffered_bytes": self._buffered,
                "receipts": len(self.receipts()),
            }

    def _set(
        self,
        *,
        cover_open: bool | None = None,
        silent: bool | None = None,
        blocked: bool | None = None,
    ) -> None:
        with self._change:
            self._cover_open = self._cover_open if cover_open is None else cover_open
            self._blocked = self._blocked if blocked is None else blocked
            if silent is not None:
                self._silent = silent
                if silent:
                    self._reports = False
                    self._lexer = Lexer()
                    self._forget()
            self._changed()

    def _changed(self) -> None:
        """Tell the mechanism, and the host when it asked for reports. Holds the lock."""
        self._change.notify_all()
        causes = self._causes()
        if self._reports and not self._silent and causes != self._reported:
            self._report(causes)

    def _report(self, causes: frozenset[Cause]) -> None:
        self._reported = causes
        self._end.send(status.encode_report(causes))

    def _causes(self) -> frozenset[Cause]:
        causes = set(self._faults)
        if self._cover_open:
            causes.add(Cause.COVER_OPEN)
        if self._paper_mm <= 0:
            causes.add(Cause.PAPER_END)
        if self._paper_mm < NEAR_END_MM and self._profile.near_end:
            causes.add(Cause.PAPER_NEAR_END)
        if causes - {Cause.PAPER_NEAR_END}:
            causes.add(Cause.OFFLINE)
        if self._profile.offline_while_printing and self._busy:
            causes.add(Cause.OFFLINE)
        return frozenset(causes)

    def _has_room(self) -> bool:
        return not self._blocked and self._buffered < BUFFER_BYTES

    def _arrive(self, data: bytes) -> None:
        """Bytes from the wire, as fast as its baud rate lets them through."""
        if not self._baud:
            self._receive(data)
            return
        for at in range(0, len(data), PACE_BYTES):
            part = data[at : at + PACE_BYTES]
            time.sleep(len(part) * 10 / self._baud)
            self._receive(part)

    def _receive(self, data: bytes) -> None:
        """The interface: real-time commands now, the rest into the buffer."""
        with self._change:
            if self._silent:
                return
            for token in self._lexer.feed(data):
                if token.name == "DLE 04":
                    self._answer_status(token)
                elif token.name == "DLE 14" and token.args[:1] == b"\x08":
                    self._clear_asked = True
                    self._forget()
                else:
                    self._buffer.append(token)
                    self._buffered += len(token.raw)
            self._change.notify_all()

    def _answer_status(self, token: Token) -> None:
        number = token.args[0]
        if number in self._profile.status:
            self._end.send(bytes((status.encode(number, self._causes()),)))

    def _forget(self) -> None:
        self._buffer.clear()
        self._buffered = 0

    def _print(self) -> None:
        """The mechanism: one command after another, when there is paper and the cover is shut."""
        while True:
            with self._change:
                while not self._closing and not self._clear_asked and not self._can_print():
                    self._busy = False
                    self._change.wait(1.0)
                if self._closing:
                    return
                sheet, used_mm = self._next_step()
            if sheet is not None:
                self._keep(sheet)
            if self._speed_mm_s and used_mm > 0:
                time.sleep(used_mm / self._speed_mm_s)

    def _can_print(self) -> bool:
        return bool(self._buffer) and not self._stopped_by()

    def _stopped_by(self) -> frozenset[Cause]:
        return self._causes() & (status.BLOCKING - {Cause.OFFLINE})

    def _next_step(self) -> tuple[Sheet | None, float]:
        """One command or a clearing; the paper that fell, and how many mm of paper moved."""
        if self._clear_asked:
            self._clear_asked = False
            sheet = self._paper.tear()
            self._paper.reset()
            return sheet, 0.0
        token = self._buffer.popleft()
        self._buffered -= len(token.raw)
        self._busy = True
        if self._answered(token):
            return None, 0.0
        before = self._paper.used_dots
        sheet = self._paper.execute(token)
        after = sheet.height if sheet is not None else self._paper.used_dots
        used_mm = max(0, after - before) / self._profile.dots_per_mm
        self._paper_mm -= used_mm
        self._changed()
        return sheet, used_mm

    def _answered(self, token: Token) -> bool:
        """Questions that wait their turn among the data; they leave nothing on paper."""
        profile = self._profile
        if token.name == "GS r":
            if profile.sync is not Sync.NONE:
                near = 0x03 if Cause.PAPER_NEAR_END in self._causes() else 0
                self._end.send(bytes((near,)))
            return True
        if token.name == "GS a":
            self._reports = profile.asb and bool(token.args[0])
            if self._reports:
                self._report(self._causes())
            return True
        if token.name == "GS (" and token.args[:1] == b"H":
            if profile.sync is Sync.PROCESS_ID and token.args[3:5] == b"00":
                self._end.send(answers.encode_echo(token.args[5:9]))
            return True
        return False

    def _keep(self, sheet: Sheet) -> None:
        with self._files:
            self._write(sheet)

    def _write(self, sheet: Sheet) -> None:
        taken = [int(p.stem[:4]) for p in self.out_dir.glob(f"[0-9][0-9][0-9][0-9]*{self._last}")]
        stem = f"{max(taken, default=0) + 1:04d}{'' if sheet.whole else '-parcial'}"
        files = {".bin": sheet.raw, ".txt": sheet.text.encode()}
        if self._pictures:
            files[".png"] = virtual_picture.png(sheet, self._profile)
        for suffix, content in files.items():
            fresh = self.out_dir / f".{stem}{suffix}.new"
            fresh.write_bytes(content)
            fresh.replace(self.out_dir / f"{stem}{suffix}")


def _far_end(wire: str, take: Callable[[bytes], None], has_room: Callable[[], bool]) -> FarEnd:
    if wire == "tcp":
        from hardware.transport.tcp_end import TcpEnd

        return TcpEnd(take, wants_bytes=has_room, idle_s=0.05)
    if wire == "usb":
        from hardware.transport.usb_end import UsbEnd

        return UsbEnd(take, wants_bytes=has_room, idle_s=0.05)
    return PtyEnd(take, wants_bytes=has_room, idle_s=0.05)
