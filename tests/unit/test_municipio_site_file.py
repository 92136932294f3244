"""`plaza.toml`: what a technician's editor may do to it, and how each mistake is told."""

from __future__ import annotations

import codecs
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from municipio.site_file.decode import MAX_BYTES, Spelling, decode
from municipio.site_file.fault import SiteFault, error_text, fault_lines
from municipio.site_file.keys import BY_NAME, KEYS, SECTIONS
from municipio.site_file.parse import parse_site_file
from municipio.site_file.plan import SitePlan
from municipio.site_file.shape import STORED, Kind, Value
from municipio.site_file.write import blank_secrets, write_site_file

SMALL: dict[str, Value] = {
    "site.name": "Parque Independencia (demostración)",
    "site.number": 7,
    "city.url": "https://plaza.ciudad.example",
    "city.letters": "COA",
    "city.inegi": "30039",
    "wifi.ssid": "Plaza Libre",
}
SMALL_TEXT = write_site_file(SMALL)


def _faults(text: str | bytes) -> tuple[SiteFault, ...]:
    result = parse_site_file(text.encode() if isinstance(text, str) else text)
    assert not isinstance(result, SitePlan), "the file was believed"
    return result


def _plan(raw: bytes) -> SitePlan:
    result = parse_site_file(raw)
    assert isinstance(result, SitePlan), fault_lines(result)
    return result


def _saying(**values: Value) -> str:
    return write_site_file(SMALL | {n.replace("__", "."): v for n, v in values.items()})


def test_a_small_site_has_every_key() -> None:
    plan = _plan(SMALL_TEXT.encode())

    assert set(plan.values) == set(BY_NAME)
    assert plan.node_code == "COA007"
    assert plan.text("uplink.kind") == "ethernet"
    assert plan.texts("site.languages") == ("es", "en")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_windows_editors_save_is_read_alike(encoding: str, end: str) -> None:
    assert _plan(SMALL_TEXT.replace("\n", end).encode(encoding)) == _plan(SMALL_TEXT.encode())


def test_utf_16_be_with_its_mark_is_read() -> None:
    assert _plan(codecs.BOM_UTF16_BE + SMALL_TEXT.encode("utf-16-be")).number("site.number") == 7


@pytest.mark.parametrize(
    "raw",
    [b"a = 1\r\n", b"\xef\xbb\xbfa = 1\n", "a = 1\r\n".encode("utf-16"), b"a = '\xf1'\r\n"],
)
def test_a_file_is_written_back_as_it_was_spelled(raw: bytes) -> None:
    text, spelling = decode(raw)  # type: ignore[misc]  # a fault would not unpack

    assert isinstance(spelling, Spelling)
    assert spelling.encode(text) == raw


@pytest.mark.parametrize(
    "raw",
    ["a = 'ñ".encode() + b"\xf1'", b"a = '\xf1\x00'", b"a = '\x81'", b"\xef\xbb\xbfa = '\xf1'"],
    ids=["UTF-8 with a damaged letter", "no text", "no letter of Windows", "marked as UTF-8"],
)
def test_what_is_neither_utf_8_nor_ansi_is_said_and_not_guessed(raw: bytes) -> None:
    [fault] = _faults(b"# a comment\n" + raw if not raw.startswith(b"\xef") else raw)

    assert "UTF-8" in fault.what
    assert fault.line == (1 if raw.startswith(b"\xef") else 2)


def test_a_letter_that_ansi_has_not_is_written_back_in_utf_8() -> None:
    _, spelling = decode(b"name = '\xf1'\r\n")  # type: ignore[misc]  # a fault would not unpack

    assert isinstance(spelling, Spelling)
    assert spelling.encode("name = '☀'\n") == "name = '☀'\r\n".encode("utf-8-sig")


@pytest.mark.parametrize(
    ("said", "words"),
    [("number = 007", "sin ceros delante"), ("number = “7”", "comillas deben ser rectas"),
     ('number = 7"', "falta una comilla")],
)  # fmt: skip
def test_a_slip_of_the_hand_is_told_as_what_was_meant(said: str, words: str) -> None:
    [fault] = _faults(SMALL_TEXT.replace("number = 7", said))

    assert words in fault.what
    assert SMALL_TEXT.split("\n")[fault.line - 1] == "number = 7"


