"""Router advertisements with option 37: what goes out, and that nothing that comes in raises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.gate.router import Announcement, encode_advertisement, uri_in

URI = "https://wifi.example.org/captive-portal/api"


def test_an_advertisement_carries_the_uri_in_whole_units_of_eight_bytes() -> None:
    message = encode_advertisement(Announcement(URI, 1800))

    assert message[0] == 134
    assert message[6:8] == (1800).to_bytes(2, "big")
    assert message[16] == 37
    assert message[17] * 8 == len(message) - 16
    assert uri_in(message) == URI


@pytest.mark.parametrize("length", range(9, 26))
def test_every_length_is_padded_and_read_back(length: int) -> None:
    uri = "https://" + "a" * (length - 8)

    message = encode_advertisement(Announcement(uri, 60))

    assert len(message) % 8 == 0
    assert uri_in(message) == uri


@pytest.mark.parametrize(
    ("uri", "lifetime"), [("http://a.example/", 60), ("https://" + "a" * 250, 60), (URI, 0)]
)
def test_what_a_phone_would_drop_is_not_announced(uri: str, lifetime: int) -> None:
    with pytest.raises(ValueError):
        Announcement(uri, lifetime)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_raise(raw: bytes) -> None:
    uri_in(raw)
    uri_in(bytes([134]) + raw)
