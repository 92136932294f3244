"""`plaza hardware`: one clear line, and an exit code that a script can use."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hardware.cash.simulator import CashSimulator
from hardware.printer.profiles import PROFILES
from hardware.printer.simulator import PrinterSimulator
from plaza.commands.hardware import hardware


def run(*arguments: str) -> Result:
    return CliRunner().invoke(hardware, list(arguments))


@pytest.fixture
def far(tmp_path: Path) -> Iterator[PrinterSimulator]:
    simulator = PrinterSimulator(tmp_path / "papers")
    simulator.link(tmp_path / "printer")
    simulator.open()
    yield simulator
    simulator.close()


def port(far: PrinterSimulator) -> str:
    return str(far.out_dir.parent / "printer")


def test_a_ready_printer_is_probed_with_exit_0(far: PrinterSimulator) -> None:
    result = run("probe", "--port", port(far), "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)[0]["state"] == "ready"


def test_a_printer_without_paper_is_named_with_exit_1(far: PrinterSimulator) -> None:
    far.paper_out()
    result = run("probe", "--port", port(far))

    assert result.exit_code == 1
    assert "no hay papel" in result.stdout


def test_the_strip_prints_and_a_failure_says_that_nothing_was_printed(
    far: PrinterSimulator,
) -> None:
    printed = run("print-test", "--port", port(far))
    far.open_cover()
    failed = run("print-test", "--port", port(far))

    assert printed.exit_code == 0
    assert failed.exit_code == 1
    assert "no se imprimió: la tapa está abierta" in failed.stderr
    assert far.receipts() == ["0001"]


@pytest.mark.parametrize(
    ("suffix", "start"), [(".bin", b"\x1b@"), (".png", b"\x89PNG"), (".txt", b" ")]
)
def test_the_strip_can_be_seen_without_any_printer(
    tmp_path: Path, suffix: str, start: bytes
) -> None:
    out = tmp_path / f"strip{suffix}"
    result = run("print-test", "--profile", "generic-58", "--out", str(out))

    assert result.exit_code == 0
    assert out.read_bytes().startswith(start)


def test_another_file_type_is_a_usage_error(tmp_path: Path) -> None:
    assert run("print-test", "--out", str(tmp_path / "strip.pdf")).exit_code == 2


def test_settings_name_the_port_and_a_bad_setting_is_one_line(
    far: PrinterSimulator, tmp_path: Path
) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[printer]\nport = "{port(far)}"\n')
    good = run("--data", str(tmp_path), "probe")
    settings.write_text('[printer]\nprot = "x"\n')
    bad = run("--data", str(tmp_path), "probe")

    assert good.exit_code == 0
    assert bad.exit_code == 1
    assert "printer.port" in bad.stderr


def test_without_any_port_it_says_what_to_set() -> None:
    result = run("probe")

    assert result.exit_code == 1
    assert "printer.port" in result.stderr


def test_watch_tells_each_change_as_a_line_of_json(far: PrinterSimulator) -> None:
    far.paper_out()
    result = run("watch", "--port", port(far), "--seconds", "2", "--json")
    states = [json.loads(line)["cause"] for line in result.stdout.splitlines()]

    assert states[-1] == "paper_end"


def test_watch_speaks_spanish_also_of_a_state_without_a_cause(far: PrinterSimulator) -> None:
    lines = run("watch", "--port", port(far), "--seconds", "2").stdout.splitlines()

    assert "arrancando" in lines[0]
    assert "funciona" in lines[-1]


def test_watch_says_what_is_missing_when_the_node_has_no_such_device() -> None:
    result = run("watch", "--device", "scanner", "--seconds", "1")

    assert result.exit_code == 1
    assert "this node has no scanner" in result.stderr


def test_the_health_of_a_named_node_can_be_watched(tmp_path: Path) -> None:
    result = run("--data", str(tmp_path), "watch", "--device", "health", "--seconds", "2", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout.splitlines()[0])["port"] == str(tmp_path)


def test_the_credential_of_a_point_terminal_is_found_in_the_named_data_directory(
    tmp_path: Path,
) -> None:
    (tmp_path / "settings.toml").write_text(
        '[terminal]\nkind = "mercadopago"\npoint_id = "DEMO__1"\ntoken_file = "punto.token"\n'
        'api_url = "http://127.0.0.1:9"\n'
    )
    without = run("--data", str(tmp_path), "probe", "--json")
    token = tmp_path / "punto.token"
    token.write_text("demostracion-demostracion\n")
    token.chmod(0o600)
    found = run("--data", str(tmp_path), "probe", "--json")

    assert json.loads(without.stdout)[0]["cause"] == "token_missing"
    assert json.loads(found.stdout)[0]["cause"] != "token_missing"


def test_a_trouble_from_before_the_look_is_told_by_the_look(tmp_path: Path) -> None:
    bus = CashSimulator()
    bus.link(tmp_path / "cash")
    bus.open()
    bus.jam_note()
    (tmp_path / "settings.toml").write_text(f'[cash]\nenabled = true\nport = "{tmp_path}/cash"\n')
    try:
        result = run("--data", str(tmp_path), "probe", "--json")
    finally:
        bus.close()

    assert json.loads(result.stdout)[0]["state"] != "ready"


def test_profiles_are_listed_for_people_and_machines() -> None:
    assert "48 columnas" in run("profiles").stdout
    assert {p["name"] for p in json.loads(run("profiles", "--json").stdout)} == set(PROFILES)


def test_the_page_of_printers_holds_the_table_of_the_program() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "impresoras.md"

    assert run("profiles", "--markdown").stdout.strip() in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_profile_has_its_strip(tmp_path: Path, profile: str) -> None:
    out = tmp_path / "strip.png"
    result = run("print-test", "--profile", profile, "--out", str(out))

    assert result.exit_code == 0
    assert out.read_bytes().startswith(b"\x89PNG")


def test_the_self_test_looks_at_every_configured_device_at_once(
    far: PrinterSimulator, tmp_path: Path
) -> None:
    (tmp_path / "settings.toml").write_text(
        f'[printer]\nport = "{port(far)}"\n[terminal]\nport = "{tmp_path}/nothing"\n'
    )
    began = time.monotonic()
    result = run("--data", str(tmp_path), "selftest", "--json")
    states = {one["device"]: one["state"] for one in json.loads(result.stdout)}

    assert time.monotonic() - began < 5
    assert result.exit_code == 1
    assert states["printer"] == "ready"
    assert states["terminal"] == "absent"


def test_a_port_that_is_none_is_told_in_one_line() -> None:
    result = run("probe", "--port", "usb://printer")

    assert result.exit_code == 1
    assert "usb://vvvv:pppp" in result.stderr
