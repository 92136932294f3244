"""Names in every spelling have one inner form, or a reason why they have none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.filter.names import NameProblem, is_within, parents, parse_name, wire


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ejemplo.COM.", "ejemplo.com"),
        ("  ejemplo.com\t", "ejemplo.com"),
        ("piñata.mx", "xn--piata-pta.mx"),
        ("PIÑATA.mx", "xn--piata-pta.mx"),
        ("xn--piata-pta.mx", "xn--piata-pta.mx"),
        ("日本。jp", "xn--wgv71a.jp"),
        ("_dmarc.ejemplo.com", "_dmarc.ejemplo.com"),
        ("a.b.c.d.e.mx", "a.b.c.d.e.mx"),
        ("1.com", "1.com"),
        ("", NameProblem.EMPTY),
        (".", NameProblem.EMPTY),
        ("203.0.113.7", NameProblem.ADDRESS),
        ("2001:db8::1", NameProblem.ADDRESS),
        ("mx", NameProblem.TOO_BROAD),
        ("com.mx", NameProblem.TOO_BROAD),
        ("gob.mx", NameProblem.TOO_BROAD),
        ("a" * 64 + ".com", NameProblem.TOO_LONG),
        (("a" * 60 + ".") * 5 + "com", NameProblem.TOO_LONG),
        ("x" * 5000, NameProblem.TOO_LONG),
        ("-a.com", NameProblem.NOT_A_NAME),
        ("a..com", NameProblem.NOT_A_NAME),
        ("a b.com", NameProblem.NOT_A_NAME),
        ("a.com\0", NameProblem.NOT_A_NAME),
        ('a.com")os.exit(', NameProblem.NOT_A_NAME),
        ("a.123", NameProblem.NOT_A_NAME),
        ("\u202emoc.a.com", NameProblem.NOT_A_NAME),
        ("\ufffd.com", NameProblem.NOT_A_NAME),
    ],
)
def test_a_name_has_one_form_or_a_reason(text: str, expected: str | NameProblem) -> None:
    assert parse_name(text) == expected


def test_a_registry_may_be_allowed_but_never_blocked() -> None:
    assert parse_name("gob.mx", broad=True) == "gob.mx"
    assert parse_name("mx", broad=True) is NameProblem.TOO_BROAD


@settings(max_examples=300)
@given(st.text(max_size=300))
def test_any_text_gives_a_short_plain_name_or_a_reason(text: str) -> None:
    name = parse_name(text)
    if not isinstance(name, NameProblem):
        assert parse_name(name) == name
        assert name.isascii()
        assert not set(name) & set(" \t\r\n\"'\\;()[]{}")
        assert len(wire(name)) <= 255


def test_parents_stop_above_the_registry() -> None:
    assert parents("a.b.ejemplo.mx") == ["a.b.ejemplo.mx", "b.ejemplo.mx", "ejemplo.mx"]
    assert is_within("a.ejemplo.mx", "ejemplo.mx")
    assert not is_within("otroejemplo.mx", "ejemplo.mx")
