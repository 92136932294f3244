"""Terms and notices are bound to the hash of their exact text."""

from dataclasses import replace

import pytest

from central.demo import demo_terms
from municipio.terms import LANGUAGES, Terms, language_key, make_terms, terms_flaw, text_hash

DEMO = {t.language: t for t in demo_terms()}


def test_demo_terms_exist_in_every_language_and_hold_their_hash() -> None:
    assert tuple(DEMO) == LANGUAGES
    assert all(terms_flaw(t) is None for t in DEMO.values())


@pytest.mark.parametrize(
    "words",
    ["Responsable", "Fundamento", "Datos que se tratan y sistemas", "Finalidades", "cuánto duran",
     "Transferencias", "Revocar", "ARCO", "Unidad de Transparencia", "sensibles", "demostración"],
)  # fmt: skip
def test_the_integral_notice_says_what_the_law_asks_for(words: str) -> None:
    assert words in DEMO["es"].notice_full


@pytest.mark.parametrize(
    "words", ["domicilio", "transferimos", "oponerse", "Unidad de Transparencia"]
)
def test_the_simplified_notice_says_who_and_how_to_refuse(words: str) -> None:
    assert words in DEMO["es"].notice_simple


@pytest.mark.parametrize("field", ["title", "body", "notice_simple", "notice_full"])
def test_one_changed_letter_is_noticed(field: str) -> None:
    changed: Terms = replace(DEMO["es"], **{field: getattr(DEMO["es"], field) + "."})
    assert "does not have the hash" in str(terms_flaw(changed))


def test_empty_texts_and_odd_versions_are_refused() -> None:
    plain = {"language": "es", "title": "t", "body": "b", "notice_simple": "s", "notice_full": "f"}
    assert terms_flaw(make_terms(version="2026-01-20", **plain)) is None
    assert "version" in str(terms_flaw(make_terms(version="nueva", **plain)))
    assert "empty" in str(terms_flaw(make_terms(version="2026-01-20", **{**plain, "body": ""})))


def test_moving_text_between_parts_changes_the_hash() -> None:
    assert text_hash("a", "b", "c", "d") != text_hash("a", "b", "cd", "")


@pytest.mark.parametrize("locale", ["es", "es_MX", "es-MX", " ES_mx "])
def test_terms_are_found_by_language_whatever_the_country(locale: str) -> None:
    assert language_key(locale) == "es"
