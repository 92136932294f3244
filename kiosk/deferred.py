"""Things that are not needed for the first screen are built when they are first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class Deferred(Generic[T]):
    """Stands where a `T` is expected and builds it, once, in the thread of the first call."""

    def __init__(self, build: Callable[[], T]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._built: T | None = None

    def get(self) -> T:
        with self._lock:
            if self._built is None:
                self._built = self._build()
            return self._built

    @property
    def built(self) -> T | None:
        """What was built, or None while nobody asked."""
        return self._built

    def __getattr__(self, name: str) -> Any:
        return getattr(self.get(), name)


class Closable(Protocol):
    def close(self) -> None: ...


def closing(*parts: Closable | Deferred[Any]) -> Callable[[], None]:
    """Closes each in turn; what was never built is left alone."""

    def close() -> None:
        for part in parts:
            built = part.built if isinstance(part, Deferred) else part
            if built is not None:
                built.close()

    return close
