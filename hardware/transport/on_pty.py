"""What every simulator on a pseudo-terminal lets a person do with its cable."""

from __future__ import annotations

from pathlib import Path

from hardware.transport.pty_end import PtyEnd


class OnPty:
    """`open` plugs it in and gives the path; `link` keeps a stable symlink to it.

    Subclasses make `_end`, which is where their bytes come and go.
    """

    _end: PtyEnd

    @property
    def is_plugged(self) -> bool:
        return self._end.is_plugged

    def open(self) -> str:
        return self._end.open()

    def link(self, path: Path) -> None:
        self._end.link(path)

    def close(self) -> None:
        self._end.close()

    def unplug(self) -> None:
        self._end.unplug()

    def replug(self) -> None:
        self._end.replug()
