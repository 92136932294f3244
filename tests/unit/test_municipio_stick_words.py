"""Who carries a stick reads what it does, and whether it may be pulled out."""

from __future__ import annotations

import pytest

from municipio.stick_words import StickState, Trip, trip_in_words


def words(trip: Trip) -> str:
    return trip_in_words(trip, str)


@pytest.mark.parametrize("step", ["", "acknowledgements", "content", "facts", "attachments"])
def test_while_it_works_nobody_is_told_to_pull_it_out(step: str) -> None:
    said = words(Trip(StickState.WORKING, step, 3, 10))
    assert said.endswith("No la saque.")
    assert ("3 de 10" in said) is (step in ("facts", "attachments"))
    assert "0 de 0" not in words(Trip(StickState.WORKING, step))


@pytest.mark.parametrize(
    ("trip", "part"),
    [
        (Trip(StickState.DONE, facts=7, files=2), "Lleva 7 datos y 2 fotos"),
        (Trip(StickState.DONE, confirmed=9), "ya recibió 9 datos"),
        (Trip(StickState.DONE), "No había nada que llevar"),
        (Trip(StickState.FULL, facts=5), "Lo demás sigue aquí"),
        (Trip(StickState.FAILED), "Nada se perdió"),
        (Trip(StickState.REFUSED), "no es de esta ciudad"),
    ],
)
def test_the_end_is_said_in_words_and_numbers(trip: Trip, part: str) -> None:
    assert part in words(trip)
    assert "No la saque" not in words(trip)
    assert trip.is_over


def test_thousands_are_counted_as_people_write_them() -> None:
    going = Trip(StickState.WORKING, "facts", done=1200, total=3450)
    done = Trip(StickState.DONE, facts=3450, files=12)

    assert "copia 1,200 de 3,450 datos" in trip_in_words(going, str)
    assert "Lleva 3,450 datos y 12 fotos" in trip_in_words(done, str)
