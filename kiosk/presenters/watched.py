"""What is drawn anew in every language and told to whoever shows it, only when it differs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

from kiosk.language import Words

W = TypeVar("W")


class Watched(ABC, Generic[W]):
    """Subclasses set their state, then call `super().__init__(words)`, which renders for the first time."""

    def __init__(self, words: Words) -> None:
        self._subscribers: list[Callable[[W], None]] = []
        self.view: W = self._whole()
        words.subscribe(self.refresh)

    def subscribe(self, callback: Callable[[W], None]) -> Callable[[], None]:
        """Call back with every new view (not with the present one). Returns how to stop."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def refresh(self) -> None:
        """Render again; subscribers hear only of a view that differs."""
        view = self._whole()
        if view != self.view:
            self.view = view
            for subscriber in tuple(self._subscribers):
                subscriber(view)

    @abstractmethod
    def _render(self) -> W: ...

    def _whole(self) -> W:
        """The view with what all of its kind have."""
        return self._render()
