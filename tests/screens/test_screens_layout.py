"""Every screen in every state, in both languages: nothing cut, nothing overlapping, all large enough."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from kiosk.gallery import Studio, play
from kiosk.gallery_scenes import SCENES, Scene
from kiosk.language import ENGLISH, SPANISH, Words
from kiosk.presenters.base import Role
from kiosk.theme import MIN_GAP_MM, MIN_TARGET_MM
from kiosk.widgets import skin
from kiosk.widgets.inventory import Box, TargetInfo, visible_targets, visible_words

ROUNDING = 1.0
"""Dots that a layout may lose by rounding positions to whole dots."""


@pytest.fixture(params=[SPANISH, ENGLISH])
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("scene", SCENES, ids=lambda s: s.name)
def test_a_screen_shows_all_its_words_and_targets(
    studio: Studio, words: Words, scene: Scene, code: str, pictures: Path
) -> None:
    studio.draw(play(scene, words, code))
    picture = studio.picture()
    (pictures / f"{scene.name}-{code}.png").write_bytes(picture)
    size = studio.window.size
    targets = visible_targets(studio.stage, size)

    assert [w.text for w in visible_words(studio.stage, size) if not w.fits] == []
    assert [t.id for t in targets if _outside(t.visible, size)] == []
    assert [t.id for t in targets if _too_small(t)] == []
    assert _crowded(targets) == []
    assert len(Image.open(io.BytesIO(picture)).convert("RGB").getcolors(1 << 24) or ()) > 20


@pytest.mark.parametrize("scene", SCENES, ids=lambda s: s.name)
def test_every_enabled_control_of_a_view_can_be_reached(
    studio: Studio, words: Words, scene: Scene
) -> None:
    """A control that is neither drawn nor further down a list could never be pressed."""
    kiosk = play(scene, words, SPANISH)
    studio.draw(kiosk)
    drawn = {t.id for t in visible_targets(studio.stage, studio.window.size)}
    scrolls = any(t.endswith(".down") for t in drawn)
    typing = "keyboard.swap" in drawn
    missing = [
        item.id
        for item in kiosk.view.focus
        if item.role in {Role.BUTTON, Role.CHECK, Role.FIELD}
        and item.id not in drawn
        and not (typing and item.id.startswith("tramites.category."))
    ]

    assert scrolls or missing == []


def test_the_idle_question_covers_the_screen_and_has_two_large_answers(
    studio: Studio, words: Words
) -> None:
    studio.draw(play(SCENES[0], words, SPANISH))
    studio.ask_idle()
    targets = visible_targets(studio.stage.overlay, studio.window.size)

    assert [t.id for t in targets] == ["idle.stay", "idle.finish"]
    assert [t.id for t in targets if _too_small(t)] == []


def _outside(box: Box, size: tuple[float, float]) -> bool:
    return box.x < 0 or box.y < 0 or box.x + box.w > size[0] + 0.5 or box.y + box.h > size[1] + 0.5


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
