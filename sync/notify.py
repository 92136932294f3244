"""Telling systemd that a program is ready and still alive (sd_notify): one datagram on a Unix socket.

Ours rather than a library: the protocol is a line of text and has been stable since 2010, Debian's
python3-systemd is not seen from a virtual environment, and what is on PyPI (sdnotify, 2017) is this
same page of code. Without a supervisor every call does nothing, so programs need not ask.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable, MutableMapping

BEATS_PER_LIMIT = 3
"""How often a program beats within the time after which the supervisor gives it up."""


class Supervisor:
    """`address` is systemd's socket, empty for none; `limit_s` its WatchdogSec, 0 for no watchdog."""

    def __init__(self, address: str = "", limit_s: float = 0.0) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.limit_s = limit_s if address else 0.0

    @property
    def beat_s(self) -> float:
        """Seconds between two beats; 0: nobody listens for them."""
        return self.limit_s / BEATS_PER_LIMIT

    def ready(self) -> None:
        """The program does its work from now on; a watchdog counts from here."""
        self._say("READY=1")

    def alive(self) -> None:
        if self.limit_s:
            self._say("WATCHDOG=1")

    def stopping(self) -> None:
        """An orderly end takes its time."""
        self._say("STOPPING=1")

    def _say(self, line: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.settimeout(1.0)
            out.sendto(line.encode(), self._address)


def supervisor(environ: MutableMapping[str, str] = os.environ, pid: int = 0) -> Supervisor:
    """Who started this process. Takes the words out of the environment: children must not speak."""
    address = environ.pop("NOTIFY_SOCKET", "")
    usec = environ.pop("WATCHDOG_USEC", "")
    mine = environ.pop("WATCHDOG_PID", "") in ("", str(pid or os.getpid()))
    limit_s = int(usec) / 1e6 if mine and usec.isascii() and usec.isdigit() else 0.0
    return Supervisor(address, limit_s)


class Pulse:
    """A thread that asks the program for a proof of life and beats only while it gets one.

    `proof` may take its time and may raise: either is a program that does not answer. The first proof
    is what makes the program ready. Where nobody listens, the thread ends after it.
    """

    def __init__(
        self, listener: Supervisor, proof: Callable[[], bool], first_s: float = 0.1
    ) -> None:
        self._listener = listener
        self._proof = proof
        self._first_s = first_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Tells the supervisor of an orderly end."""
        self._stop.set()
        self._listener.stopping()

    def _run(self) -> None:
        while not self._stop.is_set() and not self._proves():
            self._stop.wait(self._first_s)
        if self._stop.is_set():
            return
        self._listener.ready()
        while self._listener.beat_s and not self._stop.wait(self._listener.beat_s):
            if self._proves():
                self._listener.alive()

    def _proves(self) -> bool:
        with contextlib.suppress(Exception):
            return self._proof()
        return False
