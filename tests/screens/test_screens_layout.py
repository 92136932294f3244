"""Every screen in every state, on three screens and in both languages: nothing cut, crowded or too small."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kiosk.gallery import SIZES, Studio, play
from kiosk.gallery_scenes import SCENES, Scene
from kiosk.language import ENGLISH, SPANISH, Words
from kiosk.presenters.base import Role
from kiosk.simulated_kiosk import SimulatedKiosk
from kiosk.theme import MIN_GAP_MM, MIN_TARGET_MM
from kiosk.widgets import skin
from kiosk.widgets.inventory import Box, TargetInfo, visible_targets, visible_words

ROUNDING = 1.0
"""Dots that a layout may lose by rounding positions to whole dots."""


WIDE, LOW, TALL = SIZES


@dataclass(frozen=True, slots=True)
class Setting:
    """A screen's size and the language spoken on it; `code` is the language."""

    size: tuple[int, int, int]
    code: str

    def __str__(self) -> str:
        return f"{self.size[0]}x{self.size[1]}-{self.code}"


SETTINGS = (
    Setting(WIDE, SPANISH),
    Setting(WIDE, ENGLISH),
    Setting(LOW, SPANISH),
    Setting(TALL, SPANISH),
)


@pytest.fixture(scope="module", params=SETTINGS, ids=str)
def setting(request: pytest.FixtureRequest) -> Setting:
    found: Setting = request.param
    return found


@pytest.fixture(scope="module")
def studio(window: Any, words: Words, setting: Setting) -> Iterator[Studio]:
    """One stage for all scenes of a setting."""
    made = Studio(setting.size, words)
    yield made
    made.close()


@pytest.mark.parametrize("scene", SCENES, ids=lambda s: s.name)
def test_a_screen_shows_all_its_words_and_targets(
    studio: Studio, words: Words, scene: Scene, setting: Setting, pictures: Path
) -> None:
    kiosk = play(scene, words, setting.code)
    studio.draw(kiosk)
    size = studio.size
    targets = visible_targets(studio.stage, size)

    assert [w.text for w in visible_words(studio.stage, size) if not w.fits] == []
    assert [t.id for t in targets if _outside(t.visible, size)] == []
    assert [t.id for t in targets if _too_small(t)] == []
    assert [t.id for t in targets if _out_of_reach(t)] == []
    assert _crowded(targets) == []
    assert _missing(kiosk, targets) == []
    if setting is SETTINGS[0]:
        assert _colors(studio.picture(), pictures / f"{scene.name}.png") > 20


def test_an_empty_list_offers_no_way_further_down(
    studio: Studio, words: Words, setting: Setting
) -> None:
    scene = next(s for s in SCENES if s.name == "tramites-sin-resultados")
    studio.draw(play(scene, words, setting.code))

    found = [t.id for t in visible_targets(studio.stage, studio.size)]
    assert [id for id in found if id.endswith((".up", ".down"))] == []


def _colors(picture: bytes, path: Path) -> int:
    """How many colours a picture has: a screen that was not painted has one. It stays to be looked at."""
    path.write_bytes(picture)
    small = (
        Image.open(io.BytesIO(picture)).convert("RGB").resize((160, 100), Image.Resampling.NEAREST)
    )
    return len(small.getcolors(1 << 24) or ())


def _missing(kiosk: SimulatedKiosk, targets: list[TargetInfo]) -> list[str]:
    """Controls that are neither drawn nor further down a list: they could never be pressed."""
    drawn = {t.id for t in targets}
    scrolls = any(t.endswith(".down") for t in drawn)
    typing = "keyboard.swap" in drawn
    if scrolls:
        return []
    return [
        item.id
        for item in kiosk.view.focus
        if item.role in {Role.BUTTON, Role.CHECK, Role.FIELD}
        and item.id not in drawn
        and not (typing and item.id.startswith("tramites.category."))
    ]


def test_the_idle_question_covers_the_screen_and_has_two_large_answers(
    studio: Studio, words: Words, setting: Setting
) -> None:
    studio.draw(play(SCENES[0], words, setting.code))
    studio.ask_idle()
    targets = visible_targets(studio.stage.overlay, studio.size)
    studio.stage.drop_overlay(swallow=False)

    assert [t.id for t in targets] == ["idle.stay", "idle.finish"]
    assert [t.id for t in targets if _too_small(t) or _out_of_reach(t)] == []


def _outside(box: Box, size: tuple[float, float]) -> bool:
    return box.x < 0 or box.y < 0 or box.x + box.w > size[0] + 0.5 or box.y + box.h > size[1] + 0.5


def _out_of_reach(target: TargetInfo) -> bool:
    metrics = skin.theme().metrics
    return target.visible.y < metrics.height - metrics.reach - ROUNDING


def _too_small(target: TargetInfo) -> bool:
    metrics = skin.theme().metrics
    return metrics.millimetres(min(target.box.w, target.box.h) + ROUNDING) < MIN_TARGET_MM


def _crowded(targets: list[TargetInfo]) -> list[str]:
    metrics = skin.theme().metrics
    return [
        f"{a.id} and {b.id}: {metrics.millimetres(gap):.1f} mm"
        for i, a in enumerate(targets)
        for b in targets[i + 1 :]
        if metrics.millimetres((gap := a.visible.gap_to(b.visible)) + ROUNDING) < MIN_GAP_MM
    ]
