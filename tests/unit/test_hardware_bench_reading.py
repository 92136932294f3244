"""Scenario files: what they may say, and how a mistake in one is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware.bench.devices import vocabulary
from hardware.bench.reading import parse_scenario
from hardware.bench.scenario import (
    AskDebt,
    CountMoney,
    DeviceDoes,
    Expect,
    NetworkDoes,
    PayInCash,
    PutMoney,
    Scenario,
    ScenarioProblem,
    Seek,
    Tap,
    Visit,
    Wait,
)
from hardware.bench.shelf import find, shipped

HEAD = "title: Prueba\nsummary: De una prueba.\n"


def read(text: str) -> Scenario | ScenarioProblem:
    return parse_scenario(text.encode(), "x.yaml", vocabulary())


def problem(text: str) -> str:
    found = read(text)
    assert isinstance(found, ScenarioProblem), found
    return str(found)


def test_a_scenario_says_when_what_and_what_must_be_seen() -> None:
    scenario = read(
        HEAD + "devices: [printer, terminal, cash]\n"
        "steps:\n"
        "  - at: 12s\n"
        "    say: Se acaba el papel.\n"
        "    turn: Quite el papel.\n"
        "    printer: paper_out\n"
        "  - at: 2min\n"
        "    cash: {note: 200}\n"
        "  - printer: {set_paper: 40}\n"
        "  - tap: home.predial\n"
        "  - tap: {target: print.done, until: [home, aviso]}\n"
        '  - debt: "06-200-001-01-023-006-00-000-5"\n'
        "  - network: login_page\n"
        "  - visitor: {reports: 3}\n"
        "  - wait: 500ms\n"
        "  - within: 3s\n"
        "    expect: {fact: payment.taken, times: 1, sees: {cash: well}, holds: 1s}\n"
    )

    assert isinstance(scenario, Scenario)
    assert scenario.name == "x"
    assert [s.doing for s in scenario.steps] == [
        DeviceDoes("printer", "paper_out"),
        DeviceDoes("cash", "note", (200.0,)),
        DeviceDoes("printer", "set_paper", (40.0,)),
        Tap("home.predial"),
        Tap("print.done", ("home", "aviso")),
        AskDebt("0620000101023006000005"),
        NetworkDoes("login_page"),
        Visit(reports=3),
        Wait(0.5),
        Expect(fact="payment.taken", times=1, sees=(("cash", "well"),), holds_s=1.0),
    ]
    first = scenario.steps[0]
    assert (first.at_s, first.say, first.turn, first.line) == (
        12.0, "Se acaba el papel.", "Quite el papel.", 5,
    )  # fmt: skip
    assert scenario.steps[1].at_s == 120.0
    assert scenario.steps[-1].within_s == 3.0


def test_a_person_pays_in_cash_listens_and_counts() -> None:
    scenario = read(
        HEAD + "devices: [printer, terminal, cash, keypad, numpad, audio]\n"
        "steps:\n"
        "  - pay: cash\n"
        "  - money: rest\n"
        "  - money: {all_but: 50}\n"
        "  - count: cash\n"
        "  - seek: Predial\n"
        "  - keypad: {press: select}\n"
        '  - numpad: {dial: "0620"}\n'
        "  - expect: {heard: [uno, dos], returned: 200}\n"
        "  - expect: {silent: true}\n"
    )

    assert isinstance(scenario, Scenario), str(scenario)
    assert [s.doing for s in scenario.steps] == [
        PayInCash(),
        PutMoney(),
        PutMoney(50.0),
        CountMoney(),
        Seek("Predial"),
        DeviceDoes("keypad", "press", ("select",)),
        DeviceDoes("numpad", "dial", ("0620",)),
        Expect(heard=("uno", "dos"), returned=200.0),
        Expect(silent=True),
    ]


MISTAKES = {  # what is written, and a part of what is told
    "steps:\n  - prinetr: paper_out\n": "x.yaml:4: paso 1: no hay clave «prinetr»; ¿quiso decir «printer»?",
    "steps:\n  - say: a\n  - printer: paper_uot\n": "x.yaml:5: paso 2: no hay acción «paper_uot»",
    "steps:\n  - at: 12\n    tap: home\n": "«at» es una duración como 12s",
    "steps:\n  - tap: home\n    wait: 1s\n": "un paso hace una sola cosa",
    "steps:\n  - debt: 0620000101023006\n": "escríbalo entre comillas",
    "steps:\n  - expect: {scren: home}\n": "¿quiso decir «screen»?",
    "steps:\n  - expect: {}\n": "«expect» no pide nada",
    "steps:\n  - expect: {times: 2}\n": "van con «fact»",
    "steps:\n  - expect: {sees: {casch: well}}\n": "¿quiso decir «cash»?",
    "steps:\n  - expect: {papers: uno}\n": "se esperaba un número entero o nada, no texto",
    "steps:\n  - network: off\n": "«network» puede ser cut, restore, login_page",
    "steps:\n  - printer: {set_paper: mucho}\n": "se esperaba un número, no texto",
    "steps:\n  - printer: set_paper\n": "lleva 1 valores, no 0",
    "steps:\n  - sun: {weather: rain}\n": "clear, cloudy, storm",
    "steps:\n  - tap: home\n    turn: Toque.\n": "«turn» va con un dispositivo",
    "steps:\n  - tap: home\n    tap: otra\n": "x.yaml:5: «tap» está dos veces",
    "steps:\n  - within: 3s\n": "no hace ni dice nada",
    "steps:\n  - type: ''\n": "«type» está vacío",
    "steps:\n  - money: todo\n": "«money» puede ser rest",
    "steps:\n  - money: {all_but: -1}\n": "son pesos, más de cero",
    "steps:\n  - pay: cheque\n": "«pay» puede ser card, cash",
    "steps:\n  - say: Uno.\n  - pay: cash\n": "x.yaml:5: paso 2: falta «cash» en «devices»",
    "devices: [audio]\nsteps:\n  - seek: Predial\n": "falta «keypad» en «devices»",
    "steps:\n  - expect: {heard: hola}\n": "falta «audio» en «devices»",
    "devices: [keypad]\nsteps:\n  - keypad: {press: esc}\n": "«keypad» puede ser up, down, select",
    "steps: []\n": "de 1 a 500 pasos",
    "stpes:\n  - say: Uno.\n": "x.yaml:3: no hay clave «stpes»; ¿quiso decir «steps»?",
    "devices: [printer, cahs]\nsteps:\n  - say: a\n": "x.yaml:3: no hay dispositivo «cahs»",
    "settings: {terminal.wait: 3}\nsteps:\n  - say: Uno.\n": "¿quiso decir «terminal.wait_s»?",
    "pace: 0\nsteps:\n  - say: Uno.\n": "«pace» debe ser mayor que cero",
    "clock: slow\nsteps:\n  - say: Uno.\n": "«slow» no es uno de los valores",
    "steps:\n  - &a {say: Uno}\n  - *a\n": "no se admiten alias",
    "steps:\n  - say: [uno\n": "no es YAML que se entienda",
    "": "falta «steps»",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "told"), MISTAKES.items(), ids=[m[:40] for m in MISTAKES.values()]
)
def test_a_mistake_is_told_with_its_line_and_the_nearest_word(text: str, told: str) -> None:
    assert told in problem(HEAD + text)


def test_what_is_no_scenario_at_all_is_told_too() -> None:
    assert "debe empezar con" in problem("- uno\n")
    assert "no está en UTF-8" in str(parse_scenario(b"\xff\xfe", "x.yaml", vocabulary()))
    assert "demasiado grande" in str(parse_scenario(b" " * 300_000, "x.yaml", vocabulary()))
    assert "no es YAML" in problem("[" * 5000)


@settings(max_examples=150)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    found = parse_scenario(raw, "x.yaml", vocabulary())

    assert isinstance(found, ScenarioProblem)


@settings(max_examples=150)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["tap", "expect", "printer", "at", "say", "visitor", "x"]), inner,
            max_size=3,
        ),
        max_leaves=8,
    )
)  # fmt: skip
def test_no_step_breaks_the_reader(step: object) -> None:
    import json

    found = read(HEAD + f"steps: [{json.dumps(step)}]\n")

    assert isinstance(found, Scenario | ScenarioProblem)


def test_every_scenario_that_ships_is_understood_and_teaches_something() -> None:
    assert len(shipped()) >= 12
    for name in shipped():
        scenario = find(name)
        assert isinstance(scenario, Scenario), str(scenario)
        assert scenario.learn, name
        assert any(step.say for step in scenario.steps), name


def test_a_scenario_is_found_by_name_number_or_file(tmp_path: Path) -> None:
    own = tmp_path / "mio.yaml"
    own.write_text(HEAD + "steps:\n  - say: Hola.\n")

    assert isinstance(find("terminal-muda"), Scenario)
    assert isinstance(find("04-terminal-muda"), Scenario)
    assert isinstance(find(str(own)), Scenario)
    assert "04-terminal-muda" in str(find("terminal-mda"))
    assert "no se puede leer" in str(find(str(tmp_path / "no.yaml")))
