"""`plaza wifi` on a machine without a radio: what it says, and that a mistake names its key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from plaza.commands.wifi import wifi


def _call(data: Path, *words: str) -> Result:
    return CliRunner().invoke(
        wifi, [*words, "--data", str(data), "--runtime", str(data / "run")], catch_exceptions=False
    )


def _site(data: Path, text: str) -> Path:
    (data / "site.toml").write_text(text)
    return data


NO_RADIO = '[wifi]\ninterface = "wlan-none0"\n'


def test_status_without_a_radio_is_trouble_that_names_the_interface(tmp_path: Path) -> None:
    said = _call(_site(tmp_path, NO_RADIO), "status")

    assert said.exit_code == 1
    assert said.stdout.splitlines() == [
        "radio wlan-none0: UNKNOWN, channel 0",
        "devices: 0",
        "trouble: there is no interface wlan-none0",
    ]


def test_status_for_machines_is_one_object(tmp_path: Path) -> None:
    report = json.loads(_call(_site(tmp_path, NO_RADIO), "status", "--json").stdout)

    assert report["mode"] == "radio"
    assert report["networks"] == []
    assert report["trouble"] == "there is no interface wlan-none0"


def test_a_wired_site_is_judged_by_its_cable(tmp_path: Path) -> None:
    site = '[network]\nguest = "lo"\n[wifi]\nmode = "wired"\n'
    said = _call(_site(tmp_path, site), "status")

    assert said.exit_code == 0
    assert said.stdout == "guest side: cable on lo, up\n"


@pytest.mark.parametrize(
    ("site", "words"),
    [
        (
            '[wifi]\nsside = "x"\n',
            "«wifi.sside»: unknown key; the nearest known key is «wifi.ssid»",
        ),
        ("[wifi]\nchannel = 13\n", "line 2: «wifi.channel»: many phones sold in Mexico"),
        (
            '[wifi.staff]\nssid = "T"\npassphrase = "muy corta"\n',
            "«wifi.staff.passphrase»: must have 12",
        ),
    ],
)
@pytest.mark.parametrize("verb", ["status", "config", "reload", "run"])
def test_a_mistake_in_the_site_file_names_its_key_and_never_a_secret(
    verb: str, site: str, words: str, tmp_path: Path
) -> None:
    said = _call(_site(tmp_path, site), verb)

    assert said.exit_code == 1
    assert words in said.stderr
    assert "muy corta" not in said.stderr


def test_a_name_in_the_settings_that_no_network_can_have_is_told(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(f'[portal]\nssid = "{"x" * 40}"\n')
    said = _call(tmp_path, "status")

    assert said.exit_code == 1
    assert "«portal.ssid» must have 1 to 32 bytes" in said.stderr


@pytest.mark.parametrize("verb", ["config", "reload"])
def test_without_a_radio_nothing_is_written(verb: str, tmp_path: Path) -> None:
    said = _call(_site(tmp_path, NO_RADIO), verb)

    assert said.exit_code == 1
    assert "there is no such radio: wlan-none0" in said.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("device", "code", "words"),
    [
        ("192.0.2.77", 1, "no device with this address"),
        ("2001:db8::77", 1, "no device with this address"),
        ("02:00:00:00:01:00", 1, "hostapd_cli"),
        ("todos; reboot", 2, "give an IP address or a hardware address"),
        ("02:00:00:00:01", 2, "give an IP address or a hardware address"),
    ],
)
def test_only_an_address_can_be_sent_off(
    device: str, code: int, words: str, tmp_path: Path
) -> None:
    said = _call(_site(tmp_path, NO_RADIO), "kick", device)

    assert said.exit_code == code
    assert words in said.stderr
