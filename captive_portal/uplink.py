"""Is there an Internet behind this node, asked of the way out itself, every three seconds.

The city's answer alone does not tell: its server may be down while the Internet works, and a silent
cable takes longer than a visitor waits. Two failed rounds in a row mean down; an interface without a
carrier means down at once: never more than ten seconds after the cut.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from municipio.clock import Clock
from municipio.facts import format_time
from municipio.usecases.ports import Link, LinkReport, LinkState

EVERY_S, AGAIN_S, PATIENCE_S = 3.0, 1.0, 2.0
"""Between rounds, after a failed one, and for the answers of one round: 3 + 2 + 1 + 2 = 8 s at most."""
ROUNDS_TO_BELIEVE = 2
_RESOLVE_AGAIN_S = 600.0


def has_carrier(interface: str) -> bool | None:
    """What the kernel says of a cable or radio link; None when it does not say."""
    try:
        text = Path(f"/sys/class/net/{interface}/operstate").read_text("ascii").strip()
    except OSError:
        return None
    return {"up": True, "down": False, "lowerlayerdown": False, "notpresent": False}.get(text)


def any_answers(addresses: Sequence[tuple[str, int]], patience_s: float) -> bool:
    """True as soon as one of them takes a TCP connection; all are asked at once."""
    with contextlib.ExitStack() as stack:
        waiting = stack.enter_context(selectors.DefaultSelector())
        for host, port in addresses:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            peer = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
            peer.setblocking(False)
            with contextlib.suppress(OSError):
                peer.connect_ex((host, port))
                waiting.register(peer, selectors.EVENT_WRITE)
        until = time.monotonic() + patience_s
        while waiting.get_map() and (left := until - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                peer = key.fileobj  # type: ignore[assignment]  # only sockets were registered
                if peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    return True
                waiting.unregister(peer)
    return False


class Targets:
    """`host:port` texts and their addresses. Names are resolved beside the rounds, never inside one."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._known: dict[str, tuple[tuple[str, int], ...]] = {}
        self._asked: dict[str, float] = {}
        self._lock = threading.Lock()
        for text in texts:
            host, _, port = text.rpartition(":")
            with contextlib.suppress(OSError):
                flags = socket.AI_NUMERICHOST
                found = socket.getaddrinfo(host.strip("[]"), int(port), flags=flags)
                self._known[text] = ((str(found[0][4][0]), int(port)),)
        self._names = [text for text in texts if text not in self._known]

    def addresses(self) -> tuple[tuple[str, int], ...]:
        now = time.monotonic()
        for text in self._names:
            if now - self._asked.get(text, -_RESOLVE_AGAIN_S) >= (
                _RESOLVE_AGAIN_S if text in self._known else EVERY_S
            ):
                self._asked[text] = now
                threading.Thread(target=self._resolve, args=(text,), daemon=True).start()
        with self._lock:
            return tuple(a for found in self._known.values() for a in found)

    def _resolve(self, text: str) -> None:
        host, _, port = text.rpartition(":")
        with contextlib.suppress(OSError):
            found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM)
            fresh = tuple((str(entry[4][0]), int(port)) for entry in found[:4])
            with self._lock:
                self._known[text] = fresh


class UplinkWatch:
    """A `Link` that knows about the Internet itself; what waits for the city is `link`'s to say."""

    def __init__(
        self,
        link: Link,
        clock: Clock,
        targets: Sequence[str],
        interface: str = "",
        *,
        carrier: Callable[[str], bool | None] = has_carrier,
        answers: Callable[[Sequence[tuple[str, int]], float], bool] = any_answers,
    ) -> None:
        self._link = link
        self._clock = clock
        self._targets = Targets(targets)
        self._has_targets = bool(targets)
        self._interface = interface
        self._carrier = carrier
        self._answers = answers
        self._state = LinkState.UNKNOWN
        self._since = ""
        self._failed = 0
        self._stopping = threading.Event()

    def report(self) -> LinkReport:
        """The uplink's state as last seen; before the first round, the city's."""
        city = self._link.report()
        if self._state is LinkState.UNKNOWN:
            return city
        return LinkReport(
            self._state, city.waiting, city.last_carried, self._since, requests=city.requests
        )

    def look(self) -> float:
        """One round; how long to wait until the next."""
        if self._interface and self._carrier(self._interface) is False:
            self._become(LinkState.OFFLINE)
            return AGAIN_S
        if not self._has_targets:
            self._become(LinkState.UNKNOWN)
            return EVERY_S
        if self._answers(self._targets.addresses(), PATIENCE_S):
            self._failed = 0
            self._become(LinkState.ONLINE)
            return EVERY_S
        self._failed += 1
        if self._failed >= ROUNDS_TO_BELIEVE or self._state is LinkState.UNKNOWN:
            self._become(LinkState.OFFLINE)
        return AGAIN_S

    def run(self) -> None:
        """Rounds until `stop`."""
        while not self._stopping.is_set():
            self._stopping.wait(self.look())

    def start(self) -> None:
        threading.Thread(target=self.run, name="uplink", daemon=True).start()

    def stop(self) -> None:
        self._stopping.set()

    def _become(self, state: LinkState) -> None:
        if state is self._state:
            return
        now = self._clock.now()
        self._since = format_time(now.time) if now.is_trusted and now.time is not None else ""
        self._state = state
