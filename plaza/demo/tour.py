"""The citizen's day, played headless: a runner of steps that each must hold.

A step is a function over a `Walk`; it raises `StepFailed` when the promise it shows is not kept. The
tour goes on after a failed step only if the next one does not build on it, and never hides one.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from plaza.demo.remote import KioskRemote, TargetMissing
from plaza.demo.stage import Stage

SAME_KEY_S = 0.15
"""A key takes two touches as two only when a finger could have made them."""


class StepFailed(AssertionError):
    """A promise that this step shows was not kept; the message says which, in plain words."""


@dataclass(frozen=True, slots=True)
class StepResult:
    step: str
    ok: bool
    ms: int
    note: str = ""


class Walk:
    """What a step may do: touch the screen, read it, wait for it, keep a picture."""

    def __init__(self, stage: Stage, out: Path) -> None:
        self.stage = stage
        self.out = out
        self.kiosk: KioskRemote = stage.kiosk_remote
        self.notes: dict[str, Any] = {}
        self._picture = 0
        (out / "screens").mkdir(parents=True, exist_ok=True)

    def tap(self, target: str, timeout_s: float = 6) -> None:
        """Touch a target as soon as the screen offers it."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self.kiosk.tap(target)
                return
            except TargetMissing as missing:
                if time.monotonic() > deadline:
                    shown = self.kiosk.targets()
                    ids = [t["id"] for t in shown["targets"]]
                    raise StepFailed(
                        f"{missing} on «{shown['screen']}», which offers {ids}"
                    ) from None
                time.sleep(0.05)

    def tap_to(self, target: str, *screens: str, timeout_s: float = 12) -> str:
        """Touch a target until one of the screens comes up.

        A touch right after a screen appeared may be swallowed on purpose; a person touches again.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            self.tap(target)
            try:
                return self.wait_screen(*screens, timeout_s=1.5)
            except StepFailed:
                if time.monotonic() > deadline:
                    raise

    def type(self, prefix: str, text: str) -> None:
        """Type on a keypad or keyboard whose keys are `<prefix>.<character>`, no faster than a hand."""
        pressed: dict[str, float] = {}
        for character in text:
            time.sleep(max(0.0, pressed.get(character, 0.0) + SAME_KEY_S - time.monotonic()))
            self.tap(f"{prefix}.{character}")
            pressed[character] = time.monotonic()

    def wait_screen(self, *names: str, timeout_s: float = 12) -> str:
        return self.wait(
            lambda shown: next((n for n in names if shown["screen"] == n), None),
            f"screen {' or '.join(names)}",
            timeout_s,
        )

    def wait_text(self, *parts: str, timeout_s: float = 12) -> str:
        """Wait until one of the texts is readable on the screen; returns the one that was found."""
        return self.wait(
            lambda shown: next((p for p in parts if any(p in t for t in shown["texts"])), None),
            f"text {' or '.join(parts)}",
            timeout_s,
        )

    def wait(
        self, found: Callable[[dict[str, Any]], str | None], what: str, timeout_s: float
    ) -> str:
        deadline = time.monotonic() + timeout_s
        shown: dict[str, Any] = {}
        while time.monotonic() < deadline:
            shown = self.kiosk.targets()
            answer = found(shown)
            if answer is not None:
                return answer
            time.sleep(0.05)
        raise StepFailed(f"no {what}; «{shown.get('screen')}» says {shown.get('texts')}")

    def until(self, true: Callable[[], bool], what: str, timeout_s: float = 12) -> None:
        deadline = time.monotonic() + timeout_s
        while not true():
            if time.monotonic() > deadline:
                raise StepFailed(f"waited {timeout_s:.0f} s in vain: {what}")
            time.sleep(0.05)

    def picture(self, name: str) -> None:
        """Keep the screen as `screens/NN-name.png`."""
        self._picture += 1
        path = self.out / "screens" / f"{self._picture:02d}-{name}.png"
        path.write_bytes(self.kiosk.frame())

    def keep_evidence(self) -> None:
        """What a person needs to understand a failed step: the screen, its words, every log."""
        with contextlib.suppress(OSError):
            self.picture("fallo")
            words = json.dumps(self.kiosk.targets(), indent=1, ensure_ascii=False)
            (self.out / "fallo.json").write_text(words)
        world = {"printer": self.stage.printer.state(), "charges": self.stage.terminal.charges()}
        (self.out / "mundo.json").write_text(json.dumps(world, indent=1))
        shutil.copytree(self.stage.plan.logs, self.out / "logs", dirs_exist_ok=True)

    def expect(self, true: bool, promise: str) -> None:
        if not true:
            raise StepFailed(promise)


Step = Callable[[Walk], None]


def play(walk: Walk, steps: tuple[Step, ...], say: Callable[[str], None]) -> list[StepResult]:
    """Run every step in order; stop at the first that fails, since each builds on the last."""
    results: list[StepResult] = []
    for step in steps:
        name = (step.__doc__ or step.__name__).strip().splitlines()[0].rstrip(".")
        started = time.monotonic()
        try:
            step(walk)
            note = ""
        except (StepFailed, OSError, LookupError, RuntimeError) as failed:
            note = str(failed)
            walk.keep_evidence()
        ms = round((time.monotonic() - started) * 1000)
        results.append(StepResult(name, not note, ms, note))
        say(
            f"{'ok ' if not note else 'NO '} {ms:>6} ms  {name}"
            + (f"\n     {note}" if note else "")
        )
        if note:
            break
    return results


def write_summary(
    out: Path, results: list[StepResult], planned: int, notes: dict[str, Any]
) -> bool:
    """Write `summary.json`; True when every planned step ran and held."""
    ok = len(results) == planned and all(r.ok for r in results)
    summary = {
        "ok": ok,
        "ms": sum(r.ms for r in results),
        "steps": [asdict(r) for r in results],
        "not_run": planned - len(results),
        **notes,
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    return ok