def test_every_fault_is_told_at_once_with_its_line_and_the_nearest_key() -> None:
    text = SMALL_TEXT.replace("number = 7", "nunber = 7")
    text = text.replace("[printer]", "[printr]").replace('country = "MX"', 'country = "US"')

    faults = _faults(text)

    lines = text.split("\n")
    told = {f.key: f for f in faults}
    assert lines[told["site.nunber"].line - 1] == "nunber = 7"
    assert told["site.nunber"].nearest == "site.number"
    assert lines[told["wifi.country"].line - 1] == 'country = "US"'
    assert told["wifi.country"].allowed == '"MX"'
    assert lines[told["printr"].line - 1] == "[printr]"
    assert told["printr"].nearest == "[printer]"
    assert set(told) == {"site.nunber", "wifi.country", "printr"}


WRONG: list[tuple[dict[str, Value], str, str]] = [
    ({"uplink.kind": "lte"}, "uplink.apn", "falta"),
    ({"uplink.kind": "wifi-client", "uplink.ssid": "Oficinas"}, "uplink.password", "falta"),
    ({"uplink.address": "192.168.1.20/24"}, "uplink.gateway", "porque se indicó"),
    ({"uplink.address": "192.168.1.300/24"}, "uplink.address", "forma"),
    ({"energy.kind": "solar"}, "energy.wake", "solar"),
    ({"wifi.staff_ssid": "Plaza Libre"}, "wifi.staff_ssid", "distinto"),
    ({"wifi.staff_ssid": "Técnicos"}, "wifi.staff_password", "falta"),
    ({"wifi.channel": 13}, "wifi.channel", "no se puede usar"),
    ({"wifi.ssid": "ñ" * 17}, "wifi.ssid", "largo"),
    ({"uplink.interface": "wlan0"}, "uplink.interface", "distinto"),
    ({"terminal.kind": "serial"}, "terminal.port", "falta"),
    ({"site.number": 1000}, "site.number", "entre 1 y 999"),
    ({"city.code": "K7QF-2M9D-XR4T-8WNU"}, "city.code", "forma"),
    ({"technician.code": "1234"}, "technician.code", "forma"),
    ({"city.url": "plaza.ciudad.example"}, "city.url", "forma"),
    ({"site.languages": ("es", "es")}, "site.languages", "repite"),
    ({"site.languages": ()}, "site.languages", "falta"),
]


@pytest.mark.parametrize(("values", "key", "words"), WRONG)
def test_each_rule_is_told_in_words(values: dict[str, Value], key: str, words: str) -> None:
    found = {f.key: str(f) for f in _faults(write_site_file(SMALL | values))}

    assert words in found[key]


TOML_MISTAKES = [
    ("name = Parque", "comillas"),
    ('name = "Parque', "comilla"),
    ('name "Parque"', "signo ="),
    ('name = "a"\nname = "b"', "dos veces"),
    ("[site", "corchete"),
    ('name = "C:\\plaza"', "diagonal"),
]


@pytest.mark.parametrize(("line", "words"), TOML_MISTAKES)
def test_what_is_no_toml_is_told_in_spanish_with_its_line(line: str, words: str) -> None:
    (fault,) = _faults(f"# uno\n[site]\n{line}\n" if line != "[site" else f"# uno\n\n{line}\n")

    assert fault.line == 3 + line.count("\n")
    assert words in fault.what


@pytest.mark.parametrize(
    "text",
    ["site.nunber = 7", "site = { nunber = 7 }", '[site]\n"nunber" = 7', "[ site ]\nnunber=7"],
)
def test_a_line_is_found_however_toml_lets_a_key_be_written(text: str) -> None:
    fault = next(f for f in _faults("# uno\n" + text) if f.key == "site.nunber")

    assert fault.line == 2 + text.count("\n")


def test_a_key_before_its_section_is_sent_there() -> None:
    (fault,) = [f for f in _faults("ssid = 'P'\n" + SMALL_TEXT) if f.key == "ssid"]

    assert fault.line == 1
    assert "[uplink]" in str(fault) or "[wifi]" in str(fault)


def test_no_message_repeats_a_secret() -> None:
    text = _saying(wifi__staff_ssid="Plaza Libre", wifi__staff_password="no se debe ver")

    assert "no se debe ver" not in error_text(_faults(text), serves_with_last=True).decode()


