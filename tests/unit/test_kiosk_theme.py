"""The kiosk's look: text can be read, fingers can hit, and a city's colour is never trusted blindly."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.assets import icon_character, icon_codepoints
from kiosk.theme import (
    FONT_FILES,
    MIN_TEXT_CONTRAST,
    TEXT_PAIRS,
    TOKENS,
    ThemeError,
    contrast,
    make_metrics,
    make_theme,
    mix,
    usable_primary,
)

SCREEN = make_metrics(1280, 800, 149)


@pytest.mark.parametrize(("text", "ground"), TEXT_PAIRS)
def test_every_text_can_be_read_on_its_ground(text: str, ground: str) -> None:
    colors = make_theme(SCREEN).colors

    assert contrast(colors[text], colors[ground]) >= MIN_TEXT_CONTRAST


def test_contrast_is_the_ratio_that_wcag_defines() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


def test_a_dark_city_colour_is_used_as_it_is() -> None:
    assert usable_primary("#7A1F3D").color == "#7A1F3D"
    assert make_theme(SCREEN, "#7A1F3D").messages == ()


def test_a_light_city_colour_is_darkened_and_the_technician_is_told() -> None:
    theme = make_theme(SCREEN, "#E91E63")

    assert contrast(theme.colors["primary"], "#FFFFFF") >= MIN_TEXT_CONTRAST
    assert "#E91E63" in theme.messages[0]


def test_a_word_that_is_no_colour_is_refused_and_ours_is_used() -> None:
    with pytest.raises(ThemeError, match="#RRGGBB"):
        usable_primary("guinda")
    theme = make_theme(SCREEN, "guinda")

    assert theme.colors["primary"] == TOKENS["sea"]
    assert "guinda" in theme.messages[0]


@given(st.integers(0, 0xFFFFFF))
@settings(max_examples=150, deadline=None)
def test_whatever_colour_a_city_sets_white_text_on_it_can_be_read(value: int) -> None:
    theme = make_theme(SCREEN, f"#{value:06X}")
    for text, ground in TEXT_PAIRS:
        assert contrast(theme.colors[text], theme.colors[ground]) >= MIN_TEXT_CONTRAST


@pytest.mark.parametrize(("width", "height", "dpi"), [(1280, 800, 149), (1024, 600, 118)])
def test_a_target_is_15_mm_and_a_gap_3_mm_on_any_screen(width: int, height: int, dpi: int) -> None:
    metrics = make_metrics(width, height, dpi)

    assert Fraction(metrics.target * 254, dpi * 10) >= 15
    assert Fraction(metrics.gap * 254, dpi * 10) >= 3


def test_type_sizes_are_the_drawn_ones_at_1280() -> None:
    sizes = SCREEN.type_sizes

    assert (sizes["display"], sizes["title"], sizes["heading"], sizes["body"]) == (46, 38, 28, 24)


def test_large_text_is_larger_everywhere() -> None:
    large = make_metrics(1280, 800, 149, large_text=True)

    assert all(large.type_sizes[name] > size for name, size in SCREEN.type_sizes.items())


def test_mix_goes_from_one_colour_to_the_other() -> None:
    assert (mix("#000000", "#FFFFFF", 0), mix("#000000", "#FFFFFF", 1)) == ("#000000", "#FFFFFF")


def test_fonts_and_icons_travel_with_the_program() -> None:
    assert all(path.is_file() for path in FONT_FILES.values())
    assert {"house", "printer", "megaphone"} <= icon_codepoints().keys()
    assert icon_character("no-such-icon") == icon_character("circle-help")


def test_on_a_portrait_screen_controls_stay_within_the_lowest_45_percent() -> None:
    assert make_metrics(1080, 1920, 102).reach == 864
    assert make_metrics(1280, 800, 149).reach == 800


@pytest.mark.parametrize(
    ("screen", "tall", "unit"),
    [
        ((1080, 1920, 102), True, 1.08),
        ((1080, 1920, 69), True, 1.08),
        ((800, 1280, 149), False, 0.625),
        ((1280, 800, 149), False, 1.0),
    ],
)
def test_a_tall_screen_is_drawn_larger_than_one_without_room_for_seven_rows_of_fingers(
    screen: tuple[int, int, int], tall: bool, unit: float
) -> None:
    metrics = make_metrics(*screen)

    assert (metrics.tall, metrics.unit) == (tall, unit)
