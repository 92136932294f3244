"""Slow work off the screen's thread: ports that wait for a wire, a disk or a person at a terminal."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")
Post = Callable[[Callable[[], None]], None]
"""Runs a callable later on the screen's thread (in Kivy: `Clock.schedule_once`)."""


class Background(Protocol):
    """Runs `work` somewhere that may block and gives its value to `done` on the screen's thread."""

    def run(self, work: Callable[[], T], done: Callable[[T], None]) -> None: ...


class InlineBackground:
    """Runs everything at once in the caller's thread: tests and tools."""

    def run(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        done(work())


class ThreadBackground:
    """A few worker threads; results come back through `post`.

    An exception in `work` is a programmer's error: it is raised again on the screen's thread. Only
    what is named in `fatal` is expected, and goes to `on_fatal` instead, on the same thread.
    """

    def __init__(
        self, post: Post, *, workers: int = 3, fatal: tuple[type[Exception], ...] = ()
    ) -> None:
        self.on_fatal: Callable[[BaseException], None] = lambda _: None
        self._post = post
        self._fatal = fatal
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="kiosk-background")

    def run(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        def deliver(future: Future[T]) -> None:
            self._post(lambda: self._finish(future, done))

        self._pool.submit(work).add_done_callback(deliver)

    def _finish(self, future: Future[T], done: Callable[[T], None]) -> None:
        error = future.exception()
        if error is not None and isinstance(error, self._fatal):
            self.on_fatal(error)
        else:
            done(future.result())

    def close(self) -> None:
        """Let running work end; start nothing more."""
        self._pool.shutdown(wait=True, cancel_futures=True)
