"""Codes of four words: no two can be mistaken for each other, and spelling is forgiven."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.words import fold, make_code, read_code, spell_code, word_list


def test_the_list_has_a_thousand_short_plain_words() -> None:
    words = word_list()

    assert len(set(words)) == 1000
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
    assert all(3 <= len(word) <= 8 for word in words)


def test_no_single_slip_turns_one_word_into_another() -> None:
    """Two words within one change share a form with one letter left out (deletion neighbours)."""
    seen: dict[str, str] = {}
    for word in word_list():
        sound = fold(word)
        forms = {sound} | {sound[:i] + sound[i + 1 :] for i in range(len(sound))}
        for form in forms:
            other = seen.setdefault(form, word)
            assert other == word or _distance(fold(other), sound) >= 2, (other, word)


def _distance(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


@pytest.mark.parametrize(
    "typed",
    [
        "lluvia-jardin-cielo-queso",
        "LLUVIA JARDÍN CIELO QUESO",
        "yuvia, jardin.  sielo · keso",
        " lluvia_jardín/cielo\nqueso ",
    ],
)
def test_a_code_is_understood_as_people_write_it(typed: str) -> None:
    assert read_code(typed) == ("lluvia", "jardin", "cielo", "queso")


@pytest.mark.parametrize(
    "typed",
    ["", "lluvia", "lluvia jardin cielo", "lluvia jardin cielo queso queso", "a b c d", "x" * 81],
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert read_code(typed) is None


def test_every_code_that_is_made_can_be_read() -> None:
    for _ in range(50):
        words = make_code()
        assert read_code(spell_code(words)) == words


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_whatever_is_typed_is_a_code_or_nothing(typed: str) -> None:
    words = read_code(typed)
    assert words is None or all(word in word_list() for word in words)
