"""A camera that is not there: a file stands for its device, and the file's text is its mood."""

from __future__ import annotations

from pathlib import Path

MOODS = ("ok", "fail", "hang", "garbage", "truncated", "huge", "flood", "empty", "covered")


class CameraSimulator:
    """`port` is the setting `camera.port`, with `camera.program` "simulator"."""

    def __init__(self, port: Path) -> None:
        self.port = port
        self._mood = "ok"
        self.replug()

    def mood(self, mood: str) -> None:
        if mood not in MOODS:
            raise ValueError(f"a camera cannot be {mood}")
        self._mood = mood
        if self.port.exists():
            self.replug()

    def unplug(self) -> None:
        self.port.unlink(missing_ok=True)

    def replug(self) -> None:
        fresh = self.port.with_name(f".{self.port.name}.new")
        fresh.write_text(self._mood)
        fresh.replace(self.port)

    def close(self) -> None:
        self.unplug()

    def state(self) -> dict[str, object]:
        return {"plugged": self.port.exists(), "mood": self._mood}
