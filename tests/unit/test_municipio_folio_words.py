"""What kiosk and portal say about a folio: the same words, a date for people, and an example that holds."""

from __future__ import annotations

from datetime import date

import pytest

from municipio.folio_words import (
    example_folio,
    folio_flaw,
    folio_kind,
    folio_state,
    iso_date,
    long_date,
)
from municipio.identifiers import Folio, FolioTrouble, parse_folio


def plain(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("en_verificacion", "Pago en verificación. No vuelva a pagar."),
        ("En verificación", "Pago en verificación. No vuelva a pagar."),
        ("recibido", "Recibido en el kiosco"),
        ("Turnado a Obras", "Turnado a Obras"),
    ],
)
def test_a_state_is_said_in_words_whoever_wrote_it(state: str, said: str) -> None:
    assert folio_state(state, plain) == said


def test_every_kind_that_a_node_opens_has_a_name() -> None:
    for kind in ("predial", "reporte", "pase", "apelacion"):
        assert folio_kind(kind, plain) != kind


def test_a_date_is_written_for_people() -> None:
    assert long_date(date(2026, 1, 20), plain) == "20 de enero de 2026"
    assert iso_date("2026-11-21T10:00:00.000Z", plain) == "21 de noviembre de 2026"
    assert iso_date("ayer", plain) == "ayer"


def test_the_example_of_a_form_is_a_folio_that_this_node_could_give() -> None:
    example = example_folio("COA007")
    read = parse_folio(example)

    assert isinstance(read, Folio)
    assert read.node_code == "COA007"


def test_who_typed_a_folio_wrong_is_told_how() -> None:
    assert "no coincide" in folio_flaw(FolioTrouble.CHECK, plain)
    assert "no parece un folio" in folio_flaw(FolioTrouble.SHAPE, plain)
    assert folio_flaw(None, plain) == ""
