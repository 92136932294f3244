"""A citizen's report is cleaned, or says which field to go back to."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central.demo import demo_colonias, demo_services
from municipio.reports import (
    OPEN311_STATUS,
    STATE_LABELS,
    ReportDraft,
    ReportProblem,
    Service,
    SiacState,
    check_report,
    mexican_phone,
    service_flaw,
)

SERVICES = demo_services()
GOOD = ReportDraft("bache", "Centro", "Juárez", "Colón", "Zaragoza", "Un hoyo muy grande")


def test_a_good_report_comes_back_as_it_was() -> None:
    assert check_report(GOOD, SERVICES) == GOOD


def test_spaces_and_invisible_characters_leave() -> None:
    draft = replace(
        GOOD, street="  Av.\t Juárez\u202e 12 ", description=" Hay \n\n un  hoyo\u200b "
    )
    clean = check_report(draft, SERVICES)
    assert isinstance(clean, ReportDraft)
    assert (clean.street, clean.description) == ("Av. Juárez 12", "Hay\nun hoyo")


def test_a_colonia_of_the_list_is_spelled_as_the_list_does() -> None:
    clean = check_report(replace(GOOD, colonia="maria de la PIEDAD"), SERVICES, demo_colonias())
    assert isinstance(clean, ReportDraft)
    assert (clean.colonia, clean.colonia_listed) == ("María de la Piedad", True)


def test_a_colonia_that_no_list_knows_is_kept_and_flagged() -> None:
    clean = check_report(replace(GOOD, colonia="Nueva Obrera"), SERVICES, demo_colonias())
    assert isinstance(clean, ReportDraft)
    assert (clean.colonia, clean.colonia_listed) == ("Nueva Obrera", False)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"service_code": "platillo_volador"}, "service_code"),
        ({"colonia": "  "}, "colonia"),
        ({"colonia": "x" * 81}, "colonia"),
        ({"street": ""}, "street"),
        ({"street": "x" * 121}, "street"),
        ({"between_1": "x" * 121}, "between_1"),
        ({"between_2": "x" * 121}, "between_2"),
        ({"description": "hoyo"}, "description"),
        ({"description": "x" * 601}, "description"),
        ({"phone": "12345", "phone_consent": True}, "phone"),
        ({"phone": "9211234567", "phone_consent": False}, "phone_consent"),
    ],
)
def test_a_problem_names_the_field_in_plain_spanish(change: dict[str, object], field: str) -> None:
    problem = check_report(replace(GOOD, **change), SERVICES)
    assert isinstance(problem, ReportProblem)
    assert problem.field == field
    assert problem.message_key.endswith(".")


def test_consent_without_a_phone_is_forgotten() -> None:
    clean = check_report(replace(GOOD, phone=" ", phone_consent=True), SERVICES)
    assert isinstance(clean, ReportDraft)
    assert (clean.phone, clean.phone_consent) == ("", False)


@pytest.mark.parametrize(
    ("typed", "digits"),
    [
        ("921 123 4567", "9211234567"),
        ("(921) 123-45-67", "9211234567"),
        ("+52 921 123 4567", "9211234567"),
        ("+521 9211234567", "9211234567"),
        ("5212345678", "5212345678"),
        ("0211234567", None),
        ("1211234567", None),
        ("921123456", None),
        ("921123456７", None),
        ("no tengo", None),
    ],
)
def test_a_phone_is_ten_national_digits(typed: str, digits: str | None) -> None:
    assert mexican_phone(typed) == digits


@settings(max_examples=100)
@given(
    st.builds(ReportDraft, st.just("bache"), st.text(), st.text(), st.text(), st.text(), st.text())
)
def test_whatever_is_typed_cleans_to_the_same_when_cleaned_again(draft: ReportDraft) -> None:
    once = check_report(draft, SERVICES)
    if isinstance(once, ReportDraft):
        assert check_report(once, SERVICES) == once
        once.description.encode()


def test_every_state_has_a_label_and_an_open311_status() -> None:
    assert set(STATE_LABELS) == set(OPEN311_STATUS) == set(SiacState)


def test_demo_services_are_about_thirty_and_have_no_flaw() -> None:
    assert 25 <= len(SERVICES) <= 30
    assert [f for s in SERVICES if (f := service_flaw(s))] == []
    assert service_flaw(Service("Bache!", "Bache", "Obras", (), "construction"))
    assert service_flaw(Service("bache", "", "Obras", (), "construction"))
    assert service_flaw(Service("bache", "Bache", "Obras", (), "No Icon"))
