"""Plain words: folding, stems, sounds and the order of answers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.search import (
    MAX_TERMS,
    Entry,
    Term,
    Vocabulary,
    fold,
    index_terms,
    rank,
    sound,
    stem,
    terms,
)

PODA = Entry("poda", ("poda", "arbol"), (("cortar", "rama"),), frozenset({"permiso"}), 10)
DERRIBO = Entry("derribo", ("derribo", "arbol"), (("tumbar", "arbol"),), frozenset({"poda"}), 900)


def exact(*words: str) -> list[Term]:
    return [Term(w, {w: 1.0}) for w in words]


def test_accents_case_and_enie_do_not_matter() -> None:
    assert fold("ÁRBOL Ñandú pingüino") == "arbol nandu pinguino"


@pytest.mark.parametrize(
    ("plural", "singular"),
    [("arboles", "arbol"), ("luces", "luz"), ("baches", "bache"), ("casas", "casa"),
     ("licencias", "licencia"), ("mes", "mes"), ("rfc", "rfc"), ("habitaciones", "habitacion")],
)  # fmt: skip
def test_plurals_meet_their_singular(plural: str, singular: str) -> None:
    assert stem(plural) == singular


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("nasimiento", "nacimiento"), ("negosio", "negocio"), ("cartiya", "cartilla"),
     ("predyal", "predial"), ("ora", "hora"), ("lisensia", "licencia"), ("kiosko", "quiosco"),
     ("varda", "barda"), ("jente", "gente"), ("zuelo", "suelo")],
)  # fmt: skip
def test_misspellings_sound_like_the_word(wrong: str, right: str) -> None:
    assert sound(wrong) == sound(right)


def test_words_that_say_nothing_leave_a_query_unless_they_are_all_of_it() -> None:
    assert terms("Quiero sacar el acta de mi hijo") == ("sacar", "acta", "hijo")
    assert terms("donde y cuando") == ("donde", "y", "cuando")
    assert index_terms("donde y cuando") == ()


def test_a_query_is_bounded() -> None:
    assert len(terms(" ".join(f"palabra{n}" for n in range(500)))) <= MAX_TERMS
    assert terms("¿¡!? '\"; --") == ()


def test_the_whole_name_beats_a_popular_neighbour() -> None:
    assert [s.id for s in rank(exact("poda", "arbol"), [DERRIBO, PODA], 5)] == ["poda", "derribo"]


def test_a_synonym_finds_what_the_name_does_not_say() -> None:
    assert [s.id for s in rank(exact("cortar", "rama"), [DERRIBO, PODA], 5)] == ["poda"]


def test_a_likelier_reading_scores_more() -> None:
    near = rank([Term("podra", {"poda": 0.8})], [PODA], 1)[0].score
    far = rank([Term("podra", {"poda": 0.6})], [PODA], 1)[0].score
    assert near > far > 0


def test_nothing_in_common_is_no_answer_and_the_limit_holds() -> None:
    assert rank(exact("boda"), [PODA, DERRIBO], 5) == ()
    assert len(rank(exact("arbol"), [PODA, DERRIBO], 1)) == 1
    assert rank([], [PODA], 5) == ()


def test_the_vocabulary_knows_beginnings_and_what_is_rare() -> None:
    vocabulary = Vocabulary({"arbol": 50, "boda": 1}, documents=100)
    assert vocabulary.knows("arb")
    assert not vocabulary.knows("arc")
    assert not vocabulary.knows("zzz")
    assert vocabulary.rarity("boda") > vocabulary.rarity("arbol")


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_any_text_is_a_query_of_ascii_words(text: str) -> None:
    assert all(t.isascii() and t.isalnum() for t in terms(text))
    assert all(sound(t).isascii() for t in terms(text))