def test_no_plan_shows_its_secrets() -> None:
    plan = _plan(_saying(city__code="K7QF-2M9D-XR4T-8WNH").encode())

    assert "K7QF" not in repr(plan)
    assert plan.secrets() == {"city.code": "K7QF-2M9D-XR4T-8WNH"}


def test_a_moved_secret_leaves_a_file_that_is_still_right_and_keeps_its_comments() -> None:
    text = _saying(
        uplink__kind="wifi-client", uplink__ssid="Oficinas", uplink__password="una clave 9"
    )

    blanked = blank_secrets(text, ["uplink.password"])

    assert blanked is not None
    assert blanked == text.replace("una clave 9", STORED)
    plan = _plan(blanked.encode())
    assert plan.secrets() == {}
    assert plan.with_secrets({"uplink.password": "x" * 8}).text("uplink.password") == "x" * 8


def test_the_error_file_is_readable_in_any_windows() -> None:
    raw = error_text(_faults("nada"), serves_with_last=False)

    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert "Línea 1" in raw.decode("utf-8-sig")


def test_a_file_that_is_no_text_is_one_fault() -> None:
    assert len(_faults(b"\x89PNG\r\n\x1a\n" * 50)) == 1
    assert "KiB" in str(_faults(b"a" * (MAX_BYTES + 1))[0])


@pytest.mark.parametrize(
    "text",
    ["a" + ".a" * 30_000 + " = 1", "a = " + "[" * 4000, "a = " + "9" * 4000, "a=" + "{a=" * 1300,
     "".join(f"[x{i}.a]\nk=1\n" for i in range(2000)),
     "[site]\n" + "".join(f"k{i}=1\n" for i in range(4000))],
)  # fmt: skip
def test_files_made_to_hurt_end_as_few_faults(text: str) -> None:
    assert 1 <= len(_faults(text)) <= 40


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_end_as_a_plan_or_faults(raw: bytes) -> None:
    assert isinstance(parse_site_file(raw), SitePlan | tuple)


_TOML_VALUES = st.one_of(
    st.integers(-5, 2000).map(str), st.booleans().map(lambda b: str(b).lower()),
    st.text(st.characters(codec="utf-8", exclude_characters="'\n\r", exclude_categories=("Cc", "Cs")),
            max_size=40).map(lambda t: f"'{t}'"),
    st.just("['es']"), st.just("1979-05-27"), st.just("nan"), st.just("{}"), st.just("[[1]]"),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([k.name for k in KEYS]), _TOML_VALUES, max_size=12))
def test_any_values_of_known_keys_are_judged_and_pointed_at(said: dict[str, str]) -> None:
    text = "".join(f"{name} = {value}\n" for name, value in said.items())

    result = parse_site_file(text.encode())

    if isinstance(result, tuple):
        for fault in result:
            assert not fault.line or text.split("\n")[fault.line - 1].startswith(fault.key)


_HONEST = st.fixed_dictionaries(
    {name: st.just(value) for name, value in SMALL.items()},
    optional={
        k.name: st.sampled_from([v for v, _ in k.choices]) for k in KEYS if k.kind is Kind.CHOICE
    },
)


@settings(max_examples=60, deadline=None)
@given(_HONEST)
def test_what_is_written_reads_back_as_the_same_values(values: dict[str, Value]) -> None:
    result = parse_site_file(write_site_file(values).encode())

    if isinstance(result, SitePlan):
        full = {k.name: k.default for k in KEYS} | values
        assert all(result.values[k.name] == full[k.name] for k in KEYS if k.applies(full))
    else:
        assert all("falta" in f.what or "distinto" in f.what for f in result)


@pytest.mark.parametrize("key", KEYS, ids=lambda k: k.name)
def test_every_key_explains_itself(key: object) -> None:
    from municipio.site_file.judge import allowed_words, judge
    from municipio.site_file.shape import Key

    assert isinstance(key, Key)
    assert key.section in SECTIONS
    assert key.label
    assert key.help.endswith(".")
    assert allowed_words(key)
    default = list(key.default) if isinstance(key.default, tuple) else key.default
    if not (key.kind is Kind.NUMBER and key.is_needed):
        assert judge(key, default) == key.default
    if key.example and key.kind is Kind.TEXT:
        assert judge(key, key.example) == key.example
    assert re.compile(key.pattern)
