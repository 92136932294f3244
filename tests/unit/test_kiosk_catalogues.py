"""The kiosk in both languages with its real catalogues: nothing of the other language shows."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import kiosk
from kiosk.catalogues import load_words
from kiosk.language import ENGLISH, SPANISH
from kiosk.simulated_city import CLAVE
from kiosk.simulated_kiosk import SimulatedKiosk

PRESENTERS = Path(kiosk.__file__).parent / "presenters"
SPANISH_WORDS = re.compile(r"\b(su|el|la|una|para|que|qué|está|puede|más|no se)\b", re.IGNORECASE)


@pytest.fixture
def english() -> SimulatedKiosk:
    kiosk = SimulatedKiosk(words=load_words())
    kiosk.tap("bar.language")
    return kiosk


def words_of(view: Any) -> str:
    """What the presenters themselves say on a screen: titles, speech, buttons."""
    labels = [item.label for item in view.focus]
    return " ".join([view.title, view.speech, *labels])


def test_both_languages_load_and_papers_speak_them_too() -> None:
    words = load_words()
    assert words("¿Qué necesita hacer hoy?") == "¿Qué necesita hacer hoy?"
    words.switch(ENGLISH)
    assert words("¿Qué necesita hacer hoy?") == "What do you need to do today?"
    assert words("QUÉ LLEVAR") != "QUÉ LLEVAR", "municipio's catalogue is behind the kiosk's"
    words.switch(SPANISH)
    assert words("QUÉ LLEVAR") == "QUÉ LLEVAR"


def test_an_english_speaker_pays_without_a_spanish_word(english: SimulatedKiosk) -> None:
    english.tap("home.predial")
    seen = [words_of(english.view)]
    english.type(CLAVE, "predial.key")
    english.tap("predial.continue")
    seen.append(words_of(english.view))
    english.tap("beneficio.no")
    seen.append(words_of(english.view))
    english.tap("pay.card")
    seen.append(words_of(english.view))
    english.tap("card.charge")
    english.tick()
    seen.append(words_of(english.view))
    english.world.terminal.present()
    english.tick()
    seen.append(words_of(english.view))
    assert [text for text in seen if SPANISH_WORDS.search(text)] == []
    assert "Take your paper" in english.view.status


def test_a_receipt_is_printed_in_the_language_of_the_person(english: SimulatedKiosk) -> None:
    english.tap("home.predial")
    english.type(CLAVE, "predial.key")
    english.tap("predial.continue", "beneficio.no", "pay.pase", "pase.print")
    paper = english.world.printer.papers[0]
    assert "This slip is not a payment receipt." in paper
    assert "MIL TREINTA Y DOS PESOS" in paper, "the amount in words is always in Spanish"


@pytest.mark.parametrize("path", sorted(PRESENTERS.glob("*.py")), ids=lambda p: p.stem)
def test_no_message_hides_inside_another_text(path: Path) -> None:
    """A call of `_` inside an f-string would not be extracted for translation."""
    calls = [
        node.lineno
        for joined in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(joined, ast.JoinedStr)
        for node in ast.walk(joined)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_"
    ]
    assert calls == []
