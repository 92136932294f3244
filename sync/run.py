"""The sync worker as a program: run until SIGTERM or SIGINT, then stop cleanly."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import PackageNotFoundError, version

from sync.datadir import DataDir
from sync.image import read_image
from sync.notify import Supervisor, supervisor
from sync.wiring import CannotStart, Memory, build_delivery, build_worker, open_memory


def run_worker(
    data: DataDir,
    beside: Callable[[Memory], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> CannotStart | None:
    """Run in this process's main thread; None after a clean stop, else why it could not start.

    `beside` lives while the worker does, on the same ledger.
    """
    listener = supervisor()
    memory = open_memory(data)
    if isinstance(memory, CannotStart):
        return memory
    try:
        delivery = build_delivery(memory)
        if isinstance(delivery, CannotStart):
            return delivery
        memory.ledger.note_start(_version())
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        listener.ready()
        with beside(memory):
            build_worker(memory, delivery).run(stop, _slowly(listener))
    finally:
        memory.close()
    return None


def _slowly(listener: Supervisor) -> Callable[[], None]:
    """The worker turns four times a second; the supervisor need not hear each turn."""
    next_at = 0.0

    def alive() -> None:
        nonlocal next_at
        now = time.monotonic()
        if now >= next_at:
            next_at = now + listener.beat_s
            listener.alive()

    return alive


def _version() -> str:
    """Of the image where there is one: two images may hold the same programs and other drivers."""
    image = read_image()
    if image is not None:
        return image.version
    try:
        return version("plaza")
    except PackageNotFoundError:
        return "0"
